"""Streams and events of the stand-in: work is done at once, in the order in which it is given."""

from __future__ import annotations

import itertools
import time
from typing import Any

from tinyconv.kernels.cuda.emulator import graphs, orders
from tinyconv.kernels.cuda.emulator.cards import CURRENT

_numbers = itertools.count(1)


class Stream:
    """Stands for `cupy.cuda.Stream`."""

    null: Stream
    done = True

    def __init__(
        self, null: bool = False, non_blocking: bool = False, ptds: bool = False, priority: int | None = None
    ) -> None:
        self.ptr = 0 if null else next(_numbers)
        self.device_id = -1 if null else CURRENT[-1]

    def use(self) -> Stream:
        self._stack()[-1] = self
        return self

    def synchronize(self) -> None:
        graphs.wait_for(self.ptr)
        orders.note(orders.SYNCHRONIZE, stream=self)

    def wait_event(self, event: Event) -> None:
        orders.note(orders.WAIT, event, self)

    def record(self, event: Event | None = None) -> Event:
        event = event or Event()
        event.record(self)
        return event

    def is_capturing(self) -> bool:
        return graphs.is_recording() and get_current_stream() == self

    def begin_capture(self, mode: Any = None) -> None:
        if self.ptr == 0:
            raise RuntimeError("cannot capture on the default (legacy) stream")
        graphs.begin(self.ptr)

    def end_capture(self) -> graphs.Graph:
        return graphs.end()

    def __enter__(self) -> Stream:
        self._stack().append(self)
        return self

    def __exit__(self, *error: object) -> None:
        self._stack().pop()

    def _stack(self) -> list[Stream]:
        """The streams that were chosen on its card."""
        return _stack_of(self.device_id)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and self.ptr == other.ptr

    def __hash__(self) -> int:
        return self.ptr


Stream.null = Stream(null=True)
_stacks: dict[int, list[Stream]] = {}


def _stack_of(device_id: int) -> list[Stream]:
    """By default of the current card."""
    number = CURRENT[-1] if device_id == -1 else device_id
    return _stacks.setdefault(number, [Stream.null])


def get_current_stream(device_id: int = -1) -> Stream:
    """The stream that work is given to."""
    return _stack_of(device_id)[-1]


class Event:
    """Stands for `cupy.cuda.Event`."""

    done = True

    def __init__(self, block: bool = False, disable_timing: bool = False, interprocess: bool = False) -> None:
        self.at = 0.0
        self._stream = -1

    def record(self, stream: Stream | None = None) -> None:
        self.at = time.perf_counter()
        self._stream = (stream or get_current_stream()).ptr if graphs.is_recording() else -1
        orders.note(orders.RECORD, self, stream)

    def synchronize(self) -> None:
        graphs.wait_for(self._stream)
        orders.note(orders.SYNCHRONIZE, self)


def get_elapsed_time(start_event: Event, end_event: Event) -> float:
    """Milliseconds between two events."""
    return 1e3 * (end_event.at - start_event.at)
