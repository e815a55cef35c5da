from __future__ import annotations

import math

import numpy as np
import pytest

import tinyconv as tc
from tinyconv.train import bce_dice_loss, warmup_cosine


def test_the_loss_is_the_sum_of_its_two_halves():
    p, t = [0.9, 0.2, 0.6, 0.1], [1.0, 0.0, 1.0, 1.0]
    entropy = -sum(math.log(a if b else 1 - a) for a, b in zip(p, t, strict=True)) / 4
    overlap = 2 * (0.9 + 0.6 + 0.1)
    expected = entropy + 1 - (overlap + 1) / (sum(p) + sum(t) + 1)
    with tc.default_dtype(tc.float64):
        loss = bce_dice_loss(tc.tensor([[[p[:2], p[2:]]]]), tc.tensor([[[t[:2], t[2:]]]]))
    assert loss.item() == pytest.approx(expected, rel=1e-12)


def test_the_learning_rate_rises_then_falls():
    factors = [warmup_cosine(progress) for progress in np.linspace(0, 1, 201)]
    top = int(np.argmax(factors))
    assert factors[top] == 1.0 and top == 10
    assert (np.diff(factors[: top + 1]) > 0).all() and (np.diff(factors[top:]) < 0).all()
    assert warmup_cosine(2.0) == factors[-1] == pytest.approx(0.01)
