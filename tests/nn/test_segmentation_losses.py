"""Losses of segmentation: numbers computed by hand, and what holds at the edges."""

from __future__ import annotations

import numpy as np
import pytest

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv import nn

P = tc.tensor([[[0.9, 0.8, 0.4, 0.2], [0.1, 0.2, 0.6, 0.8]]], dtype="float64")
T = tc.tensor([[[1.0, 1.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]]], dtype="float64")
"""One image of four pixels, two classes; the third pixel is taken for the other class."""


def test_generalised_dice_by_hand() -> None:
    # Volumes 3 and 1, so weights 1/9 and 1; overlaps 2.1 and 0.8; sums 2.3 + 3 and 1.7 + 1.
    expected = 1 - 2 * (2.1 / 9 + 0.8) / (5.3 / 9 + 2.7)
    assert nn.GeneralisedDiceLoss()(P, T).item() == pytest.approx(expected, rel=1e-12)


def test_generalised_dice_of_an_absent_class() -> None:
    absent = tc.tensor([[[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]]], dtype="float64")
    # The class that is there weighs 1/16, the absent one as much.
    expected = 1 - 2 * 2.3 / (2.3 + 4 + 1.7)
    assert F.generalised_dice_loss(P, absent).item() == pytest.approx(expected, rel=1e-12)
    assert F.generalised_dice_loss(absent, absent).item() == 0
    nothing = tc.zeros(2, 3, 4, 4, requires_grad=True)
    loss = F.generalised_dice_loss(nothing, tc.zeros(2, 3, 4, 4), "none")
    assert loss.tolist() == [0, 0]
    loss.sum().backward()
    assert nothing.grad is not None
    assert np.isfinite(nothing.grad.numpy()).all()


def test_a_small_class_weighs_as_much_as_a_large_one() -> None:
    target = tc.zeros(1, 2, 64, 64)
    target[0, 0], target[0, 1, 0, 0], target[0, 0, 0, 0] = 1.0, 1.0, 0.0
    missed = tc.zeros(1, 2, 64, 64)
    missed[0, 0] = 1.0
    assert F.generalised_dice_loss(missed, target).item() > 0.9
    assert F.dice_loss(missed, target, smooth=0.0, reduction="none")[0, 0].item() < 0.001


def test_tversky_by_hand() -> None:
    # First class: TP 2.1, FP 0.2, FN 0.9; second: TP 0.8, FP 0.9, FN 0.2.
    each = nn.TverskyLoss(alpha=0.3, beta=0.7, smooth=0.0, reduction="none")(P, T)
    expected = [1 - 2.1 / (2.1 + 0.06 + 0.63), 1 - 0.8 / (0.8 + 0.27 + 0.14)]
    np.testing.assert_allclose(each.numpy(), [expected], rtol=1e-12)


def test_tversky_of_one_half_is_dice() -> None:
    half = F.tversky_loss(P, T, 0.5, 0.5, smooth=0.5, reduction="none")
    np.testing.assert_allclose(half.numpy(), F.dice_loss(P, T, 1.0, "none").numpy(), rtol=1e-12)
    empty = tc.zeros(1, 2, 4)
    assert F.tversky_loss(empty, empty, smooth=0.0).item() == 0


def test_generalised_wasserstein_dice_by_hand() -> None:
    # Background 0; confusing 1 with 2 costs half. Pixels: background, class 1, class 2.
    table = tc.tensor([[0.0, 1.0, 1.0], [1.0, 0.0, 0.5], [1.0, 0.5, 0.0]], dtype="float64")
    p = tc.tensor([[[0.7, 0.1, 0.2], [0.2, 0.6, 0.6], [0.1, 0.3, 0.2]]], dtype="float64")
    target = tc.tensor([[0, 1, 2]])
    # W = 0.3; 0.1 + 0.15; 0.2 + 0.3.
    right, wrong = (1 - 0.25) + (1 - 0.5), 0.3 + 0.25 + 0.5
    loss = nn.GeneralisedWassersteinDiceLoss(table, smooth=0.0)(p, target)
    assert loss.item() == pytest.approx(1 - 2 * right / (2 * right + wrong), rel=1e-12)


