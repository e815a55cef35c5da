"""Pinned memory: memory of the host that stays where it is, so that a card can read it by itself.

The operating system may move what a program has in memory at any time. A copy to a card therefore goes
through a place that it promised to leave alone. An array that is made in such a place is copied straight
from there, and Python need not wait for the end.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.cuda.cards import is_available
from tinyconv.device_errors import clear_errors
from tinyconv.errors import OutOfMemoryError

Array = Any


def pinned(array: Array) -> Array:
    """A copy of a NumPy array in pinned memory, in the same memory order; itself without a card."""
    if is_pinned(array) or not is_available():
        return array
    import cupy

    order = sorted(range(array.ndim), key=lambda axis: (-abs(array.strides[axis]), axis))
    try:
        with clear_errors("pin_memory"):
            memory = cupy.cuda.alloc_pinned_memory(max(array.nbytes, 1))
    except OutOfMemoryError as error:
        expected = f"room for {array.nbytes:,} bytes that stay in place: smaller batches, or pin_memory=False"
        raise OutOfMemoryError("pin_memory", "the host's memory", "full", expected) from error.__cause__
    flat = np.frombuffer(memory, array.dtype, array.size)
    copied = flat.reshape([array.shape[axis] for axis in order]).transpose(np.argsort(order))
    copied[...] = array
    return copied


def is_pinned(array: Array) -> bool:
    """Whether the memory of a NumPy array was made by `pinned`."""
    while isinstance(array, np.ndarray):
        array = array.base
    return type(getattr(array, "obj", None)).__module__.startswith("cupy")
