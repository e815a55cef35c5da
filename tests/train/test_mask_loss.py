from __future__ import annotations

import numpy as np
import pytest

import tinyconv as tc
from tests.train import losses_by_hand
from tinyconv.data import SyntheticNuclei
from tinyconv.train.mask_loss import LOSSES, MaskLoss
from tinyconv.train.mask_weights import WithBorders, find_weights

torch = pytest.importorskip("torch")
RNG = np.random.default_rng(3)
SCORES = RNG.normal(size=(2, 3, 4, 5)).astype(np.float32)
MASKS = (RNG.random((2, 3, 4, 5)) < 0.4).astype(np.float32)
LABELS = RNG.integers(0, 3, (2, 1, 4, 5)).astype(np.float32)
WEIGHTS = [1.0, 2.0, 5.0]


def dice_loss(probability, masks, weights=None):
    """1 - (2 sum p t + 1) / (sum p + sum t + 1) of each image and channel, in float64."""
    p, t = probability.reshape(2, 3, -1), masks.reshape(2, 3, -1)
    losses = 1 - (2 * (p * t).sum(2) + 1) / (p.sum(2) + t.sum(2) + 1)
    return np.average(losses, axis=1, weights=weights).mean()


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_classes(weights):
    scores = torch.tensor(SCORES).double()
    labels = torch.tensor(LABELS[:, 0]).long()
    weight = None if weights is None else torch.tensor(weights).double()
    entropy = torch.nn.functional.cross_entropy(scores, labels, weight).item()
    masks = np.eye(3)[labels.numpy()].transpose(0, 3, 1, 2)
    overlap = dice_loss(scores.softmax(1).numpy(), masks, weights)
    for kind, expected in (("ce", entropy), ("dice", overlap), ("ce+dice", entropy + overlap)):
        loss = MaskLoss(kind, exclusive=True, weights=weights)
        assert loss(tc.tensor(SCORES), tc.tensor(LABELS)).item() == pytest.approx(expected, rel=1e-5)
    found = SCORES.argmax(1)
    dice = [
        2 * ((found == k) & (LABELS[:, 0] == k)).sum() / ((found == k).sum() + (LABELS[:, 0] == k).sum())
        for k in (1, 2)
    ]
    assert loss.dice == pytest.approx(np.mean(dice))


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("scores", [True, False])
def test_masks(weights, scores):
    p = 1 / (1 + np.exp(-SCORES.astype(np.float64)))
    pixels = 1.0 if weights is None else 1 + (np.array(weights) - 1).reshape(3, 1, 1) * MASKS
    entropy = -(pixels * np.where(MASKS > 0, np.log(p), np.log(1 - p))).mean()
    overlap = dice_loss(p, MASKS, weights)
    given = tc.tensor(SCORES if scores else p.astype(np.float32))
    for kind, expected in (("bce", entropy), ("dice", overlap), ("bce+dice", entropy + overlap)):
        loss = MaskLoss(kind, exclusive=False, scores=scores, weights=weights)
        assert loss(given, tc.tensor(MASKS)).item() == pytest.approx(expected, rel=1e-5)
    assert loss.dice == pytest.approx(2 * (MASKS[p >= 0.5]).sum() / ((p >= 0.5).sum() + MASKS.sum()))


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_focal_losses(weights):
    found = MaskLoss("focal", exclusive=False, weights=weights)(tc.tensor(SCORES), tc.tensor(MASKS)).item()
    inside = 1.0 if weights is None else weights
    assert found == pytest.approx(losses_by_hand.of_masks("focal", SCORES, MASKS, inside), rel=1e-5)
    found = MaskLoss("focal", exclusive=True, weights=weights)(tc.tensor(SCORES), tc.tensor(LABELS)).item()
    labels = LABELS[:, 0].astype(int)
    assert found == pytest.approx(losses_by_hand.of_classes("focal", SCORES, labels, weights), rel=1e-5)


