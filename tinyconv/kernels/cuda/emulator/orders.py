"""What a program gave to the stand-in's card, in order, so that a test can see what waits for what."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

ALL_STREAMS = "all streams"
COPY, READ, WORK, RECORD, WAIT, SYNCHRONIZE = "copy", "read", "work", "record", "wait", "synchronize"


@dataclass(frozen=True)
class Order:
    """One thing that was given to a stream.

    Attributes
    ----------
    what : str
        A copy from the host, a read by the host, work of the card, an event recorded or waited for, or
        the host's waiting for all of it.
    stream : int
        Its `ptr`.
    about : object
        The kernel's name, the event, the address of what was copied, or `ALL_STREAMS`.
    """

    what: str
    stream: int
    about: Any = None


_log: list[Order] | None = None


@contextlib.contextmanager
def written_down() -> Iterator[list[Order]]:
    """In this block, what is given to the card is appended to a list.

    Examples
    --------
    >>> from tinyconv.kernels.cuda.emulator.cupy_stand_in import emulated_cuda
    >>> with emulated_cuda() as cupy, written_down() as orders:
    ...     total = float(cupy.ones(3).sum())
    >>> [order.what for order in orders][-2:]
    ['work', 'read']
    """
    global _log
    before, _log = _log, []
    try:
        yield _log
    finally:
        _log = before


def note(what: str, about: Any = None, stream: Any = None) -> None:
    """Append an order, by default to the current stream, if they are written down."""
    if _log is not None:
        from tinyconv.kernels.cuda.emulator.streams import get_current_stream

        _log.append(Order(what, (stream or get_current_stream()).ptr, about))


def before_each(orders: list[Order]) -> list[set[int]]:
    """For each order, which others a card has surely done when it begins with this one.

    Those are the earlier ones of its stream, and what its stream, or the host, was told to wait for. All else
    may be done before, after or at the same time.
    """
    done: dict[int, set[int]] = {}
    events: dict[int, set[int]] = {}
    host: set[int] = set()
    befores = []
    for number, order in enumerate(orders):
        mine = done.setdefault(order.stream, set())
        mine |= host
        if order.what == RECORD:
            events[id(order.about)] = set(mine)
        elif order.what == WAIT:
            mine |= events.get(id(order.about), set())
        elif order.what == SYNCHRONIZE and order.about is not None:
            host |= set(range(number)) if order.about == ALL_STREAMS else events.get(id(order.about), set())
        elif order.what in (SYNCHRONIZE, READ):
            host |= mine
        befores.append(set(mine))
        mine.add(number)
    return befores
