"""Convolution layers: equal to PyTorch's from the same weights, and their wrong arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tests.backends import BACKENDS, kernels
from tinyconv import nn
from tinyconv.errors import ArgumentError, ShapeError, TinyconvError

LAYERS: dict[str, tuple[Callable[[Any], Any], tuple[int, ...]]] = {
    "Conv1d": (lambda lib: lib.Conv1d(4, 6, 3, 2, 1, 2, 2, False), (2, 4, 11)),
    "Conv1d same": (lambda lib: lib.Conv1d(4, 6, 4, padding="same"), (4, 11)),
    "Conv2d valid": (lambda lib: lib.Conv2d(4, 6, (3, 2), padding="valid"), (4, 5, 6)),
    "Conv2d same": (lambda lib: lib.Conv2d(4, 6, (4, 2), padding="same", dilation=(1, 3)), (2, 4, 5, 6)),
    "Conv3d": (lambda lib: lib.Conv3d(2, 4, (1, 2, 3), (1, 2, 1), (0, 1, 2), groups=2), (2, 2, 3, 4, 5)),
    "Conv3d same": (lambda lib: lib.Conv3d(2, 4, 2, padding="same"), (2, 3, 4, 5)),
    "ConvTranspose1d": (lambda lib: lib.ConvTranspose1d(4, 6, 3, 2, 1, 1, 2, True, 2), (2, 4, 5)),
    "Conv1d reflect": (lambda lib: lib.Conv1d(2, 3, 3, padding=2, padding_mode="reflect"), (2, 2, 5)),
    "Conv2d replicate": (
        lambda lib: lib.Conv2d(2, 3, (4, 3), padding="same", padding_mode="replicate"),
        (2, 5, 4),
    ),
    "Conv2d reflect valid": (
        lambda lib: lib.Conv2d(2, 3, 3, padding="valid", bias=False, padding_mode="reflect"),
        (2, 2, 5, 4),
    ),
    "Conv3d circular": (
        lambda lib: lib.Conv3d(2, 3, (3, 2, 3), (1, 2, 1), (1, 0, 2), padding_mode="circular"),
        (1, 2, 3, 4, 5),
    ),
    "Unfold": (lambda lib: lib.Unfold((2, 3), 2, (1, 0), (1, 2)), (2, 3, 5, 7)),
    "Fold": (lambda lib: lib.Fold((4, 5), (2, 3), stride=1, padding=(0, 1)), (12, 15)),
    "ConvTranspose3d": (lambda lib: lib.ConvTranspose3d(4, 2, 2, (2, 1, 3), bias=False), (4, 2, 3, 2)),
}


def twins(name: str) -> tuple[Any, Any, tuple[int, ...]]:
    """Our layer and PyTorch's with the same weights, and the shape of an input."""
    torch = pytest.importorskip("torch")
    build, shape = LAYERS[name]
    ours, theirs = build(nn).to("float64"), build(torch.nn).double()
    ours.load_state_dict({key: value.numpy() for key, value in theirs.state_dict().items()})
    return ours, theirs, shape


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_is_pytorchs(name: str, backend: str) -> None:
    torch = pytest.importorskip("torch")
    ours, theirs, shape = twins(name)
    x = np.random.default_rng(0).standard_normal(shape)
    a, b = tc.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    with kernels(backend):
        y = ours(a)
        (y * y).sum().backward()
    z = theirs(b)
    (z * z).sum().backward()
    np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-9, atol=1e-11)
    for (key, p), (other, q) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        assert key == other
        np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_is_shown_as_pytorch_shows_it(name: str) -> None:
    ours, theirs, _ = twins(name)
    assert repr(ours) == repr(theirs)


def test_output_size_chooses_the_size_of_a_transposed_convolution() -> None:
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    theirs = torch.nn.ConvTranspose2d(3, 2, 3, stride=(2, 3), padding=1).double()
    ours = nn.ConvTranspose2d(3, 2, 3, stride=(2, 3), padding=1).to("float64")
    ours.load_state_dict({key: value.numpy() for key, value in theirs.state_dict().items()})
    for size in ((7, 13), (8, 15), (2, 2, 8, 14)):
        y, z = ours(tc.tensor(x), output_size=size), theirs(torch.tensor(x), output_size=list(size))
        assert y.shape[2:] == size[-2:]
        np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", ["Linear", "Conv1d", "ConvTranspose2d"])
def test_parameters_can_be_drawn_anew(name: str) -> None:
    arguments = {"Linear": (50, 30), "Conv1d": (5, 30, 10), "ConvTranspose2d": (20, 10, (1, 5))}
    layer = getattr(nn, name)(*arguments[name])
    before = layer.weight.data.numpy().copy(), layer.bias.data.numpy().copy()
    layer.reset_parameters()
    bound = 1 / 50**0.5
    for parameter, old in zip((layer.weight, layer.bias), before, strict=True):
        assert (parameter.data.numpy() != old).mean() > 0.99
        assert 0.5 * bound < np.abs(parameter.data.numpy()).max() <= bound


UP = nn.ConvTranspose2d(3, 2, 3, stride=2)
WRONG: list[tuple[str, Callable[[], Any], type[TinyconvError], str]] = [
    ("Conv1d", lambda: nn.Conv1d(3, 4, (3, 3)), ArgumentError, r"kernel_size is \(3, 3\).*1 of them"),
    ("Conv1d", lambda: nn.Conv1d(3, 4, 3, padding="full"), ArgumentError, "padding is 'full'"),
    ("Conv2d", lambda: nn.Conv2d(3, 4, 3, 2, "same"), ArgumentError, r"stride is \(2, 2\).*same"),
    ("Conv3d", lambda: nn.Conv3d(3, 4, 3, groups=3), ArgumentError, "out_channels is 4.*groups = 3"),
    ("Conv3d", lambda: nn.Conv3d(3, 4, 3, padding=(1, 1)), ArgumentError, r"padding is \(1, 1\)"),
    (
        "Conv2d",
        lambda: nn.Conv2d(3, 4, 3, padding_mode="mirror"),
        ArgumentError,
        "padding_mode.*'zeros'.*'circular'",
    ),
    (
        "ConvTranspose1d",
        lambda: nn.ConvTranspose1d(3, 4, 3, padding_mode="reflect"),
        ArgumentError,
        "padding_mode is 'reflect'.*'zeros'",
    ),
    ("ConvTranspose3d", lambda: nn.ConvTranspose3d(3, 4, 3, padding="same"), ArgumentError, "padding"),
    (
        "ConvTranspose2d",
        lambda: UP(tc.ones(1, 3, 4, 4), (11, 10)),
        ShapeError,
        r"\(11, 10\).*\(9, 9\) to \(10",
    ),
    ("ConvTranspose2d", lambda: UP(tc.ones(1, 3, 4, 4), "9"), ArgumentError, "output_size is '9'"),
    ("ConvTranspose2d", lambda: UP(tc.ones(4, 4), (9, 9)), ShapeError, r"\(4, 4\).*\(N, C, H, W\)"),
    ("conv1d", lambda: nn.Conv1d(3, 4, 3)(tc.ones(2, 8)), ShapeError, r"\(2, 8\).*3 channels"),
]


@pytest.mark.parametrize(("where", "call", "error", "says"), WRONG)
def test_wrong_arguments(where: str, call: Callable[[], Any], error: type[TinyconvError], says: str) -> None:
    with pytest.raises(error, match=says) as caught:
        call()
    assert caught.value.where == where
