"""What pixels count in the loss of a segmentation: rare classes more, and the borders between objects."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.data import Dataset, border_weights
from tinyconv.data.dataset import at_epoch, base_item, check_index, item_name
from tinyconv.metrics import connected_components
from tinyconv.train.losses import class_weights
from tinyconv.train.waiting import waiting

Array = Any

MOST = 100.0
"""So much more than the rest a mask counts at most."""


def find_weights(dataset: Any, names: list[str], exclusive: bool) -> list[float]:
    """Weights by how many pixels each class, or mask, has in all items (image, mask).

    Of classes the ``"log"`` of `class_weights`, which ENet's paper proposes; of a mask the pixels outside
    per pixel inside, 100 at most.

    Examples
    --------
    >>> mask = np.array([[[1.0, 0.0, 0.0, 0.0]]])
    >>> find_weights([(mask, mask)], ["cell"], exclusive=False)
    [3.0]
    """
    counts, pixels = np.zeros(len(names), np.int64), 0
    for index in waiting(range(len(dataset)), "counting pixels"):
        mask = dataset[index][1]
        pixels += mask[0].size
        if exclusive:
            counts += np.bincount(np.asarray(mask, np.int64).ravel(), minlength=len(names))
        else:
            counts += (mask >= 0.5).reshape(len(names), -1).sum(axis=1)
    if exclusive:
        return [float(weight) for weight in class_weights(counts, "log").tolist()]
    return [min((pixels - count) / max(count, 1), MOST) for count in counts.tolist()]


class WithBorders(Dataset):
    """Images whose masks get a channel more: the weight of each pixel, see `border_weights`.

    Objects are those that the dataset tells apart (`instances`), else the connected parts of the mask.

    Examples
    --------
    >>> from tinyconv.data import SyntheticNuclei
    >>> image, mask = WithBorders(SyntheticNuclei(2, 64), w0=10.0)[0]
    >>> mask.shape, bool(mask[1].min() >= 1)
    ((2, 64, 64), True)
    """

    def __init__(self, dataset: Any, w0: float) -> None:
        self.dataset, self.w0 = dataset, w0

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> tuple[Array, Array]:
        index = check_index(self, index)
        image, mask = self.dataset[index]
        base, place = base_item(self.dataset, index)
        objects = (
            base.instances(place) if hasattr(base, "instances") else connected_components(mask[0] >= 0.5)
        )
        weights = border_weights(objects, self.w0, class_weights=(1.0, 1.0))
        return image, np.concatenate([mask, weights[None].astype(mask.dtype)])

    def name(self, index: int) -> str:
        """The name that the dataset gives this item."""
        return item_name(self.dataset, index)

    def at_epoch(self, epoch: int) -> WithBorders:
        """The same, as `epoch` sees the dataset."""
        drawn = at_epoch(self.dataset, epoch)
        return self if drawn is self.dataset else WithBorders(drawn, self.w0)
