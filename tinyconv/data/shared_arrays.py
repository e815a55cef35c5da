"""Answers of another process, whose arrays come through memory that both processes have.

A pipe takes a little at a time, and with each piece one process wakes the other: batches of 4 MiB that came
through it made the steps of a training on 2 cores longer by a tenth. So only the rest of an answer goes
through the pipe. The arrays lie in files without a name (`os.memfd_create`), which the system frees when the
last process that has them open ends, however it ends. Where there are none (macOS, Windows), all goes
through the pipe.
"""

from __future__ import annotations

import mmap
import os
import pickle
from itertools import accumulate
from multiprocessing import reduction
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import numpy as np

from tinyconv.errors import DataError

SMALL = 2**16
"""Bytes: fewer go through the pipe."""

ALIGNMENT = 64
"""Bytes: what arrays begin at multiples of."""


class _Head(NamedTuple):
    """What goes through the pipe.

    `content` is an answer without its arrays' memory, `parts` that memory where it is not shared. Else it is
    in file `place`, an array of each of the `sizes` (bytes) after the other; `fresh` says how large a file is
    that comes along, 0 if the other process has it.
    """

    content: bytes
    parts: list[bytes]
    place: int
    sizes: list[int]
    fresh: int


class Sender:
    """The end of the process that makes answers.

    Parameters
    ----------
    pipe : Connection
        Of two ends, both of which can send.
    places : int
        How many answers may be on their way at once: each has a file of its own, and the next one after
        these is written to the first file again.
    """

    def __init__(self, pipe: Connection, places: int) -> None:
        self.pipe = pipe
        self._sent = 0
        self._files: list[mmap.mmap | None] = [None] * places

    def send(self, answer: Any) -> None:
        """Send what can be pickled; what `pickle` raises if it cannot comes before anything is sent.

        Raises
        ------
        OSError
            If the other process has ended.
        """
        buffers: list[pickle.PickleBuffer] = []
        content = pickle.dumps(answer, protocol=5, buffer_callback=buffers.append)
        arrays = [np.frombuffer(buffer.raw(), np.uint8) for buffer in buffers]
        sizes = [array.size for array in arrays]
        starts, end = _places(sizes)
        place = self._sent % len(self._files)
        self._sent += 1
        number = self._make_room(place, end) if end >= SMALL else None
        file = self._files[place]
        if end < SMALL or file is None:
            self.pipe.send(_Head(content, [array.tobytes() for array in arrays], 0, [], 0))
            return
        memory = np.frombuffer(file, np.uint8)
        for start, array in zip(starts, arrays, strict=True):
            memory[start : start + array.size] = array
        self.pipe.send(_Head(content, [], place, sizes, 0 if number is None else end))
        if number is not None:
            reduction.send_handle(self.pipe, number, None)
            os.close(number)

    def _make_room(self, place: int, size: int) -> int | None:
        """Have a file of at least this size at a place; the number of a new one, None if there is no need.

        If the system gives none, none is there.
        """
        file = self._files[place]
        if file is not None and len(file) >= size:
            return None
        self._files[place] = None
        if not hasattr(os, "memfd_create"):
            return None
        number = None
        try:
            number = os.memfd_create("tinyconv", os.MFD_CLOEXEC)
            os.posix_fallocate(number, 0, size)  # where memory is short, an error now and not a signal later
            self._files[place] = mmap.mmap(number, size)
        except OSError:
            if number is not None:
                os.close(number)
            return None
        return number


class Receiver:
    """The end of the process that waits for answers."""

    def __init__(self, pipe: Connection) -> None:
        self.pipe = pipe
        self._files: dict[int, mmap.mmap] = {}

    def receive(self) -> Any:
        """The next answer; its arrays have memory of their own, each for itself.

        Raises
        ------
        EOFError, OSError
            If the other process has ended.
        DataError
            If this one may open no more files.
        """
        head = _Head(*self.pipe.recv())
        if head.fresh:
            self._files[head.place] = self._take_file(head.fresh)
        parts: list[Any] = [bytearray(part) for part in head.parts]
        if head.sizes:
            starts, end = _places(head.sizes)
            memory = np.frombuffer(self._files[head.place], np.uint8, end)
            parts = [memory[s : s + size].copy() for s, size in zip(starts, head.sizes, strict=True)]
        return pickle.loads(head.content, buffers=parts)  # noqa: S301 - what our own process has sent

    def _take_file(self, size: int) -> mmap.mmap:
        number = None
        try:
            number = reduction.recv_handle(self.pipe)
            return mmap.mmap(number, size)
        except (RuntimeError, OSError) as error:
            if isinstance(error, ConnectionError):
                raise
            expected = "fewer files open, or more allowed (ulimit -n)"
            raise DataError("DataLoader", "a worker's memory", f"closed to us ({error})", expected) from error
        finally:
            if number is not None:
                os.close(number)


def _places(sizes: list[int]) -> tuple[list[int], int]:
    """Where arrays of these sizes begin, and where the last one ends, rounded up.

    Examples
    --------
    >>> _places([100, 1, 64])
    ([0, 128, 192], 256)
    """
    *starts, end = accumulate((-(-size // ALIGNMENT) * ALIGNMENT for size in sizes), initial=0)
    return starts, end
