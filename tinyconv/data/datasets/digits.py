"""The handwritten digits that come with scikit-learn: nothing to download."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.data.dataset import Dataset, check_index

Array = Any


class Digits(Dataset):
    """1,797 handwritten digits of 8x8 pixels (Alpaydin and Kaynak, UCI repository).

    An item is (image, label): float32 (1, 8, 8) from 0 to 1, and an int from 0 to 9.

    Examples
    --------
    >>> digits = Digits()
    >>> image, label = digits[0]
    >>> len(digits), image.shape, label
    (1797, (1, 8, 8), 0)
    """

    classes = tuple("0123456789")

    def __init__(self) -> None:
        from sklearn.datasets import load_digits

        loaded = load_digits()
        self.images = (loaded.images / 16).astype(np.float32)
        self.labels = loaded.target

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Array, int]:
        index = check_index(self, index)
        return self.images[index][None], int(self.labels[index])
