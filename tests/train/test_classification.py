"""Training a classifier: shifts, accuracy, and LeNet-5 on a few hundred drawn digits."""

from __future__ import annotations

import numpy as np
import pytest

import tinyconv as tc
from tinyconv import models, nn
from tinyconv.errors import ArgumentError
from tinyconv.train import Callback, accuracy, train_classifier
from tinyconv.train.classification import Shifted

SEGMENTS = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg")
"""The digits of a pocket calculator: a above, then clockwise b to f, g in the middle."""
PLACES = {
    **{
        "a": (slice(0, 3), slice(0, 12)),
        "b": (slice(0, 11), slice(9, 12)),
        "c": (slice(9, 20), slice(9, 12)),
    },
    **{
        "d": (slice(17, 20), slice(0, 12)),
        "e": (slice(9, 20), slice(0, 3)),
        "f": (slice(0, 11), slice(0, 3)),
    },
    "g": (slice(9, 12), slice(0, 12)),
}


def digits(count: int, seed: int) -> list[tuple[np.ndarray, int]]:
    """Digits of a calculator on 28x28 pixels, at random places, in noise."""
    random, items = np.random.default_rng(seed), []
    for i in range(count):
        image = random.normal(0, 0.3, (1, 28, 28)).astype(np.float32)
        top, left = random.integers(2, 7), random.integers(6, 11)
        for segment in SEGMENTS[i % 10]:
            image[0, top : top + 20, left : left + 12][PLACES[segment]] = 1
        items.append((image, i % 10))
    return items


class Notes(Callback):
    """The accuracies of a run."""

    def __init__(self) -> None:
        self.accuracies: list[float] = []

    def on_validation(self, trainer, scores) -> None:
        self.accuracies.append(scores["held_out_accuracy"])


def test_lenet5_learns_digits_that_it_has_not_seen() -> None:
    model, held_out, notes = models.create("lenet5"), digits(200, seed=1), Notes()
    assert accuracy(model, held_out) < 0.5
    reached = train_classifier(
        model, digits(600, seed=0), held_out, epochs=8, batch_size=20, lr=4e-3, callbacks=[notes]
    )
    assert reached >= 0.95
    assert notes.accuracies[-1] == reached == accuracy(model, held_out) and len(notes.accuracies) == 8


def test_accuracy_by_hand() -> None:
    model = nn.Sequential(nn.Flatten(), nn.PReLU())
    items = [
        (np.eye(4, dtype=np.float32)[i].reshape(1, 2, 2), label)
        for i, label in enumerate((0, 1, 3, 3, 3)[:4])
    ]
    assert accuracy(model, items) == accuracy(model, items, batch_size=3) == 0.75
    assert model.training and not model.eval().training and accuracy(model, items) and not model.training
    with pytest.raises(ArgumentError, match="accuracy: dataset is empty"):
        accuracy(model, [])


def test_the_same_seed_trains_alike() -> None:
    items, results = digits(80, seed=2), []
    for seed in (0, 0, 1):
        tc.manual_seed(0)
        model = models.create("lenet5")
        train_classifier(model, items, items[:10], epochs=2, batch_size=16, shift=2, seed=seed)
        results.append(model.fc3.weight.data.numpy().copy())
    assert (results[0] == results[1]).all() and (results[0] != results[2]).any()


def test_shifts_move_whole_pixels() -> None:
    image = np.arange(1.0, 13).reshape(1, 3, 4)
    padded = np.pad(image, ((0, 0), (1, 1), (1, 1)))
    possible = {padded[:, y : y + 3, x : x + 4].tobytes() for y in range(3) for x in range(3)}
    shifted = Shifted([(image, 5)] * 20, most=1)
    seen = {
        item[0].tobytes()
        for epoch in range(10)
        for item in map(shifted.at_epoch(epoch).__getitem__, range(20))
    }
    assert seen == possible
    assert (Shifted([(image, 5)], most=0)[0][0] == image).all() and shifted[0][1] == 5
    for most in (-1, 1.5):
        with pytest.raises(ArgumentError, match="Shifted: most is"):
            Shifted([(image, 5)], most=most)
