"""Images with masks, made ready for a segmentation net."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from tinyconv.data.dataset import Dataset, check_index, item_name
from tinyconv.data.dataset import at_epoch as dataset_at_epoch
from tinyconv.data.dataset import prepare as dataset_prepare
from tinyconv.data.seeding import AUGMENTATION, check_seed, generator
from tinyconv.data.slices import Kept
from tinyconv.data.transforms import (
    Compose,
    Normalize,
    RandomCrop,
    RandomFlip,
    RandomIntensity,
    RandomRotate90,
    Transform,
    check_pair,
    normalize,
)
from tinyconv.errors import ArgumentError, ShapeError

Array = Any


class Normalized(Dataset):
    """The (image, mask) items of a dataset in float32, each image with `normalize`.

    Parameters
    ----------
    dataset : Dataset
        Items are (image (C, *sizes), mask (K, *sizes)) arrays.
    """

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> tuple[Array, Array]:
        image, mask = self.dataset[index]
        check_pair(image, mask)
        return normalize(np.asarray(image, np.float32)), np.asarray(mask, np.float32)

    def name(self, index: int) -> str:
        """The name that the dataset gives this item."""
        return item_name(self.dataset, index)

    def at_epoch(self, epoch: int) -> Normalized:
        """The items as `epoch` draws them; itself if nothing is random in them."""
        drawn = dataset_at_epoch(self.dataset, epoch)
        return self if drawn is self.dataset else Normalized(drawn)


class SegmentationData(Dataset):
    """Apply a transform to the (image, mask) items of a dataset.

    Sample i of epoch e is a pure function of (seed, e, i). `training` and `held_out` make
    the two usual kinds.

    Parameters
    ----------
    dataset : Dataset
        Items are (image (C, H, W), mask (K, H, W)) arrays.
    transform : callable, optional
        Called with (image, mask, rng), see `tinyconv.data.transforms`; `Normalize` if not given.
    channels : int
        Channels of the samples' images, see `with_channels`.
    seed : int

    Examples
    --------
    >>> from tinyconv.data import SyntheticNuclei
    >>> data = SegmentationData.training(SyntheticNuclei(4), size=64)
    >>> image, mask = data.at_epoch(2)[0]
    >>> image.shape, mask.shape
    ((3, 64, 64), (1, 64, 64))
    """

    def __init__(
        self, dataset: Any, transform: Transform | None = None, channels: int = 3, seed: int = 0
    ) -> None:
        if channels < 1:
            raise ArgumentError("SegmentationData", "channels", channels, "at least 1")
        self.dataset = dataset
        self.transform = Normalize() if transform is None else transform
        self.channels = channels
        self.seed = check_seed("SegmentationData", seed)
        self.epoch = 0

    @classmethod
    def training(
        cls, dataset: Any, size: int | tuple[int, int] = 256, channels: int = 3, seed: int = 0
    ) -> SegmentationData:
        """Normalised, cropped to `size`, and flipped, rotated and changed in intensity at random.

        The normalised images are `Kept`: to read and sort them in each epoch would take longer than the rest.
        """
        steps: list[Transform] = [RandomCrop(size), RandomFlip(), RandomIntensity()]
        if isinstance(size, int) or size[0] == size[1]:
            steps.append(RandomRotate90())
        return cls(Kept(Normalized(dataset)), Compose(steps), channels, seed)

    @classmethod
    def held_out(cls, dataset: Any, channels: int = 3) -> SegmentationData:
        """Normalised, at the size they have."""
        return cls(dataset, Normalize(), channels)

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> tuple[Array, Array]:
        """(image (channels, H, W), mask (K, H, W)), both float32."""
        index = check_index(self, index)
        rng = generator(self.seed, AUGMENTATION, self.epoch, index)
        image, mask = self.dataset[index]
        check_pair(image, mask)
        image, mask = self.transform(image, mask, rng)
        image, mask = (np.array(array, np.float32, order="C") for array in (image, mask))
        return with_channels(image, self.channels), mask

    def name(self, index: int) -> str:
        """The name that the dataset gives this item."""
        return item_name(self.dataset, index)

    def prepare(self, index: int) -> None:
        """Let the dataset read the image and the mask of this sample."""
        dataset_prepare(self.dataset, index)

    def at_epoch(self, epoch: int) -> SegmentationData:
        """The samples as `epoch` draws them."""
        drawn = copy.copy(self)
        drawn.dataset = dataset_at_epoch(self.dataset, epoch)
        drawn.epoch = epoch
        return drawn


def with_channels(image: Array, channels: int) -> Array:
    """Give an image (C, H, W) another number of channels.

    A grey image is repeated; a coloured one becomes grey as its channels' mean.

    Raises
    ------
    ShapeError
        For other changes, such as 3 channels to 4.
    """
    if image.shape[0] == channels:
        return image
    if image.shape[0] == 1:
        repeated = np.empty((channels, *image.shape[1:]), image.dtype)
        repeated[...] = image
        return repeated
    if channels == 1:
        return image.mean(axis=0, keepdims=True)
    raise ShapeError("with_channels", "image", image.shape, f"1 or {channels} channels, or 1 channel wanted")
