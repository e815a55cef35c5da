"""Datasets made of tensors and of other datasets."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import floor
from operator import is_
from typing import TYPE_CHECKING, Any

from tinyconv.data.dataset import Dataset, Subset, at_epoch, check_index, item_name
from tinyconv.errors import ArgumentError, DtypeError, ShapeError

if TYPE_CHECKING:
    from tinyconv.generator import Generator


class TensorDataset(Dataset):
    """Item i is the tuple of the i-th entries of all tensors.

    Parameters
    ----------
    *tensors : Tensor
        All of one length along the first dimension.

    Raises
    ------
    ShapeError
        If their lengths differ.

    Examples
    --------
    >>> import tinyconv as tc
    >>> images, labels = tc.zeros(5, 1, 8, 8), tc.arange(5)
    >>> image, label = TensorDataset(images, labels)[3]
    >>> image.shape, label.item()
    ((1, 8, 8), 3)
    """

    def __init__(self, *tensors: Any) -> None:
        from tinyconv.tensor import Tensor

        if not tensors:
            raise ArgumentError("TensorDataset", "tensors", "()", "at least one Tensor")
        for position, tensor in enumerate(tensors):
            if not isinstance(tensor, Tensor):
                found = f"a {type(tensor).__name__}"
                raise DtypeError("TensorDataset", f"tensors[{position}]", found, "a Tensor")
            if tensor.ndim == 0 or len(tensor) != len(tensors[0]):
                expected = f"({len(tensors[0])}, ...), as long as the first"
                found = f"of shape {tensor.shape}"
                raise ShapeError("TensorDataset", f"tensors[{position}]", found, expected)
        self.tensors = tensors

    def __len__(self) -> int:
        return len(self.tensors[0])

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        return tuple(tensor[index] for tensor in self.tensors)


class ConcatDataset(Dataset):
    """The items of several datasets, one dataset after the other."""

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ArgumentError("ConcatDataset", "datasets", "empty", "at least one dataset")
        self.cumulative_sizes = list(accumulate(map(len, self.datasets)))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def _find(self, index: int) -> tuple[Any, int]:
        place = check_index(self, index)
        which = bisect_right(self.cumulative_sizes, place)
        return self.datasets[which], place - (self.cumulative_sizes[which - 1] if which else 0)

    def __getitem__(self, index: int) -> Any:
        dataset, place = self._find(index)
        return dataset[place]

    def name(self, index: int) -> str:
        """The name that the item has in its dataset."""
        return item_name(*self._find(index))

    def at_epoch(self, epoch: int) -> ConcatDataset:
        """The same datasets, as `epoch` sees them."""
        drawn = [at_epoch(dataset, epoch) for dataset in self.datasets]
        return self if all(map(is_, drawn, self.datasets)) else ConcatDataset(drawn)


def random_split(dataset: Any, lengths: Sequence[float], generator: Generator | None = None) -> list[Subset]:
    """Divide a dataset at random into parts of the given lengths.

    Parameters
    ----------
    dataset : Dataset
    lengths : sequence of int or of float
        Numbers of items that add up to ``len(dataset)``, or fractions that add up to 1; items left
        over by rounding down go to the first parts, one each.
    generator : Generator, optional
        Where the order comes from; that of `tc.manual_seed` if not given.

    Raises
    ------
    ArgumentError
        If `lengths` are negative or do not add up.

    Examples
    --------
    >>> import tinyconv as tc
    >>> train, test = random_split(range(10), [0.8, 0.2], generator=tc.Generator().manual_seed(1))
    >>> len(train), len(test), sorted([*train, *test]) == list(range(10))
    (8, 2, True)
    """
    from tinyconv.ops.random import randperm

    count, given = len(dataset), list(lengths)
    if given and all(0 <= part <= 1 for part in given) and abs(sum(given) - 1) < 1e-6:
        sizes = [floor(count * part) for part in given]
        for position in range(count - sum(sizes)):
            sizes[position % len(sizes)] += 1
    else:
        sizes = [int(part) for part in given]
    if sum(sizes) != count or any(size < 0 for size in sizes):
        raise ArgumentError("random_split", "lengths", given, f"numbers that add up to {count}, or to 1")
    order = randperm(count, generator=generator).tolist()
    return [
        Subset(dataset, order[end - size : end]) for size, end in zip(sizes, accumulate(sizes), strict=True)
    ]
