"""Where a model is: data are brought there."""

from __future__ import annotations

from itertools import chain
from typing import Any


def device_of_model(model: Any) -> str:
    """The device of the model's first parameter or buffer; the CPU if it has none."""
    first = next(chain(model.parameters(), model.buffers()), None)
    return "cpu" if first is None else str(first.device)
