"""The order in which an epoch visits the items: a pure function of the epoch."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.data.seeding import ORDER, check_seed, generator

Array = Any


class Sampler:
    """Gives the indices that an epoch visits, and their order."""

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} defines no __len__")

    def order(self, epoch: int) -> Array:
        """The indices that `epoch` visits, an integer array (length,)."""
        raise NotImplementedError(f"{type(self).__name__} defines no order")


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
