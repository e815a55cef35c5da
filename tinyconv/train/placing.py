"""Where a model is: data are brought there."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

from tinyconv.data import DataLoader, prefetch
from tinyconv.device import CPU


def device_of_model(model: Any) -> str:
    """The device of the model's first parameter or buffer; the CPU if it has none."""
    first = next(chain(model.parameters(), model.buffers()), None)
    return "cpu" if first is None else str(first.device)


def batches_for(model: Any, data: Any, batch_size: int) -> Iterator[Any]:
    """The batches of a dataset, in order, where the model is: a GPU gets the next one while it computes."""
    place = device_of_model(model)
    return prefetch(DataLoader(data, batch_size, pin_memory=place != CPU), place)
