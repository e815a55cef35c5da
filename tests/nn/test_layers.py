"""Layers and losses as modules: equal to PyTorch's from the same weights, and their wrong arguments."""

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
    "Linear": (lambda lib: lib.Linear(6, 5), (2, 3, 4, 6)),
    "Conv2d": (lambda lib: lib.Conv2d(4, 6, (3, 2), (1, 2), (1, 0), (1, 2), 2), (2, 4, 7, 8)),
    "Conv2d without bias": (lambda lib: lib.Conv2d(4, 6, 3, bias=False), (2, 4, 7, 8)),
    "ConvTranspose2d": (lambda lib: lib.ConvTranspose2d(4, 6, 3, 2, 1, 1, 2, True, 1), (2, 4, 5, 4)),
    "ConvTranspose2d dilated": (lambda lib: lib.ConvTranspose2d(4, 2, 2, dilation=2), (2, 4, 5, 4)),
    "MaxPool2d": (lambda lib: lib.MaxPool2d(3, 2, 1, ceil_mode=True), (2, 3, 8, 7)),
    "AvgPool2d": (lambda lib: lib.AvgPool2d((2, 3), padding=1, count_include_pad=False), (2, 3, 8, 7)),
    "Flatten": (lambda lib: lib.Flatten(), (2, 3, 4, 5)),
    "ReLU": (lambda lib: lib.ReLU(), (3, 4)),
    "LeakyReLU": (lambda lib: lib.LeakyReLU(0.1), (3, 4)),
    "ELU": (lambda lib: lib.ELU(0.7), (3, 4)),
    "Sigmoid": (lambda lib: lib.Sigmoid(), (3, 4)),
    "Tanh": (lambda lib: lib.Tanh(), (3, 4)),
    "Softmax": (lambda lib: lib.Softmax(1), (3, 4)),
    "LogSoftmax": (lambda lib: lib.LogSoftmax(1), (3, 4)),
    "Dropout in evaluation": (lambda lib: lib.Dropout(0.4).eval(), (3, 4)),
    "Identity": (lambda lib: lib.Identity(), (3, 4)),
    "Sequential": (
        lambda lib: lib.Sequential(
            lib.Conv2d(3, 16, 3, padding=1), lib.ELU(), lib.MaxPool2d(2), lib.Flatten()
        ),
        (2, 3, 8, 6),
    ),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_is_pytorchs(name: str, backend: str) -> None:
    torch = pytest.importorskip("torch")
    build, shape = LAYERS[name]
    ours, theirs = build(nn).to("float64"), build(torch.nn).double()
    ours.load_state_dict({key: value.numpy() for key, value in theirs.state_dict().items()})
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


def test_max_unpool_puts_back_what_max_pool_took() -> None:
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).standard_normal((2, 3, 6, 8))
    results = []
    for lib, make in ((nn, tc.tensor), (torch.nn, torch.tensor)):
        values, indices = lib.MaxPool2d(2, return_indices=True)(make(x))
        results.append(lib.MaxUnpool2d(2)(values, indices).numpy())
    np.testing.assert_array_equal(*results)
    assert (results[0] != 0).sum() == 2 * 3 * 3 * 4


LOSSES: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "MSELoss": (lambda lib, make: lib.MSELoss(reduction="sum"), "same"),
    "BCELoss": (lambda lib, make: lib.BCELoss(), "probability"),
    "BCEWithLogitsLoss": (
        lambda lib, make: lib.BCEWithLogitsLoss(pos_weight=make(np.array([1.0, 2.0, 3.0, 4.0]))),
        "same",
    ),
    "CrossEntropyLoss": (
        lambda lib, make: lib.CrossEntropyLoss(make(np.array([1.0, 2.0, 3.0, 4.0])), label_smoothing=0.1),
        "classes",
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch")
    build, kind = LOSSES[name]
    rng = np.random.default_rng(0)
    x = rng.random((3, 4)) if kind == "probability" else rng.standard_normal((3, 4))
    target = rng.integers(0, 4, 3) if kind == "classes" else rng.random((3, 4))
    ours = build(nn, tc.tensor)(tc.tensor(x), tc.tensor(target)).item()
    theirs = build(torch.nn, torch.tensor)(torch.tensor(x), torch.tensor(target)).item()
    assert abs(ours - theirs) < 1e-12


def test_binary_cross_entropy_of_certain_predictions_is_finite_as_in_pytorch() -> None:
    torch = pytest.importorskip("torch")
    p, t = np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0, 0.0])
    a, b = tc.tensor(p, requires_grad=True), torch.tensor(p, requires_grad=True)
    ours, theirs = nn.BCELoss()(a, tc.tensor(t)), torch.nn.BCELoss()(b, torch.tensor(t))
    ours.backward()
    theirs.backward()
    assert ours.item() == theirs.item() == 50.0
    np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-7)


