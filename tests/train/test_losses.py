from __future__ import annotations

import math

import numpy as np
import pytest

import tinyconv as tc
from tinyconv.errors import ArgumentError
from tinyconv.train import MixedLoss, bce_dice_loss, class_weights, warmup_cosine


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


def test_a_mixed_loss_is_the_weighted_sum_and_so_is_its_gradient():
    F = tc.nn.functional
    x, t = tc.tensor([0.5, 3.0], requires_grad=True), tc.tensor([1.0, 1.0])
    loss = MixedLoss(mse=(2.0, F.mse_loss), l1=F.l1_loss)
    value = loss(x, t)
    value.backward()
    assert value.item() == 2 * (0.25 + 4) / 2 + (0.5 + 2) / 2
    assert loss.values == {"mse": 2.125, "l1": 1.25}
    assert x.grad.tolist() == [2 * -0.5 - 0.5, 2 * 2 + 0.5]


@pytest.mark.parametrize("parts", [{}, {"a": 3}, {"a": (1.0, 2.0)}, {"a": (-1.0, abs)}, {"a": ("x", abs)}])
def test_parts_that_are_no_losses(parts):
    with pytest.raises(ArgumentError, match="MixedLoss"):
        MixedLoss(**parts)


def test_class_weights_as_scikit_learn_and_the_papers_have_them():
    sklearn = pytest.importorskip("sklearn.utils.class_weight")
    labels = np.random.default_rng(3).integers(0, 4, 60)
    counts = np.bincount(labels)
    balanced = sklearn.compute_class_weight("balanced", classes=np.arange(4), y=labels)
    np.testing.assert_allclose(class_weights(counts).data.numpy(), balanced, rtol=1e-6)
    assert class_weights([1, 2, 4], "median").tolist() == [2.0, 1.0, 0.5]
    by_hand = [1 / math.log(1.02 + 0.25), 1 / math.log(1.02 + 0.75)]
    np.testing.assert_allclose(class_weights([1, 3], "log").data.numpy(), by_hand, rtol=1e-6)
    assert class_weights([0, 3], "log").tolist() == pytest.approx([50.4983, 1.4223], abs=1e-3)


@pytest.mark.parametrize(
    ("counts", "method"),
    [([], "log"), ([0, 1], "balanced"), ([0, 0], "log"), ([-1, 2], "log"), ([0.5], "log"), ([1], "equal")],
)
def test_class_weights_of_what_makes_no_sense(counts, method):
    with pytest.raises(ArgumentError, match="class_weights"):
        class_weights(counts, method)
