"""Lesson 17: with 1 % foreground plain cross-entropy predicts background; the other losses do not.

The smallest network that can show it: one probability for the spots and one for the ground. Of three
spots one is a lesion, and nothing tells which, so that cross-entropy is best with 1/3 in all of them.
"""

from __future__ import annotations

import numpy as np
import pytest

import tinyconv as tc
import tinyconv.nn.functional as F

TARGET = np.zeros((1, 20, 20), np.int64)
TARGET[0, 3, 3:7] = 1  # 4 of 400 pixels
SPOTS = np.zeros((20, 20), np.float32)
SPOTS[3, 3:7] = SPOTS[9, 3:7] = SPOTS[15, 3:7] = 1
WEIGHT = np.array([0.5 / 0.99, 0.5 / 0.01], np.float32)
DISTANCES = np.array([[0, 1], [1, 0]], np.float32)


def shares(scores):
    return F.softmax(scores, 1)


def masks(target):
    return F.one_hot(target, 2).permute(0, 3, 1, 2).float()


LOSSES = {
    "cross-entropy": lambda s, t: F.cross_entropy(s, t),
    "focal without weights": lambda s, t: F.focal_loss(s, t, gamma=2.0),
    "weighted": lambda s, t: F.cross_entropy(s, t, weight=tc.tensor(WEIGHT)),
    "weighted per pixel": lambda s, t: F.weighted_pixel_cross_entropy(s, t, tc.tensor(WEIGHT)[t]),
    "focal, weighted": lambda s, t: F.focal_loss(s, t, weight=tc.tensor(WEIGHT), gamma=2.0),
    "Dice": lambda s, t: F.dice_loss(shares(s)[:, 1:], masks(t)[:, 1:]),
    "generalised Dice": lambda s, t: F.generalised_dice_loss(shares(s), masks(t)),
    "Wasserstein Dice": lambda s, t: F.generalised_wasserstein_dice_loss(shares(s), t, tc.tensor(DISTANCES)),
}


def best_probabilities(loss_of):
    """Of lesion in the spots and on the ground, where the loss is least."""
    logits = tc.zeros(2, requires_grad=True)
    spots, target = tc.tensor(SPOTS), tc.tensor(TARGET)
    optimizer = tc.optim.Adam([logits], lr=0.1)
    for _ in range(250):
        lesion = logits[0] * spots + logits[1] * (1 - spots)
        scores = tc.stack([-lesion, lesion])[None]
        loss = loss_of(scores, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return 1 / (1 + np.exp(-2 * logits.detach().numpy()))


@pytest.mark.parametrize("name", LOSSES)
def test_what_each_loss_says_of_a_spot_that_is_a_lesion_in_one_of_three_cases(name):
    spot, ground = best_probabilities(LOSSES[name])
    assert ground < 0.1
    if name == "cross-entropy":
        assert spot == pytest.approx(1 / 3, abs=0.02)
    elif name == "focal without weights":
        assert 1 / 3 < spot < 0.5
    else:
        assert spot > 0.8