def test_logits_of_any_size_give_finite_losses() -> None:
    x = tc.tensor([-1e4, -1e2, 0.0, 1e2, 1e4], requires_grad=True)
    for target in (tc.zeros(5), tc.ones(5)):
        loss = nn.BCEWithLogitsLoss(reduction="sum")(x, target)
        (gradient,) = tc.autograd.grad(loss, x)
        assert abs(loss.item() - 10100.6931) < 0.01
        np.testing.assert_allclose(
            gradient.data.numpy(), np.array([0, 0, 0.5, 1, 1]) - target.data.numpy(), atol=1e-7
        )
    huge = tc.tensor([[1e4, -1e4]], requires_grad=True)
    assert nn.CrossEntropyLoss()(huge, tc.tensor([1])).item() == 2e4


def test_dice_loss_by_hand() -> None:
    p, t = tc.tensor([[[0.5, 1.0, 0.0, 0.5]]]), tc.tensor([[[1.0, 1.0, 0.0, 0.0]]])
    assert abs(nn.DiceLoss(smooth=1.0)(p, t).item() - (1 - (2 * 1.5 + 1) / (2 + 2 + 1))) < 1e-6
    empty = tc.zeros(1, 1, 4)
    assert nn.DiceLoss()(empty, empty).item() == 0.0
    each = nn.DiceLoss(reduction="none")(tc.cat([p, empty]), tc.cat([t, empty]))
    assert each.shape == (2, 1)


def test_dropout_drops_the_share_it_says_and_keeps_the_mean() -> None:
    layer = nn.Dropout(0.3)
    y = layer(tc.ones(200, 500)).numpy()
    assert abs((y == 0).mean() - 0.3) < 0.01
    np.testing.assert_allclose(np.unique(y), [0, 1 / 0.7], rtol=1e-6)
    assert (layer(tc.ones(200, 500)).numpy() != y).any(), "each call draws a new mask"
    tc.manual_seed(0)
    assert (nn.Dropout(0.3)(tc.ones(200, 500)).numpy() == y).all(), "the seed decides"


def test_dropout_masks_do_not_depend_on_memory_order_or_backend() -> None:
    x = np.ones((2, 16, 30, 30), np.float32)
    last = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    results = []
    for array, backend in ((x, "reference"), (x, "auto"), (last, "reference"), (last, "auto")):
        tc.manual_seed(11)
        with kernels(backend):
            results.append(nn.Dropout(0.5)(tc.tensor(array)).numpy())
    assert all((result == results[0]).all() for result in results)


WRONG: list[tuple[str, Callable[[], Any], type[TinyconvError], str]] = [
    ("Linear", lambda: nn.Linear(0, 1), ArgumentError, "in_features is 0"),
    ("Linear", lambda: nn.Linear(2, 1.5), ArgumentError, "out_features is 1.5"),
    ("Conv2d", lambda: nn.Conv2d(3, 4, 0), ArgumentError, "kernel_size is 0"),
    ("Conv2d", lambda: nn.Conv2d(3, 4, 3, groups=2), ArgumentError, "in_channels is 3.*groups = 2"),
    ("Conv2d", lambda: nn.Conv2d(4, 3, 3, groups=2), ArgumentError, "out_channels is 3.*groups = 2"),
    ("Conv2d", lambda: nn.Conv2d(3, 4, 3, stride=-1), ArgumentError, "stride is -1"),
    ("Conv2d", lambda: nn.Conv2d(3, 4, 3, padding=-1), ArgumentError, "padding is -1"),
    ("Conv2d", lambda: nn.Conv2d("3", 4, 3), ArgumentError, "in_channels is '3'"),
    ("ConvTranspose2d", lambda: nn.ConvTranspose2d(3, 4, 3, dilation=0), ArgumentError, "dilation is 0"),
    ("Dropout", lambda: nn.Dropout(1.5), ArgumentError, "p is 1.5"),
    ("Dropout", lambda: nn.Dropout("half"), ArgumentError, "p is 'half'"),
    ("conv2d", lambda: nn.Conv2d(3, 4, 3)(tc.ones(1, 2, 8, 8)), ShapeError, r"\(1, 2, 8, 8\).*3 channels"),
    ("linear", lambda: nn.Linear(3, 4)(tc.ones(2, 2)), ShapeError, r"\(2, 2\).*\(\.\.\., 3\)"),
]


@pytest.mark.parametrize(("where", "call", "error", "says"), WRONG)
def test_wrong_arguments(where: str, call: Callable[[], Any], error: type[TinyconvError], says: str) -> None:
    with pytest.raises(error, match=says) as caught:
        call()
    assert caught.value.where == where
