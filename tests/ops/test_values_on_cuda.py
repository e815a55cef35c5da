"""Numbers on a GPU that a loss or a table cannot take: nobody waits to look for them, and they become NaN."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
import tinyconv.nn.functional as F
from tests.gpu import gpu
from tinyconv.errors import ArgumentError
from tinyconv.kernels.cuda.emulator import orders

RNG = np.random.default_rng(0)
SCORES, SHARES = RNG.standard_normal((4, 3)), RNG.uniform(0.1, 0.9, (2, 3, 4))
MASKS, PIXELS = RNG.integers(0, 2, (2, 3, 4)).astype(float), RNG.integers(0, 3, (2, 4))
LABELS, LISTS = np.array([2, 0, 1, 2]), np.array([[2, 0, -1], [1, -1, 5], [0, 1, 2], [-1, 0, 0]])
SIGNS = np.array([1, -1, -1, 1])
IMAGES = RNG.standard_normal((2, 3, 6, 5))
BOXES = np.array([[0, 0, 0, 3, 4], [1, 1, 2, 4, 3], [0, 1, 1, 2, 5]], float)
PLACES = np.array([[[0, 3], [9, 11], [16, 18]], [[5, 2], [8, 15], [20, 23]]])
DISTANCES = np.array([[0, 0.5, 1], [0.5, 0, 0.25], [1, 0.25, 0]])


@dataclass(frozen=True)
class Call:
    """``loss(*tensors)``, which refuses `wrong` at `place` of the tensor number `which`."""

    loss: Callable[..., tc.Tensor]
    tensors: tuple[np.ndarray, ...]
    which: int
    place: tuple[int, ...]
    wrong: tuple[float, ...]


def shares(loss: Callable[..., tc.Tensor], which: int) -> Call:
    return Call(loss, (SHARES, MASKS), which, (1, 2, 3), (1.5, -0.25, np.inf))


def pairs(loss: Callable[..., tc.Tensor], *scores: np.ndarray) -> Call:
    return Call(loss, (*scores, SIGNS), len(scores), (2,), (0, 2))


CALLS = {
    "dice_loss, prediction": shares(F.dice_loss, 0),
    "dice_loss, mask": shares(F.dice_loss, 1),
    "generalised_dice_loss, prediction": shares(F.generalised_dice_loss, 0),
    "generalised_dice_loss, mask": shares(F.generalised_dice_loss, 1),
    "tversky_loss, prediction": shares(F.tversky_loss, 0),
    "tversky_loss, mask": shares(F.tversky_loss, 1),
    "binary_cross_entropy, prediction": shares(F.binary_cross_entropy, 0),
    "binary_cross_entropy, mask": shares(F.binary_cross_entropy, 1),
    "binary_cross_entropy_with_logits": shares(F.binary_cross_entropy_with_logits, 1),
    "binary_focal_loss_with_logits": shares(F.binary_focal_loss_with_logits, 1),
    "wasserstein, prediction": Call(
        F.generalised_wasserstein_dice_loss, (SHARES, PIXELS, DISTANCES), 0, (0, 1, 2), (1.5, -0.5)
    ),
    "wasserstein, labels": Call(
        F.generalised_wasserstein_dice_loss, (SHARES, PIXELS, DISTANCES), 1, (1, 2), (3, -1)
    ),
    "wasserstein, distances": Call(
        F.generalised_wasserstein_dice_loss, (SHARES, np.full((2, 4), 1), DISTANCES), 2, (1, 1), (0.5,)
    ),
    "wasserstein, asymmetric": Call(
        F.generalised_wasserstein_dice_loss, (SHARES, np.full((2, 4), 1), DISTANCES), 2, (2, 1), (0.75,)
    ),
    "multi_margin_loss": Call(F.multi_margin_loss, (SCORES, LABELS), 1, (1,), (3, -1)),
    "multilabel_margin_loss": Call(F.multilabel_margin_loss, (SCORES, LISTS), 1, (2, 1), (3, -2)),
    "hinge_embedding_loss": pairs(F.hinge_embedding_loss, SCORES[:, 0]),
    "margin_ranking_loss": pairs(
        lambda a, b, t, **o: F.margin_ranking_loss(a, b, t, margin=9.0, **o), SCORES[:, 0], SCORES[:, 1]
    ),
    "cosine_embedding_loss": pairs(
        lambda a, b, t, **o: F.cosine_embedding_loss(a, b, t, margin=-1.0, **o), SCORES, SCORES[::-1]
    ),
    "gaussian_nll_loss": Call(F.gaussian_nll_loss, (SHARES, MASKS, SHARES + 1), 2, (0, 1, 2), (-1.0,)),
    "weight_map": Call(F.weighted_pixel_cross_entropy, (SHARES, PIXELS, SHARES[:, 0]), 2, (0, 2), (-0.5,)),
    "max_unpool2d": Call(
        lambda x, t, **o: F.max_unpool2d(x, t, 2), (SHARES[..., :2], PLACES), 1, (0, 1, 1), (24, -1)
    ),
    "roi_align": Call(lambda x, b, **o: F.roi_align(x, b, 2), (IMAGES, BOXES), 1, (1, 0), (2, -1, 0.5)),
    "roi_align, size": Call(
        lambda x, b, **o: F.roi_align(x, b, 2), (IMAGES, BOXES), 1, (1, 3), (np.nan, np.inf, 1e9)
    ),
    "embedding": Call(lambda table, t, **o: F.embedding(t, table), (SCORES, PIXELS), 1, (1, 2), (4, -1)),
}


@pytest.fixture(autouse=True)
def _cuda() -> Iterator[Any]:
    with gpu() as cupy:
        yield cupy


def run(device: str, call: Call, reduction: str, wrong: float | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The loss, and its gradient by the first tensor."""
    arrays = [array.copy() for array in call.tensors]
    if wrong is not None:
        arrays[call.which][call.place] = wrong
    first, *others = (tc.tensor(array).to(device) for array in arrays)
    first.requires_grad_()
    loss = call.loss(first, *others, reduction=reduction)
    (loss.sum() ** 2).backward()
    assert first.grad is not None
    return loss.detach().cpu().numpy(), first.grad.cpu().numpy()


