"""Streams, in which work for a card is done in order, and events, which mark a place in one.

A kernel that is launched, or a copy that is begun, is written at the end of the current stream, and
Python goes on at once. What stands in one stream is done in that order; what stands in two may be done
at the same time. So time is measured with two events, and not with a clock around the launch.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from tinyconv.cuda.cards import Card, card
from tinyconv.device_errors import find_cupy
from tinyconv.errors import DeviceError


class Event:
    """A mark in a stream.

    Parameters
    ----------
    enable_timing : bool
        Whether `elapsed_time` can be asked for.
    blocking : bool
        Whether `synchronize` lets other programs have the processor while it waits.
    interprocess : bool
        Only False.

    Raises
    ------
    DeviceError
        Without a card that works.
    """

    def __init__(
        self, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False
    ) -> None:
        if interprocess:
            raise DeviceError("cuda.Event", "interprocess", True, "False")
        cupy = find_cupy("cuda.Event")
        self.event: Any = cupy.cuda.Event(block=blocking, disable_timing=not enable_timing)
        self._timed = enable_timing
        self._recorded = False

    def record(self, stream: Stream | None = None) -> None:
        """Put the mark at the end of `stream`, by default the current one."""
        self.event.record((stream or current_stream()).stream)
        self._recorded = True

    def wait(self, stream: Stream | None = None) -> None:
        """Let `stream` do what comes after this call only when the mark is reached."""
        (stream or current_stream()).wait_event(self)

    def query(self) -> bool:
        """Whether the mark is reached; one that was never recorded counts as such."""
        return bool(self.event.done) if self._recorded else True

    def synchronize(self) -> None:
        """Wait, in Python, until the mark is reached."""
        if self._recorded:
            self.event.synchronize()

    def elapsed_time(self, end_event: Event) -> float:
        """Milliseconds from this mark to `end_event`; both are to be reached."""
        for event in (self, end_event):
            if not (event._timed and event._recorded):
                expected = "events made with enable_timing=True, and recorded"
                raise DeviceError("cuda.Event.elapsed_time", "an event", "without a time", expected)
        cupy = find_cupy("cuda.Event.elapsed_time")
        return float(cupy.cuda.get_elapsed_time(self.event, end_event.event))


class Stream:
    """Work for a card, done in the order in which it comes.

    Parameters
    ----------
    device : int, str or None
        The card; the current one if not given.
    priority : int
        Lower numbers go first.

    Raises
    ------
    DeviceError
        Without a card that works.
    """

    def __init__(self, device: Card = None, priority: int = 0, *, stream: Any = None) -> None:
        self._card = card(device, "cuda.Stream")
        with self._card:
            cuda = find_cupy("cuda.Stream").cuda
            self.stream: Any = cuda.Stream(non_blocking=True, priority=priority) if stream is None else stream

    @property
    def cuda_stream(self) -> int:
        """CUDA's own handle."""
        return int(self.stream.ptr)

    def query(self) -> bool:
        """Whether all its work is done."""
        return bool(self.stream.done)

    def synchronize(self) -> None:
        """Wait, in Python, until all its work is done."""
        self.stream.synchronize()

    def record_event(self, event: Event | None = None) -> Event:
        """Put a mark at its end; a new one if none is given."""
        with self._card:  # an event belongs to the card that is current when it is made
            event = event or Event()
            event.record(self)
        return event

    def wait_event(self, event: Event) -> None:
        """Do what comes after this call only when `event` is reached."""
        if event._recorded:
            self.stream.wait_event(event.event)

    def wait_stream(self, stream: Stream) -> None:
        """Do what comes after this call only when all that is in `stream` now is done."""
        self.wait_event(stream.record_event())

    def __enter__(self) -> Stream:
        self._card.__enter__()
        self.stream.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self.stream.__exit__(*error)
        self._card.__exit__(*error)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and self._place() == other._place()

    def __hash__(self) -> int:
        return hash(self._place())

    def _place(self) -> tuple[int, int]:
        """Each card has a default stream, and their handles are all 0."""
        return self._card.id, self.cuda_stream

    def __repr__(self) -> str:
        return f"<tinyconv.cuda.Stream device=cuda:{self._card.id} cuda_stream={self.cuda_stream:#x}>"


@contextlib.contextmanager
def stream(stream: Stream | None) -> Iterator[None]:
    """In this block, work goes into `stream`; None changes nothing."""
    if stream is None:
        yield
        return
    with stream:
        yield


def current_stream(device: Card = None) -> Stream:
    """The stream that work goes into now."""
    with card(device, "cuda.current_stream"):
        current = find_cupy("cuda.current_stream").cuda.get_current_stream()
    return Stream(device, stream=current)


def default_stream(device: Card = None) -> Stream:
    """The stream that work goes into if no other is chosen."""
    return Stream(device, stream=find_cupy("cuda.default_stream").cuda.Stream.null)
