"""Padding, upsampling and embedding layers against their PyTorch twins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tests.gpu import tensor
from tinyconv import nn
from tinyconv.errors import ArgumentError, ShapeError

SHAPES = {"1d": (2, 3, 5), "2d": (2, 3, 5, 4), "3d": (2, 3, 5, 4, 3)}


def assert_twins(layer: Any, twin: Any, shape: tuple[int, ...]) -> None:
    """Same output, same input gradient and same repr."""
    torch = pytest.importorskip("torch")
    values = np.random.default_rng(0).standard_normal(shape)
    x, other = tc.tensor(values, requires_grad=True), torch.tensor(values, requires_grad=True)
    y, expected = layer(x), twin(other)
    np.testing.assert_allclose(y.detach().numpy(), expected.detach().numpy(), rtol=0, atol=1e-12)
    (y * y).sum().backward()
    (expected * expected).sum().backward()
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), other.grad.numpy(), rtol=0, atol=1e-11)
    assert repr(layer) == repr(twin)


@pytest.mark.parametrize("dims", SHAPES)
@pytest.mark.parametrize("kind", ["ZeroPad", "ConstantPad", "ReflectionPad", "ReplicationPad", "CircularPad"])
@pytest.mark.parametrize("uneven", [False, True])
def test_padding_layers(kind: str, dims: str, uneven: bool) -> None:
    torch = pytest.importorskip("torch")
    padding = (1, 2, 0, 1, 2, 0)[: 2 * int(dims[0])] if uneven else 1
    arguments = (padding, 0.5) if kind == "ConstantPad" else (padding,)
    name = kind + dims
    assert_twins(getattr(nn, name)(*arguments), getattr(torch.nn, name)(*arguments), SHAPES[dims])


@pytest.mark.parametrize("padding", [1.5, (1, 1), "same", (1, 1, 1, True), None])
def test_padding_layers_refuse_what_is_not_one_or_four_ints(padding: Any) -> None:
    with pytest.raises(ArgumentError, match=r"ZeroPad2d: padding is .* expected an int, or 4 of them"):
        nn.ZeroPad2d(padding)


def test_the_constant_must_be_a_number() -> None:
    with pytest.raises(ArgumentError, match="ConstantPad1d: value"):
        nn.ConstantPad1d(1, "one")


@pytest.mark.parametrize(
    ("name", "arguments", "shape"),
    [
        ("Upsample", {"scale_factor": 2}, (2, 3, 4, 5)),
        ("Upsample", {"size": 7, "mode": "linear"}, (2, 3, 4)),
        ("Upsample", {"scale_factor": (2, 1.5), "mode": "bicubic", "align_corners": True}, (2, 3, 4, 5)),
        ("UpsamplingNearest2d", {"size": (3, 9)}, (2, 3, 4, 5)),
        ("UpsamplingBilinear2d", {"scale_factor": 2}, (2, 3, 4, 5)),
        ("PixelShuffle", {"upscale_factor": 2}, (2, 8, 3, 2)),
        ("PixelUnshuffle", {"downscale_factor": 2}, (2, 3, 4, 6)),
        ("ChannelShuffle", {"groups": 2}, (2, 6, 3, 2)),
    ],
)
def test_layers_that_resize_and_shuffle(name: str, arguments: dict[str, Any], shape: tuple[int, ...]) -> None:
    torch = pytest.importorskip("torch")
    assert_twins(getattr(nn, name)(**arguments), getattr(torch.nn, name)(**arguments), shape)


def test_upsample_refuses_an_unknown_mode_at_once() -> None:
    with pytest.raises(ArgumentError, match="Upsample: mode"):
        nn.Upsample(scale_factor=2, mode="lanczos")


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "area", "bilinear", "bicubic"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_pixel_that_is_not_finite_stays_in_its_neighbourhood(mode: str, bad: float) -> None:
    x = tc.zeros(1, 1, 12, 12)
    x[0, 0, 5, 5] = bad
    for size in (24, 7):
        y = tc.nn.functional.interpolate(x, size, mode=mode).numpy()[0, 0]
        scale = size / 12
        assert not np.isfinite(y).all() or mode.startswith("nearest")
        far = abs(np.arange(size) + 0.5 - 5.5 * scale) > 3 * max(scale, 1)
        assert (y[far] == 0).all() and (y[:, far] == 0).all()


def test_embedding_is_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    layer, twin = nn.Embedding(5, 3, padding_idx=-1), torch.nn.Embedding(5, 3, padding_idx=-1)
    assert repr(layer) == repr(twin)
    assert list(layer.state_dict()) == list(twin.state_dict())
    assert (layer.weight.detach().numpy()[4] == 0).all()
    layer.load_state_dict({"weight": tc.as_tensor(twin.weight.detach().numpy())})
    numbers = np.array([[0, 4, 1], [1, 1, 4]])
    y, expected = layer(tc.as_tensor(numbers)), twin(torch.from_numpy(numbers))
    np.testing.assert_array_equal(y.detach().numpy(), expected.detach().numpy())
    (y * y).sum().backward()
    (expected * expected).sum().backward()
    np.testing.assert_allclose(layer.weight.grad.numpy(), twin.weight.grad.numpy(), rtol=1e-6)


def test_the_first_embedding_is_standard_normal() -> None:
    tc.manual_seed(0)
    values = nn.Embedding(100, 100).weight.detach().numpy()
    assert abs(values.mean()) < 0.04
    assert abs(values.std() - 1) < 0.03


@pytest.mark.parametrize("bias", [True, False])
def test_bilinear_is_pytorchs(bias: bool) -> None:
    torch = pytest.importorskip("torch")
    layer, twin = nn.Bilinear(3, 4, 2, bias), torch.nn.Bilinear(3, 4, 2, bias)
    assert repr(layer) == repr(twin)
    assert [p.shape for p in layer.parameters()] == [tuple(p.shape) for p in twin.parameters()]
    assert all(0 < abs(p.data.numpy()).max() <= 3**-0.5 for p in layer.parameters())
    layer.load_state_dict({k: tc.as_tensor(v.numpy()) for k, v in twin.state_dict().items()})
    rng = np.random.default_rng(0)
    pair = [rng.standard_normal((5, n)).astype(np.float32) for n in (3, 4)]
    expected = twin(*map(torch.from_numpy, pair)).detach().numpy()
    np.testing.assert_allclose(layer(*map(tc.as_tensor, pair)).detach().numpy(), expected, rtol=0, atol=1e-6)


def test_layers_that_compare() -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    pair = [rng.standard_normal((5, 4)) for _ in range(2)]
    for name, arguments in (("CosineSimilarity", (0, 1e-3)), ("PairwiseDistance", (1.0, 0.1, True))):
        y = getattr(nn, name)(*arguments)(*map(tc.as_tensor, pair)).numpy()
        expected = getattr(torch.nn, name)(*arguments)(*map(torch.from_numpy, pair)).numpy()
        np.testing.assert_allclose(y, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 2)])
@pytest.mark.parametrize("num_classes", [-1, 4, 7])
def test_one_hot_is_pytorchs(shape: tuple[int, ...], num_classes: int) -> None:
    torch = pytest.importorskip("torch")
    numbers = np.random.default_rng(0).integers(0, 4, shape)
    if numbers.size == 0 and num_classes == -1:
        with pytest.raises(ShapeError, match="num_classes given"):
            tc.nn.functional.one_hot(tc.as_tensor(numbers))
        return
    y = tc.nn.functional.one_hot(tc.as_tensor(numbers), num_classes)
    expected = torch.nn.functional.one_hot(torch.from_numpy(numbers), num_classes).numpy()
    assert y.dtype == expected.dtype
    np.testing.assert_array_equal(y.numpy(), expected)


@pytest.mark.parametrize("p", [1.0, 1.5, 2.0, 3.0, np.inf])
def test_a_vector_of_zeros_has_length_zero_and_a_finite_gradient(p: float) -> None:
    x = tc.zeros(2, 3, requires_grad=True)
    y = tc.nn.functional.pairwise_distance(x, tc.zeros(2, 3), p, eps=0)
    assert y.tolist() == [0, 0]
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[0, 0, 0], [0, 0, 0]]


def test_padding_row_stays_without_gradient_of_any_order() -> None:
    weight = tc.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = tc.nn.functional.embedding(tc.tensor([0, 1, 1]), weight, padding_idx=0)
    (first,) = tc.autograd.grad((y * y * y).sum(), weight, create_graph=True)
    (second,) = tc.autograd.grad(first.sum(), weight)
    assert first.tolist() == [[0, 0], [2 * 27, 2 * 48]]
    assert second.tolist() == [[0, 0], [2 * 18, 2 * 24]]


@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool"])
def test_integers_and_truth_values_are_padded_too(dtype: str) -> None:
    x = tc.ones(1, 1, 2, dtype=dtype)
    y = tc.nn.functional.pad(x, (1, 2))
    assert y.dtype == x.dtype
    assert y.tolist() == [[[0, 1, 1, 0, 0]]]
    assert tc.nn.functional.pad(x * 0, (1, 0), value=1).tolist() == [[[1, 0, 0]]]


def test_nothing_to_do_still_makes_a_copy() -> None:
    x = tc.zeros(1, 1, 3)
    results = [tc.nn.functional.pad(x, (0, 0), mode) for mode in ("constant", "reflect", "circular")]
    results += [tc.nn.functional.interpolate(x, 3, mode=mode) for mode in ("nearest", "linear", "area")]
    for y in results:
        assert y.tolist() == x.tolist()
        assert not np.shares_memory(y.data.numpy(), x.data.numpy())


def test_empty_batches_are_shuffled() -> None:
    assert tc.nn.functional.pixel_shuffle(tc.zeros(0, 4, 1, 1), 2).shape == (0, 1, 2, 2)


def test_what_is_computed_from_channels_last_stays_channels_last() -> None:
    x = tensor(np.zeros((2, 5, 6, 4), np.float32).transpose(0, 3, 1, 2))
    f = tc.nn.functional
    grid = f.affine_grid(tc.zeros(2, 2, 3), x.shape)
    results = (
        f.pad(x, (1, 1)),
        f.pad(x, (1, 1, 1, 1), "reflect"),
        f.interpolate(x, 9),
        f.grid_sample(x, grid),
    )
    for y in results:
        assert y.array.transpose(0, 2, 3, 1).flags.c_contiguous
