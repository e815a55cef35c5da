"""Normalisation layers: PyTorch's outputs, running statistics and states, step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
import tinyconv.nn.functional as F
from tests.backends import BACKENDS, kernels
from tests.gpu import tensor
from tinyconv import nn
from tinyconv.errors import ArgumentError, DtypeError, ShapeError, TinyconvError

SHAPES = {"1d": (3, 4, 5), "2d": (3, 4, 5, 2), "3d": (2, 4, 3, 2, 2)}

LAYERS: dict[str, tuple[Callable[[Any], Any], tuple[int, ...]]] = {
    "BatchNorm1d of rows": (lambda lib: lib.BatchNorm1d(4), (6, 4)),
    **{
        f"BatchNorm{dims}": (lambda lib, dims=dims: getattr(lib, f"BatchNorm{dims}")(4, 1e-3, 0.3), shape)
        for dims, shape in SHAPES.items()
    },
    "cumulative average": (lambda lib: lib.BatchNorm2d(4, momentum=None), SHAPES["2d"]),
    "without affine": (lambda lib: lib.BatchNorm2d(4, affine=False), SHAPES["2d"]),
    "without statistics": (lambda lib: lib.BatchNorm2d(4, track_running_stats=False), SHAPES["2d"]),
    **{
        f"InstanceNorm{dims}": (lambda lib, dims=dims: getattr(lib, f"InstanceNorm{dims}")(4), shape)
        for dims, shape in SHAPES.items()
    },
    "InstanceNorm2d with everything": (
        lambda lib: lib.InstanceNorm2d(4, 1e-3, 0.3, True, True),
        SHAPES["2d"],
    ),
    "InstanceNorm2d of one image": (lambda lib: lib.InstanceNorm2d(4, affine=True), SHAPES["2d"][1:]),
    "GroupNorm": (lambda lib: lib.GroupNorm(2, 4), SHAPES["2d"]),
    "GroupNorm without affine": (lambda lib: lib.GroupNorm(4, 4, 1e-3, False), SHAPES["3d"]),
    "LayerNorm": (lambda lib: lib.LayerNorm(5), SHAPES["1d"]),
    "LayerNorm of two dimensions": (lambda lib: lib.LayerNorm((5, 2), bias=False), SHAPES["2d"]),
    "LayerNorm without affine": (lambda lib: lib.LayerNorm((4, 5), 1e-3, False), SHAPES["1d"]),
    "LocalResponseNorm": (lambda lib: lib.LocalResponseNorm(5, 1e-2, 0.6, 2.0), SHAPES["2d"]),
    "LocalResponseNorm of an even size": (lambda lib: lib.LocalResponseNorm(2, 1.0), SHAPES["2d"]),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", LAYERS)
def test_three_training_steps_and_an_evaluation_are_pytorchs(name: str, backend: str) -> None:
    torch = pytest.importorskip("torch")
    build, shape = LAYERS[name]
    ours, theirs = build(nn).to("float64"), build(torch.nn).double()
    rng = np.random.default_rng(0)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        value = rng.standard_normal(p.shape)
        p.data.copy_(value)
        q.data.copy_(torch.from_numpy(value))
    for training in (True, True, True, False):
        ours.train(training)
        theirs.train(training)
        x = rng.standard_normal(shape) * 3 + 2
        a, b = tc.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
        with kernels(backend):
            y = ours(a)
            (y * y).sum().backward()
        z = theirs(b)
        (z * z).sum().backward()
        np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-8, atol=1e-9)
        _compare_states(ours, theirs)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-9, atol=1e-9)


def _compare_states(ours: Any, theirs: Any) -> None:
    state, expected = ours.state_dict(), theirs.state_dict()
    assert list(state) == list(expected)
    for key, value in state.items():
        assert str(value.dtype) == str(expected[key].dtype).removeprefix("torch.")
        np.testing.assert_allclose(value.numpy(), expected[key].numpy(), rtol=1e-12, atol=1e-14, err_msg=key)


def test_statistics_by_hand() -> None:
    layer = nn.BatchNorm1d(1, momentum=0.5)
    y = layer(tc.tensor([[1.0], [2.0], [6.0]]))
    np.testing.assert_allclose(
        y.detach().numpy()[:, 0], np.array([-2, -1, 3]) / np.sqrt(14 / 3 + 1e-5), rtol=1e-6
    )
    assert layer.running_mean.item() == pytest.approx(1.5)  # half of 0, half of 3
    assert layer.running_var.item() == pytest.approx(4.0)  # half of 1, half of 14 / (3 - 1)
    assert layer.num_batches_tracked.item() == 1
    layer.eval()
    assert layer(tc.tensor([[3.5]])).item() == pytest.approx(1.0, rel=1e-5)
    assert layer.num_batches_tracked.item() == 1
    layer.reset_running_stats()
    assert (layer.running_mean.item(), layer.running_var.item(), layer.num_batches_tracked.item()) == (
        0,
        1,
        0,
    )


def test_evaluation_leaves_the_state_alone() -> None:
    layer = nn.BatchNorm2d(4).eval()
    before = {key: value.numpy().copy() for key, value in layer.state_dict().items()}
    layer(tc.randn(2, 4, 3, 3))
    for key, value in layer.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[key], key)


def test_an_empty_batch_passes_and_moves_nothing() -> None:
    layer = nn.BatchNorm2d(4)
    assert layer(tc.zeros(0, 4, 3, 3)).shape == (0, 4, 3, 3)
    assert layer.running_mean.tolist() == [0] * 4
    assert layer.running_var.tolist() == [1] * 4
    assert F.layer_norm(tc.zeros(0, 3), 3).shape == (0, 3)
    assert F.layer_norm(tc.zeros(2, 0), 0).shape == (2, 0)
    assert F.group_norm(tc.zeros(0, 4, 2), 2).shape == (0, 4, 2)
    assert F.instance_norm(tc.zeros(0, 4, 3)).shape == (0, 4, 3)


def test_a_large_mean_does_not_spoil_the_variance() -> None:
    """The sum of squares minus the square of the sum would lose all digits here."""
    x = np.random.default_rng(0).standard_normal((64, 2)).astype("float32") + np.float32(1000)
    y = F.batch_norm(tc.tensor(x), None, None, training=True).numpy()
    wide = x.astype("float64")
    np.testing.assert_allclose(y, (wide - wide.mean(0)) / np.sqrt(wide.var(0) + 1e-5), atol=1e-6)


def test_channels_last_stays_channels_last() -> None:
    x = np.ones((2, 3, 4, 6), "float32").transpose(0, 3, 1, 2)
    for layer in (nn.BatchNorm2d(6), nn.GroupNorm(2, 6), nn.InstanceNorm2d(6), nn.LocalResponseNorm(3)):
        y = layer(tensor(x))
        assert y.array.transpose(0, 2, 3, 1).flags.c_contiguous, type(layer).__name__


def test_the_state_goes_through_a_file(tmp_path: Any) -> None:
    layer, other = nn.BatchNorm2d(4), nn.BatchNorm2d(4)
    for _ in range(2):
        layer(tc.randn(3, 4, 5, 5))
    tc.save(layer.state_dict(), tmp_path / "layer.safetensors")
    other.load_state_dict(tc.load(tmp_path / "layer.safetensors"))
    assert other.num_batches_tracked.item() == 2
    np.testing.assert_array_equal(other.running_var.numpy(), layer.running_var.numpy())


IMAGES = tc.ones(2, 3, 5, 5)

WRONG: list[tuple[type[TinyconvError], str, Callable[[], Any]]] = [
    (ArgumentError, "BatchNorm2d: num_features is 0", lambda: nn.BatchNorm2d(0)),
    (ArgumentError, "BatchNorm2d: eps is -1", lambda: nn.BatchNorm2d(4, eps=-1)),
    (ArgumentError, "BatchNorm2d: momentum is 'fast'", lambda: nn.BatchNorm2d(4, momentum="fast")),
    (ShapeError, "BatchNorm2d: input is of shape (2, 4)", lambda: nn.BatchNorm2d(4)(tc.ones(2, 4))),
    (ShapeError, "BatchNorm1d: input is of shape (2,)", lambda: nn.BatchNorm1d(2)(tc.ones(2))),
    (
        ShapeError,
        "BatchNorm2d: input is of shape (2, 3, 5, 5)",
        lambda: nn.BatchNorm2d(4)(tc.ones(2, 3, 5, 5)),
    ),
    (
        ShapeError,
        "InstanceNorm2d: input is of shape (3, 5, 5)",
        lambda: nn.InstanceNorm2d(4)(tc.ones(3, 5, 5)),
    ),
    (DtypeError, "BatchNorm2d: input is a ndarray", lambda: nn.BatchNorm2d(3)(IMAGES.numpy())),
    (DtypeError, "InstanceNorm1d: input is a list", lambda: nn.InstanceNorm1d(3)([[1.0, 2.0]] * 3)),
    (DtypeError, "layer_norm: input is of dtype int64", lambda: nn.LayerNorm(3)(tc.arange(3))),
    (ArgumentError, "GroupNorm: num_channels is 4", lambda: nn.GroupNorm(3, 4)),
    (ArgumentError, "LayerNorm: normalized_shape is ()", lambda: nn.LayerNorm(())),
    (ArgumentError, "LocalResponseNorm: size is 0", lambda: nn.LocalResponseNorm(0)),
]


@pytest.mark.parametrize(("error", "start", "call"), WRONG, ids=[row[1] for row in WRONG])
def test_a_wrong_call_says_what_is_wrong(
    error: type[TinyconvError], start: str, call: Callable[[], Any]
) -> None:
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value).startswith(start)
    assert caught.value.expected