def test_generalised_dice():
    found = MaskLoss("generalised-dice", exclusive=True)(tc.tensor(SCORES), tc.tensor(LABELS)).item()
    expected = losses_by_hand.of_classes("generalised-dice", SCORES, LABELS[:, 0].astype(int))
    assert found == pytest.approx(expected, rel=1e-5)


def test_borders_next_to_weights():
    pixels = RNG.random((2, 1, 4, 5)).astype(np.float32) * 10
    target = tc.tensor(np.concatenate([MASKS[:, :1], pixels], axis=1))
    found = MaskLoss("bce", exclusive=False, weights=[3.0], border=True)(tc.tensor(SCORES[:, :1]), target)
    expected = losses_by_hand.of_masks("bce", SCORES[:, :1], MASKS[:, :1], 3.0, pixels)
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_borders_weigh_pixels():
    pixels = RNG.random((2, 1, 4, 5)).astype(np.float32) * 10
    mask = MASKS[:, :1]
    p = 1 / (1 + np.exp(-SCORES[:, :1].astype(np.float64)))
    expected = -(pixels * np.where(mask > 0, np.log(p), np.log(1 - p))).mean()
    target = tc.tensor(np.concatenate([mask, pixels], axis=1))
    loss = MaskLoss("bce", exclusive=False, border=True)
    assert loss(tc.tensor(SCORES[:, :1]), target).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("exclusive", "kind"), [(e, kind) for e, kinds in LOSSES.items() for kind in kinds])
def test_all_are_lower_where_the_answer_is_right(exclusive, kind):
    loss = MaskLoss(kind, exclusive)
    target = LABELS if exclusive else MASKS
    masks = (
        np.eye(3, dtype=np.float32)[LABELS[:, 0].astype(int)].transpose(0, 3, 1, 2) if exclusive else MASKS
    )
    right = loss(tc.tensor(12 * masks - 6), tc.tensor(target)).item()
    assert loss.dice == 1 and right < 0.1
    wrong = tc.tensor(SCORES, requires_grad=True)
    value = loss(wrong, tc.tensor(target))
    value.backward()
    assert value.item() > right and np.abs(wrong.grad.data.numpy()).max() > 0


def test_weights_by_counting():
    labels = np.array([[[0, 0, 0, 0, 0, 0, 1, 2]]])
    found = find_weights([(labels, labels)], ["a", "b", "c"], exclusive=True)
    np.testing.assert_allclose(found, 1 / np.log(1.02 + np.array([6, 1, 1]) / 8), rtol=1e-6)
    masks = np.array([[[1, 0, 0, 0]], [[0, 0, 0, 0]]], np.float32)
    assert find_weights([(masks, masks)], ["a", "b"], exclusive=False) == [3.0, 4.0]


def test_the_gap_between_two_cells_weighs_most():
    mask = np.zeros((1, 9, 20), np.float32)
    mask[0, 2:7, 2:8] = mask[0, 2:7, 10:16] = 1
    image, target = WithBorders([(mask, mask)], w0=10.0)[0]
    assert target.shape == (2, 9, 20) and (target[0] == mask[0]).all()
    assert target[1, 4, 8] > 5 and (target[1][mask[0] == 1] == 1).all() and target[1, 0, 19] < 2


def test_borders_know_the_epoch():
    class Drawn(SyntheticNuclei):
        def at_epoch(self, epoch):
            return SyntheticNuclei(2, 48, seed=epoch)

    data = WithBorders(Drawn(2, 48), w0=10.0)
    for epoch in (3, 4):
        image, target = data.at_epoch(epoch)[1]
        expected, weighed = WithBorders(SyntheticNuclei(2, 48, seed=epoch), w0=10.0)[1]
        np.testing.assert_array_equal(image, expected)
        np.testing.assert_array_equal(target, weighed)
    fixed = WithBorders(SyntheticNuclei(2, 48), w0=10.0)
    assert fixed.at_epoch(3) is fixed
