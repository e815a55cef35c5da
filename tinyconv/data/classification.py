"""Images with labels, made ready for a network that names what it sees."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyconv.data.dataset import Dataset, check_index, item_name
from tinyconv.data.dataset import at_epoch as dataset_at_epoch
from tinyconv.data.seeding import AUGMENTATION, check_seed, generator
from tinyconv.data.segmentation import with_channels
from tinyconv.data.transforms import resize_image
from tinyconv.errors import ArgumentError

Array = Any


class ClassificationData(Dataset):
    """Images of one size and known mean, shifted and mirrored at random where asked for.

    Sample i of epoch e is a pure function of (seed, e, i).

    Parameters
    ----------
    dataset : Dataset
        Items are (image (C, H, W) from 0 to 1, label).
    shape : (int, int, int)
        Channels, height and width of the samples: images of other sizes are resized.
    mean, std : sequence of float
        For each channel: the mean is subtracted, and what remains divided by `std`.
    shift : int
        Each image is moved by up to so many pixels in each direction; black comes in.
    flip : bool
        Whether half of the images are mirrored left to right.
    seed : int

    Examples
    --------
    >>> data = ClassificationData([(np.ones((1, 8, 8)), 3)], (3, 4, 4), mean=[0.5] * 3, std=[0.25] * 3)
    >>> image, label = data[0]
    >>> image.shape, image.max().item(), label
    ((3, 4, 4), 2.0, 3)
    """

    def __init__(
        self,
        dataset: Any,
        shape: Sequence[int],
        mean: Sequence[float] = (0.0,),
        std: Sequence[float] = (1.0,),
        shift: int = 0,
        flip: bool = False,
        seed: int = 0,
    ) -> None:
        channels, height, width = shape
        self.dataset, self.shape, self.size = dataset, (channels, height, width), (height, width)
        self.mean, self.std = (np.array(v, np.float32).reshape(-1, 1, 1) for v in (mean, std))
        if not (self.std > 0).all():
            raise ArgumentError("ClassificationData", "std", std, "numbers above 0")
        if isinstance(shift, bool) or not 0 <= shift < min(self.size):
            raise ArgumentError("ClassificationData", "shift", shift, f"0 to {min(self.size) - 1}")
        self.shift, self.flip = shift, flip
        self.seed = check_seed("ClassificationData", seed)
        self._draw(0)

    def _draw(self, epoch: int) -> None:
        """The places and mirrorings of all items in this epoch."""
        rng = generator(self.seed, AUGMENTATION, epoch)
        self.places = rng.integers(-self.shift, self.shift + 1, (len(self.dataset), 2)).tolist()
        self.mirrored = (rng.random(len(self.dataset)) < (0.5 if self.flip else 0)).tolist()

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> tuple[Array, int]:
        index = check_index(self, index)
        image, label = self.dataset[index]
        if image.shape != self.shape:
            image = resize_image(with_channels(image, self.shape[0]), self.size)
        if self.shift:
            image = _moved(image, *self.places[index])
        if self.mirrored[index]:
            image = image[:, :, ::-1]
        return (image.astype(np.float32, copy=False) - self.mean) / self.std, label

    def name(self, index: int) -> str:
        """The name that the dataset gives this item."""
        return item_name(self.dataset, index)

    def at_epoch(self, epoch: int) -> ClassificationData:
        """The same images, shifted and mirrored as `epoch` does."""
        drawn = copy.copy(self)
        drawn.dataset = dataset_at_epoch(self.dataset, epoch)
        drawn._draw(epoch)
        return drawn


def channel_statistics(dataset: Any, channels: int, most: int = 2000) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each channel, over at most `most` images, evenly spaced.

    A channel that is the same everywhere has the deviation 1.

    Examples
    --------
    >>> channel_statistics([(np.array([[[0.0, 1.0]]]), 7)], channels=1)
    ([0.5], [0.5])
    """
    places = np.linspace(0, len(dataset) - 1, min(most, len(dataset))).astype(int)
    sums = np.zeros((3, channels))
    for place in dict.fromkeys(places.tolist()):
        image = with_channels(dataset[place][0], channels).astype(np.float64)
        pixels = image.reshape(channels, -1)
        sums += [pixels.sum(axis=1), (pixels**2).sum(axis=1), [pixels.shape[1]] * channels]
    mean = sums[0] / sums[2]
    std = np.sqrt(np.maximum(sums[1] / sums[2] - mean**2, 0))
    return mean.tolist(), np.where(std > 1e-6, std, 1).tolist()


def _moved(image: Array, down: int, right: int) -> Array:
    """The image moved; zeros come in."""
    moved = np.zeros_like(image)
    height, width = image.shape[1:]
    rows, columns = slice(max(down, 0), height + min(down, 0)), slice(max(right, 0), width + min(right, 0))
    from_rows = slice(max(-down, 0), height + min(-down, 0))
    from_columns = slice(max(-right, 0), width + min(-right, 0))
    moved[:, rows, columns] = image[:, from_rows, from_columns]
    return moved
