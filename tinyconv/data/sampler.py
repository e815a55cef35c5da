"""The order in which an epoch visits the items: a pure function of the epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tinyconv.data.seeding import ORDER, check_seed, generator
from tinyconv.device import seed as process_seed
from tinyconv.errors import ArgumentError

Array = Any


class Sampler:
    """Gives the indices that an epoch visits, and their order.

    A subclass defines `__len__`, and either `order` or, as PyTorch's samplers do, `__iter__`;
    only with `order` can a resumed run take an epoch up again.
    """

    def __init__(self, data_source: Any = None) -> None:
        pass

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} defines no __len__")

    def __iter__(self) -> Iterator[Any]:
        epoch = self.__dict__.setdefault("_iterations", 0)
        self.__dict__["_iterations"] += 1
        return iter(self.order(epoch).tolist())

    def order(self, epoch: int) -> Array:
        """The indices that `epoch` visits, an integer array (length,)."""
        if type(self).__iter__ is Sampler.__iter__:
            raise NotImplementedError(f"{type(self).__name__} defines no order")
        return np.asarray(list(self))


class SequentialSampler(Sampler):
    """Every item once, from the first to the last."""

    def __init__(self, dataset: Any) -> None:
        self.count = len(dataset)

    def __len__(self) -> int:
        return self.count

    def order(self, epoch: int) -> Array:
        """0, 1, 2, ... in every epoch."""
        return np.arange(self.count)


class RandomSampler(Sampler):
    """Every item once, in an order of its own for each epoch."""

    def __init__(self, dataset: Any, seed: int = 0) -> None:
        self.count = len(dataset)
        self.seed = check_seed("RandomSampler", seed)

    def __len__(self) -> int:
        return self.count

    def order(self, epoch: int) -> Array:
        """A permutation that depends on the seed and on `epoch` alone."""
        return generator(self.seed, ORDER, epoch).permutation(self.count)


class SubsetRandomSampler(Sampler):
    """The items at `indices`, each once, in an order of its own for each epoch.

    Parameters
    ----------
    indices : sequence of int
    generator : Generator, optional
        Whose seed decides the orders; that of `tc.manual_seed` if not given.
    """

    def __init__(self, indices: Sequence[int], generator: Any = None) -> None:
        self.indices = np.asarray([int(index) for index in indices], dtype=np.int64)
        self.seed = seed_of(generator)

    def __len__(self) -> int:
        return len(self.indices)

    def order(self, epoch: int) -> Array:
        """A permutation of the indices that depends on the seed and on `epoch` alone."""
        return self.indices[generator(self.seed, ORDER, epoch).permutation(len(self.indices))]


class WeightedRandomSampler(Sampler):
    """`num_samples` items, drawn with probabilities in proportion to `weights`.

    Parameters
    ----------
    weights : sequence of number
        One >= 0 for each item, not all 0; need not add up to 1.
    num_samples : int
    replacement : bool
        Whether an item may be drawn twice in an epoch.
    generator : Generator, optional
        Whose seed decides the draws; that of `tc.manual_seed` if not given.

    Raises
    ------
    ArgumentError
        For weights that are negative, not finite or all 0, or more draws without replacement than
        there are items to draw.
    """

    def __init__(
        self, weights: Sequence[float], num_samples: int, replacement: bool = True, generator: Any = None
    ) -> None:
        values = np.asarray([float(weight) for weight in weights])
        if not (np.isfinite(values).all() and (values >= 0).all() and values.sum() > 0):
            raise ArgumentError("WeightedRandomSampler", "weights", values, "numbers >= 0, not all 0")
        most = None if replacement else int(np.count_nonzero(values))
        if isinstance(num_samples, bool) or not isinstance(num_samples, int) or num_samples < 1:
            raise ArgumentError("WeightedRandomSampler", "num_samples", repr(num_samples), "an int >= 1")
        if most is not None and num_samples > most:
            expected = f"at most {most}, the items with a weight > 0, without replacement"
            raise ArgumentError("WeightedRandomSampler", "num_samples", num_samples, expected)
        self.shares, self.num_samples, self.replacement = values / values.sum(), num_samples, replacement
        self.seed = seed_of(generator)

    def __len__(self) -> int:
        return self.num_samples

    def order(self, epoch: int) -> Array:
        """Draws that depend on the seed and on `epoch` alone."""
        source = generator(self.seed, ORDER, epoch)
        return source.choice(len(self.shares), self.num_samples, self.replacement, self.shares)


class BalancedSampler(WeightedRandomSampler):
    """Draws every class as often as the others, however rare it is; an item may come several times.

    Parameters
    ----------
    labels : sequence of int
        The class of each item, from 0.
    num_samples : int, optional
        Draws in an epoch; as many as items if not given.
    generator : Generator, optional
        Whose seed decides the draws; that of `tc.manual_seed` if not given.

    Examples
    --------
    >>> sampler = BalancedSampler([0] * 990 + [1] * 10)
    >>> drawn = sampler.order(0)
    >>> len(drawn), bool(400 < (drawn >= 990).sum() < 600)
    (1000, True)
    """

    def __init__(self, labels: Sequence[int], num_samples: int | None = None, generator: Any = None) -> None:
        classes = np.asarray(labels)
        if classes.ndim != 1 or not classes.size or classes.dtype.kind not in "iu" or classes.min() < 0:
            raise ArgumentError("BalancedSampler", "labels", classes, "ints >= 0, one for each item")
        weights = 1 / np.bincount(classes).clip(1)
        count = len(classes) if num_samples is None else num_samples
        super().__init__(weights[classes].tolist(), count, generator=generator)


class BatchSampler(Sampler):
    """The indices of a sampler in groups of `batch_size`, for ``DataLoader(batch_sampler=...)``."""

    def __init__(self, sampler: Any, batch_size: int, drop_last: bool = False) -> None:
        if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
            raise ArgumentError("BatchSampler", "batch_size", repr(batch_size), "an int of at least 1")
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last

    def __len__(self) -> int:
        full, rest = divmod(len(self.sampler), self.batch_size)
        return full + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[list[int]]:
        epoch = self.__dict__.setdefault("_iterations", 0)
        self.__dict__["_iterations"] += 1
        return iter(self.order(epoch))

    def order(self, epoch: int) -> list[list[int]]:
        """The groups of indices that `epoch` visits."""
        places = [int(index) for index in order_of(self.sampler, epoch)]
        groups = [places[i : i + self.batch_size] for i in range(0, len(places), self.batch_size)]
        return [group for group in groups if len(group) == self.batch_size or not self.drop_last]


def order_of(sampler: Any, epoch: int) -> Any:
    """What `epoch` visits; a sampler that only iterates is taken as it comes."""
    return sampler.order(epoch) if hasattr(sampler, "order") else list(sampler)


def seed_of(generator: Any) -> int:
    """The seed of a `tc.Generator`; for None that of `tc.manual_seed`."""
    return process_seed.get().seed if generator is None else int(generator.initial_seed())
