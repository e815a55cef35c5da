"""Training a classifier: cross-entropy, small shifts of the images, accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyconv import optim
from tinyconv.data import DataLoader
from tinyconv.data.dataset import Dataset, at_epoch, check_index
from tinyconv.data.seeding import AUGMENTATION, check_seed, generator
from tinyconv.device import CPU
from tinyconv.errors import ArgumentError
from tinyconv.grad_mode import no_grad
from tinyconv.nn import Module
from tinyconv.nn import functional as F
from tinyconv.ops._checks import is_int
from tinyconv.train.callback import Callback
from tinyconv.train.placing import batches_for, device_of_model
from tinyconv.train.schedules import warmup_cosine
from tinyconv.train.trainer import Trainer

Array = Any


class Shifted(Dataset):
    """Images moved by a few pixels, at random; zeros come in from the side.

    Sample i of epoch e is a pure function of (seed, e, i).

    Parameters
    ----------
    dataset : Dataset
        Items are (image (C, H, W), label).
    most : int
        The furthest, in each direction.
    seed : int

    Examples
    --------
    >>> image, label = Shifted([(np.eye(3)[None], 7)], most=1).at_epoch(3)[0]
    >>> image.shape, label
    ((1, 3, 3), 7)
    """

    def __init__(self, dataset: Any, most: int = 2, seed: int = 0, epoch: int = 0) -> None:
        if not is_int(most, 0):
            raise ArgumentError("Shifted", "most", repr(most), "an int >= 0")
        self.dataset, self.most = dataset, most
        self.seed = check_seed("Shifted", seed)
        random = generator(seed, AUGMENTATION, epoch)
        self.places = random.integers(0, 2 * most + 1, (len(dataset), 2)).tolist()

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> tuple[Array, Any]:
        index = check_index(self, index)
        image, label = self.dataset[index]
        down, right = self.places[index]
        channels, height, width = image.shape
        padded = np.zeros((channels, height + 2 * self.most, width + 2 * self.most), image.dtype)
        padded[:, self.most : self.most + height, self.most : self.most + width] = image
        return padded[:, down : down + height, right : right + width], label

    def at_epoch(self, epoch: int) -> Shifted:
        """The same images, shifted as `epoch` shifts them."""
        return Shifted(at_epoch(self.dataset, epoch), self.most, self.seed, epoch)


def accuracy(model: Module, dataset: Any, batch_size: int = 500) -> float:
    """The share of (image, label) items whose label has the highest score; in evaluation mode.

    The model is left as it was.
    """
    if len(dataset) == 0:
        raise ArgumentError("accuracy", "dataset", "empty", "at least one item")
    was_training = model.training
    model.eval()
    try:
        with no_grad():
            batches = batches_for(model, dataset, batch_size)
            right = sum((model(x).argmax(1) == labels).sum() for x, labels in batches)
    finally:
        model.train(was_training)
    return int(right) / len(dataset)


def train_classifier(
    model: Module,
    training: Any,
    held_out: Any,
    *,
    epochs: int = 10,
    batch_size: int = 64,
    lr: float = 2e-3,
    shift: int = 0,
    seed: int = 0,
    callbacks: Sequence[Callback] = (),
) -> float:
    """Train with Adam and cross-entropy; the learning rate warms up and falls along a cosine.

    Parameters
    ----------
    model : Module
        Returns scores (N, classes).
    training, held_out : Dataset
        Items are (image (C, H, W), label).
    epochs, batch_size, lr
    shift : int
        Each image is moved by up to so many pixels in each direction.
    seed : int
        Of the order and the shifts.
    callbacks : sequence of Callback
        Told of each step, and of the held-out accuracy after each epoch, ``{"held_out_accuracy": …}``.

    Returns
    -------
    float
        The held-out accuracy at the end.
    """
    scores: dict[str, float] = {}

    def validate() -> dict[str, float]:
        scores["held_out_accuracy"] = accuracy(model, held_out)
        return dict(scores)

    Trainer(
        model,
        optim.Adam(model.parameters(), lr=lr),
        F.cross_entropy,
        DataLoader(
            Shifted(training, shift, seed) if shift else training,
            batch_size,
            shuffle=True,
            seed=seed,
            pin_memory=device_of_model(model) != CPU,
        ),
        epochs,
        schedule=warmup_cosine,
        validate=validate,
        callbacks=callbacks,
    ).fit()
    return scores["held_out_accuracy"]
