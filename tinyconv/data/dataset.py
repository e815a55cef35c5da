"""Map-style datasets: a length, and an item for every index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from tinyconv.data.seeding import SPLIT, check_seed, generator
from tinyconv.errors import ArgumentError, DataError


class Dataset:
    """A collection of samples with indices from 0 to ``len(dataset) - 1``.

    A subclass defines `__len__` and `__getitem__`. One whose samples are drawn anew in
    every epoch also defines `at_epoch`.

    Examples
    --------
    >>> class Squares(Dataset):
    ...     def __len__(self):
    ...         return 4
    ...     def __getitem__(self, index):
    ...         return index**2
    >>> [Squares()[i] for i in range(4)]
    [0, 1, 4, 9]
    """

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} defines no __len__")

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} defines no __getitem__")

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self)))

    def name(self, index: int) -> str:
        """What a message or a figure calls item `index`, e.g. its file name."""
        return f"item {index}"

    def at_epoch(self, epoch: int) -> Dataset:
        """The dataset as `epoch` sees it; itself if nothing is random in it."""
        return self

    def prepare(self, index: int) -> None:
        """Read item `index` now, where items are kept: a `DataLoader` asks for it when it has time."""


class Subset(Dataset):
    """The items of `dataset` at `indices`, in that order.

    Parameters
    ----------
    dataset : Dataset
    indices : iterable of int
        Positions in `dataset`, each from 0 to ``len(dataset) - 1``.

    Raises
    ------
    ArgumentError
        If an index lies outside the dataset.
    """

    def __init__(self, dataset: Any, indices: Iterable[int]) -> None:
        self.dataset = dataset
        self.indices = [int(index) for index in indices]
        outside = [index for index in self.indices if not 0 <= index < len(dataset)]
        if outside:
            raise ArgumentError("Subset", "indices", outside[0], f"indices from 0 to {len(dataset) - 1}")

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Any:
        return self.dataset[self.indices[index]]

    def name(self, index: int) -> str:
        """The name that the whole dataset gives this item."""
        return item_name(self.dataset, self.indices[index])

    def prepare(self, index: int) -> None:
        """Let the whole dataset prepare this item."""
        prepare(self.dataset, self.indices[index])

    def at_epoch(self, epoch: int) -> Subset:
        """The same items, as `epoch` sees them."""
        drawn = at_epoch(self.dataset, epoch)
        return self if drawn is self.dataset else Subset(drawn, self.indices)


def at_epoch(dataset: Any, epoch: int) -> Any:
    """`dataset` as `epoch` sees it; anything with a length and indices will do, e.g. a list."""
    return dataset.at_epoch(epoch) if hasattr(dataset, "at_epoch") else dataset


def prepare(dataset: Any, index: int) -> None:
    """Let `dataset` read item `index` ahead of time, if it knows how to."""
    if hasattr(dataset, "prepare"):
        dataset.prepare(index)


def item_name(dataset: Any, index: int) -> str:
    """What `dataset` calls item `index`."""
    return dataset.name(index) if hasattr(dataset, "name") else f"item {index}"


def base_item(dataset: Any, index: int) -> tuple[Any, int]:
    """The dataset below its subsets and transforms, and the number that item `index` has there.

    Examples
    --------
    >>> base_item(Subset(Subset([5, 6, 7], [2, 1]), [1]), 0)
    ([5, 6, 7], 1)
    """
    while hasattr(dataset, "dataset"):
        if hasattr(dataset, "indices"):
            index = dataset.indices[index]
        dataset = dataset.dataset
    return dataset, index


def check_index(dataset: Any, index: int) -> int:
    """`index` counted from 0 (negative ones count from the end), or IndexError."""
    count = len(dataset)
    if not -count <= index < count:
        raise IndexError(f"index {index} is outside {type(dataset).__name__} of {count} items")
    return int(index) % count


def split(dataset: Any, held_out: float = 0.2, seed: int = 0) -> tuple[Subset, Subset]:
    """Divide a dataset by item: one part to train on, one that training never sees.

    An item of an image dataset is a whole image, so no part of a held-out image is ever
    trained on. The split is a pure function of `seed` and the number of items.

    Parameters
    ----------
    dataset : Dataset
        At least two items.
    held_out : float
        The fraction held out, between 0 and 1; at least one item goes to each side.
    seed : int

    Returns
    -------
    tuple of Subset
        (training items, held-out items), each in the order of the dataset.

    Raises
    ------
    ArgumentError
        If `held_out` does not lie between 0 and 1.
    DataError
        If there are fewer than two items.

    Examples
    --------
    >>> train, test = split(list(range(10)), held_out=0.3)
    >>> len(train), len(test), sorted([*train, *test]) == list(range(10))
    (7, 3, True)
    """
    if not 0 < held_out < 1:
        raise ArgumentError("split", "held_out", held_out, "a fraction between 0 and 1, both excluded")
    count = len(dataset)
    if count < 2:
        raise DataError("split", "the number of items", count, "at least 2, one to train on and one held out")
    order = generator(check_seed("split", seed), SPLIT).permutation(count)
    held = np.clip(round(count * held_out), 1, count - 1)
    return Subset(dataset, np.sort(order[held:])), Subset(dataset, np.sort(order[:held]))
