"""A limit of the numbers that new parameters hold, for networks whose sizes a file says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from tinyconv.errors import ArgumentError

_left: ContextVar[int | None] = ContextVar("left", default=None)


@contextmanager
def at_most(numbers: int | None) -> Iterator[None]:
    """Refuse parameters, in this thread, that hold more than so many numbers together; None: no limit.

    Memory that is only set aside costs nothing: a parameter is refused before it is filled.

    Examples
    --------
    >>> from tinyconv import nn
    >>> with at_most(100):
    ...     layer = nn.Linear(9, 10)
    >>> with at_most(100):
    ...     layer = nn.Linear(9, 10), nn.Linear(9, 2)
    Traceback (most recent call last):
    tinyconv.errors.ArgumentError: Parameter: data is of 18 numbers, expected at most 0 more
    """
    before = _left.set(numbers)
    try:
        yield
    finally:
        _left.reset(before)


def take(numbers: int) -> None:
    """Count the numbers of a new parameter."""
    left = _left.get()
    if left is None:
        return
    if numbers > left:
        raise ArgumentError("Parameter", "data", f"of {numbers} numbers", f"at most {left} more")
    _left.set(left - numbers)