def test_wasserstein_dice_of_two_classes_is_the_dice_of_the_foreground() -> None:
    table = tc.tensor([[0.0, 1.0], [1.0, 0.0]], dtype="float64")
    labels = tc.tensor([[0, 0, 0, 1]])
    loss = F.generalised_wasserstein_dice_loss(P, labels, table, smooth=1.0)
    assert loss.item() == pytest.approx(F.dice_loss(P[:, 1:], T[:, 1:], 1.0).item(), rel=1e-12)


def test_binary_focal_loss_by_hand() -> None:
    p = np.array([0.9, 0.9, 0.2])
    logits, target = tc.tensor(np.log(p / (1 - p))), tc.tensor(np.array([1.0, 0.0, 1.0]))
    expected = [
        -0.25 * 0.1**2 * np.log(0.9),
        -0.75 * 0.9**2 * np.log(0.1),
        -0.25 * 0.8**2 * np.log(0.2),
    ]
    each = nn.BinaryFocalWithLogitsLoss(reduction="none")(logits, target)
    np.testing.assert_allclose(each.numpy(), expected, rtol=1e-12)
    mean = nn.BinaryFocalWithLogitsLoss()(logits, target)
    assert mean.item() == pytest.approx(np.mean(expected), rel=1e-12)


def test_focal_loss_by_hand() -> None:
    logits = tc.tensor(np.log([[0.7, 0.2, 0.1], [0.5, 0.25, 0.25], [0.3, 0.3, 0.4]]))
    target, weight = tc.tensor([0, 2, 1]), tc.tensor(np.array([1.0, 5.0, 3.0]))
    expected = [-(0.3**2) * np.log(0.7), -3 * 0.75**2 * np.log(0.25)]
    loss = nn.FocalLoss(weight, gamma=2.0, ignore_index=1)(logits, target)
    assert loss.item() == pytest.approx(sum(expected) / 2, rel=1e-12)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_losses_of_logits_of_any_size_are_finite(gamma: float) -> None:
    x = tc.tensor([[1e4, 0.0, -1e4], [-1e4, 1e4, 0.0]], requires_grad=True)
    total = F.focal_loss(x, tc.tensor([0, 2]), gamma=gamma, reduction="sum")
    total = total + F.binary_focal_loss_with_logits(x, (x > 0).float(), gamma=gamma, reduction="sum")
    (gradient,) = tc.autograd.grad(total, x)
    assert np.isfinite(total.item())
    assert np.isfinite(gradient.numpy()).all()


def test_small_focal_losses_keep_their_digits() -> None:
    logits = tc.tensor([[12.0, -8.0]])
    exact = F.focal_loss(logits.double(), tc.tensor([0])).item()
    assert F.focal_loss(logits, tc.tensor([0])).item() == pytest.approx(exact, rel=1e-5)
    assert 0 < exact < 1e-20


def test_weighted_pixel_cross_entropy_by_hand() -> None:
    logits = tc.tensor(np.log([[[0.9, 0.5, 0.2], [0.1, 0.5, 0.8]]]))
    target, weight_map = tc.tensor([[0, 1, 0]]), tc.tensor(np.array([[1.0, 2.0, 11.0]]))
    expected = -np.log(0.9) - 2 * np.log(0.5) - 11 * np.log(0.2)
    loss = nn.WeightedPixelCrossEntropyLoss(reduction="sum")(logits, target, weight_map)
    assert loss.item() == pytest.approx(expected, rel=1e-12)
    each = F.weighted_pixel_cross_entropy(logits, target, weight_map, ignore_index=0, reduction="none")
    np.testing.assert_allclose(each.numpy(), [[0, -2 * np.log(0.5), 0]], rtol=1e-12)


def test_a_mean_over_no_pixel_is_nan() -> None:
    logits, ignored = tc.zeros(1, 2, 3), tc.ones(1, 3, dtype="int64") * -100
    assert np.isnan(F.focal_loss(logits, ignored).item())
    assert np.isnan(F.weighted_pixel_cross_entropy(logits, ignored, tc.ones(1, 3)).item())
    assert F.focal_loss(logits, ignored, reduction="sum").item() == 0
