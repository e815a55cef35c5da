"""Batches on a GPU: each is copied there while the step before it is computed.

A copy in the stream of the computations is done after them. So the copies have a stream of their own, and
an event marks the end of each; the computations wait for it, and Python for nothing. Two places must not be
written to too early:

- The batch's memory on the GPU. CuPy keeps freed memory for the stream in which it was made, here that of
  the copies. Computations that were begun before may read it still: so a copy waits for those.
- The batch's memory on the host. It is kept until the event has passed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from tinyconv.cuda import Event, Stream, current_stream
from tinyconv.cuda.cards import card
from tinyconv.data.collate import after_method
from tinyconv.device import Device


def prefetch(batches: Iterable[Any], device: str) -> Iterator[Any]:
    """The batches on a device; on a GPU the next one is copied while the present one is computed with.

    Parameters
    ----------
    batches : iterable
        A `DataLoader`, with ``pin_memory=True`` for a GPU. All parts of a batch that have a method ``to``
        are moved, as tensors have it.
    device : str
        On the CPU no batch is made ahead.

    Yields
    ------
    batch
        To be computed with in the stream that is the current one when it is asked for. An error in the making
        of a batch is raised when it is that batch's turn.

    Raises
    ------
    DeviceError
        Without a card that works.

    Examples
    --------
    >>> import tinyconv as tc
    >>> from tinyconv.data import DataLoader, TensorDataset
    >>> device = "cuda" if tc.cuda.is_available() else "cpu"
    >>> loader = DataLoader(TensorDataset(tc.arange(4.0)), batch_size=2, pin_memory=True)
    >>> [x.sum().item() for (x,) in prefetch(loader, device)]
    [1.0, 5.0]
    """
    if Device(device).type == "cpu":
        return (after_method(batch, "to", device) for batch in batches)
    return _one_ahead(iter(batches), _Copies(device))


def _one_ahead(batches: Iterator[Any], copies: _Copies) -> Iterator[Any]:
    try:
        coming = copies.begin(batches)
        while coming is not None:
            if isinstance(coming, Exception):
                raise coming
            present, coming = coming, copies.begin(batches)
            yield present.take()
    finally:
        copies.wait()


class _Copies:
    """Copies to one card, in a stream of their own."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.stream = _stream(card(device, "data.prefetch").id)
        self._under_way: deque[tuple[Event, Any]] = deque()

    def begin(self, batches: Iterator[Any]) -> _Copy | Exception | None:
        """Take the next batch and begin to copy it; None after the last."""
        try:
            batch = next(batches)
        except StopIteration:
            return None
        except Exception as error:
            return error
        self.stream.wait_stream(current_stream(self.device))
        with self.stream:
            there = after_method(batch, "to", self.device, non_blocking=True)
        copy = _Copy(there, self.stream.record_event(), self.device)
        while self._under_way and self._under_way[0][0].query():
            self._under_way.popleft()
        self._under_way.append((copy.event, batch))
        return copy

    def wait(self) -> None:
        """Until all copies are done."""
        while self._under_way:
            self._under_way.popleft()[0].synchronize()


class _Copy:
    """A batch on its way, and the event that marks its arrival."""

    def __init__(self, batch: Any, event: Event, device: str) -> None:
        self._batch, self.event, self._device = batch, event, device

    def take(self) -> Any:
        """The batch; what is computed from now on waits for it."""
        self.event.wait(current_stream(self._device))
        batch, self._batch = self._batch, None
        return batch


@cache
def _stream(number: int) -> Stream:
    """The stream of all copies to a card: CuPy keeps free memory for each stream."""
    return Stream(number)
