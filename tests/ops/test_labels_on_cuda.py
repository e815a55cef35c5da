"""Labels on a GPU: nobody waits to look at them, and what is no class shows in the result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
import tinyconv.nn.functional as F
from tests.gpu import gpu
from tinyconv.errors import ArgumentError
from tinyconv.kernels.cuda.emulator import orders

WEIGHT = np.array([0.5, 2.0, 1.0])
LOSSES: dict[str, Callable[..., tc.Tensor]] = {
    "cross_entropy": F.cross_entropy,
    "weighted": lambda x, t, **o: F.cross_entropy(x, t, tc.tensor(WEIGHT, dtype=x.dtype).to(x.device), **o),
    "smoothed": lambda x, t, **o: F.cross_entropy(x, t, label_smoothing=0.2, **o),
    "both": lambda x, t, **o: F.cross_entropy(
        x, t, tc.tensor(WEIGHT, dtype=x.dtype).to(x.device), label_smoothing=0.2, **o
    ),
    "nll_loss": F.nll_loss,
    "focal_loss": F.focal_loss,
    "weighted focal_loss": lambda x, t, **o: F.focal_loss(x, t, tc.tensor(WEIGHT).to(x.device), **o),
    "pixels": lambda x, t, **o: F.weighted_pixel_cross_entropy(*as_pixels(x, t), **o).reshape(-1),
    "weighted nll_loss": lambda x, t, **o: F.nll_loss(x, t, tc.tensor(WEIGHT).to(x.device), **o),
}
SCORES = np.random.default_rng(0).standard_normal((6, 3))


def as_pixels(x: tc.Tensor, t: tc.Tensor) -> tuple[tc.Tensor, tc.Tensor, tc.Tensor]:
    """Scores (N, C) and labels (N,) as an image of one row, each pixel with another weight."""
    weights = tc.tensor(np.arange(float(len(x)))[None, None] + 0.5).to(x.device)
    return x.T.reshape(1, x.shape[1], 1, -1), t.reshape(1, 1, -1), weights


@pytest.fixture(autouse=True)
def _cuda() -> Iterator[Any]:
    with gpu() as cupy:
        yield cupy


def run(device: str, kind: str, labels: list[int], **options: Any) -> tuple[np.ndarray, np.ndarray]:
    x = tc.tensor(SCORES).to(device).requires_grad_()
    loss = LOSSES[kind](x, tc.tensor(labels).to(device), **options)
    (loss.sum() ** 2).backward()
    assert x.grad is not None
    return loss.detach().cpu().numpy(), x.grad.cpu().numpy()


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("kind", LOSSES)
def test_losses_and_gradients_are_those_of_the_cpu(kind: str, reduction: str) -> None:
    for labels in ([2, 0, 1, 1, 0, 2], [2, -1, 1, -1, 0, 2]):
        options = {"reduction": reduction, "ignore_index": -1}
        found, expected = run("cuda", kind, labels, **options), run("cpu", kind, labels, **options)
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("kind", LOSSES)
def test_nobody_waits_for_the_labels(kind: str) -> None:
    x, target = tc.tensor(SCORES).to("cuda").requires_grad_(), tc.tensor([2, -1, 1, 1, 0, 2]).to("cuda")
    with orders.written_down() as given:
        LOSSES[kind](x, target, ignore_index=-1).backward()
        F.one_hot(target, 3)
    assert not [order for order in given if order.what in (orders.READ, orders.SYNCHRONIZE)]


@pytest.mark.parametrize("kind", LOSSES)
@pytest.mark.parametrize("wrong", [3, -1])
def test_what_is_no_class_is_nan(kind: str, wrong: int) -> None:
    loss, grad = run("cuda", kind, [0, wrong, 1, 2, 0, 1], reduction="none")
    assert np.isnan(loss).tolist() == [False, True, False, False, False, False] and np.isnan(grad).any()
    loss, grad = run("cuda", kind, [0, wrong, 1, 2, 0, 1])
    assert np.isnan(loss) and np.isnan(grad).any()
    with tc.autograd.detect_anomaly(), pytest.raises(ArgumentError, match="from 0 to 2"):
        run("cuda", kind, [0, wrong, 1, 2, 0, 1])


def test_the_vector_of_what_is_no_class_is_filled_with_what_nan_is_as_int64() -> None:
    labels = tc.tensor([[1, 3], [-1, 0]], dtype="int64")
    nan = [-(2**63)] * 3
    assert F.one_hot(labels.to("cuda"), 3).tolist() == [[[0, 1, 0], nan], [nan, [1, 0, 0]]]
    small = tc.tensor([0, 2, 255], dtype="uint8").to("cuda")
    assert F.one_hot(small, 2).tolist() == [[1, 0], nan[:2], nan[:2]]
    with tc.autograd.detect_anomaly(), pytest.raises(ArgumentError, match="from 0 to 2"):
        F.one_hot(labels.to("cuda"), 3)
