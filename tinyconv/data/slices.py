"""Volumes as what networks are trained on: kept in memory, cut into slices, taken several times an epoch."""

from __future__ import annotations

import copy
import os
import threading
from collections.abc import Iterable
from typing import Any

from tinyconv.data.dataset import Dataset, at_epoch, check_index, item_name
from tinyconv.errors import ArgumentError, DataError
from tinyconv.ops._checks import is_int

Array = Any

MEMORY = 2**31

LOCK = threading.Lock()
"""Held while the bytes of an item are counted; one for all, as a lock cannot go to another process."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=LOCK.acquire, after_in_parent=LOCK.release, after_in_child=LOCK.release)


class Kept(Dataset):
    """A dataset whose items are read once, and then kept while there is room.

    Beyond `memory` bytes items are read anew. Each process of a `DataLoader` keeps its own, and as long as
    it lives: with ``persistent_workers=True`` to the end of training, else to the end of an epoch. What is
    kept before the processes start goes with them; threads share what is kept.

    Parameters
    ----------
    dataset : Dataset
        Items are tuples of arrays.
    memory : int

    Examples
    --------
    >>> import numpy as np
    >>> kept = Kept([(np.zeros(3), np.ones(3))])
    >>> kept[0] is kept[0]
    True
    """

    def __init__(self, dataset: Any, memory: int = MEMORY) -> None:
        self.dataset, self.memory = dataset, memory
        self._kept: dict[int, tuple[Array, ...]] = {}
        self._bytes, self._full = 0, False

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> tuple[Array, ...]:
        index = check_index(self, index)
        if index not in self._kept:
            item = tuple([array if array.base is None else array.copy() for array in self.dataset[index]])
            size = sum(array.nbytes for array in item)
            with LOCK:
                if index not in self._kept:  # no other thread was quicker
                    if self._bytes + size > self.memory:
                        self._full = True
                        return item
                    self._bytes += size
                    self._kept[index] = item
        return self._kept[index]

    def name(self, index: int) -> str:
        """The name that the dataset gives this item."""
        return item_name(self.dataset, index)

    def prepare(self, index: int) -> None:
        """Read and keep item `index`, unless an item found no room before."""
        if not self._full:
            self[index]

    def at_epoch(self, epoch: int) -> Any:
        """Itself; where the dataset draws its items anew, those of `epoch`, which are not kept."""
        drawn = at_epoch(self.dataset, epoch)
        return self if drawn is self.dataset else drawn


class Slices(Dataset):
    """The slices of volumes: (C, D, H, W) becomes D items (C, H, W), and the mask likewise.

    Parameters
    ----------
    volumes : Dataset
        Items are (volume (C, D, H, W), mask (K, D, H, W)); best `Kept`, as each slice asks for its volume.
    depths : iterable of int, optional
        D of each volume; read from the volumes if not given.

    Examples
    --------
    >>> import numpy as np
    >>> slices = Slices([(np.zeros((1, 5, 8, 9)), np.ones((2, 5, 8, 9)))] * 2)
    >>> len(slices), slices[7][0].shape, slices.name(7)
    (10, (1, 8, 9), 'item 1, slice 2')
    """

    def __init__(self, volumes: Any, depths: Iterable[int] | None = None) -> None:
        self.volumes = volumes
        if depths is None:
            depths = [volumes[index][0].shape[1] for index in range(len(volumes))]
        self.places = [(volume, place) for volume, depth in enumerate(depths) for place in range(depth)]

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> tuple[Array, Array]:
        volume, place = self.places[check_index(self, index)]
        image, mask = self.volumes[volume]
        if place >= image.shape[1]:
            found = f"of {image.shape[1]} slices"
            raise DataError("Slices", item_name(self.volumes, volume), found, f"more than {place}")
        return image[:, place], mask[:, place]

    def name(self, index: int) -> str:
        """The volume and the number of the slice in it."""
        volume, place = self.places[index]
        return f"{item_name(self.volumes, volume)}, slice {place}"

    def at_epoch(self, epoch: int) -> Slices:
        """The same slices, of the volumes as `epoch` draws them."""
        drawn = at_epoch(self.volumes, epoch)
        if drawn is self.volumes:
            return self
        slices = copy.copy(self)
        slices.volumes = drawn
        return slices


class Repeated(Dataset):
    """A dataset whose items come several times in an epoch, e.g. to crop a patch from each volume each time.

    Examples
    --------
    >>> list(Repeated([1, 2], times=3))
    [1, 2, 1, 2, 1, 2]
    """

    def __init__(self, dataset: Any, times: int) -> None:
        if not is_int(times, 1):
            raise ArgumentError("Repeated", "times", repr(times), "an int of at least 1")
        self.dataset, self.times = dataset, times

    def __len__(self) -> int:
        return len(self.dataset) * self.times

    def __getitem__(self, index: int) -> Any:
        return self.dataset[check_index(self, index) % len(self.dataset)]

    def name(self, index: int) -> str:
        """The name that the dataset gives this item."""
        return item_name(self.dataset, index % len(self.dataset))

    def at_epoch(self, epoch: int) -> Repeated:
        """The same, as `epoch` sees the dataset."""
        drawn = at_epoch(self.dataset, epoch)
        return self if drawn is self.dataset else Repeated(drawn, self.times)