@pytest.mark.parametrize("name", CALLS)
def test_losses_and_gradients_are_those_of_the_cpu(name: str) -> None:
    for reduction in ("mean", "sum", "none"):
        found, expected = (run(device, CALLS[name], reduction) for device in ("cuda", "cpu"))
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", CALLS)
def test_nobody_waits(name: str) -> None:
    call = CALLS[name]
    first, *others = (tc.tensor(array).to("cuda") for array in call.tensors)
    first.requires_grad_()
    with orders.written_down() as given:
        call.loss(first, *others).sum().backward()
    assert not [order for order in given if order.what in (orders.READ, orders.SYNCHRONIZE)]


def test_nobody_waits_for_places_that_are_right() -> None:
    x = tc.tensor(SCORES).to("cuda").requires_grad_()
    with orders.written_down() as given:
        parts = *tc.sort(x, 0), *tc.topk(x, 2), *tc.median(x, 1), *tc.kthvalue(x, 2, 0)
        sum(part.sum() for part in parts[::2]).backward()
    assert not [order for order in given if order.what in (orders.READ, orders.SYNCHRONIZE)]


@pytest.mark.parametrize("name", CALLS)
def test_what_is_wrong_is_nan_and_an_error_where_it_is_looked_for(name: str) -> None:
    call = CALLS[name]
    for wrong in call.wrong:
        for reduction in ("none", "mean"):
            loss, grad = run("cuda", call, reduction, wrong)
            assert np.isnan(loss).any() and np.isnan(grad).any()
        with tc.autograd.detect_anomaly(), pytest.raises(ArgumentError):
            run("cuda", call, "mean", wrong)
        with pytest.raises(ArgumentError):
            run("cpu", call, "mean", wrong)


@pytest.mark.parametrize("name", CALLS)
def test_what_is_wrong_shows_where_it_is(name: str) -> None:
    """Other images and rows keep their loss."""
    call = CALLS[name]
    if call.tensors[call.which] is DISTANCES:
        return
    right, _ = run("cpu", call, "none")
    for wrong in call.wrong:
        loss, _ = run("cuda", call, "none", wrong)
        assert np.isnan(loss[call.place[0]]).any()
        np.testing.assert_allclose(*(np.delete(each, call.place[0], 0) for each in (loss, right)), rtol=1e-12)
