"""Stream capture of the stand-in: work is written down, and done when the graph is launched.

As on a card nothing is computed in the meantime: a kernel does not run, and an array that would hold
a result holds NaN. To ask for a number, or to bring numbers from the host, is an error then.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tinyconv.kernels.cuda.emulator import orders

Work = Callable[[], Any]

_recording: list[Work] | None = None


def is_recording() -> bool:
    """Whether a stream is capturing."""
    return _recording is not None


def begin() -> None:
    """Write down what comes from now on."""
    global _recording
    refuse_while_recording()
    _recording = []


def end() -> Graph:
    """The graph of what came since `begin`."""
    global _recording
    work, _recording = _recording, None
    if work is None:
        raise _error("cudaErrorIllegalState: the stream is not capturing")
    return Graph(work)


def do(work: Work, name: str | None = None) -> None:
    """Do this now, or when the graph is launched."""
    if _recording is None:
        orders.note(orders.WORK, name)
        work()
    else:
        _recording.append(work)


def computed(result: Any, again: Work) -> Any:
    """`result`, which `again` computes anew; while a stream is capturing it is written down, and made NaN."""
    if _recording is None:
        orders.note(orders.WORK)
        return result
    for place, made in enumerate(result if isinstance(result, tuple | list) else [result]):
        if getattr(made, "base", made) is None:  # new memory, and no view of other
            _recording.append(partial(_put, made._host, again, place))
            made._host.fill(np.nan if made.dtype.kind == "f" else 1)
    return result


def _put(host: np.ndarray, again: Work, place: int) -> None:
    value = again()
    host[...] = value[place] if isinstance(value, tuple | list) else value


def refuse_while_recording() -> None:
    """An error if a stream is capturing."""
    if _recording is not None:
        raise _error("cudaErrorStreamCaptureUnsupported: operation not permitted when stream is capturing")


def read_by_the_host() -> None:
    """A number is asked for: the host waits, and no stream may be capturing."""
    refuse_while_recording()
    orders.note(orders.READ)


def _error(text: str) -> Exception:
    from tinyconv.kernels.cuda.emulator.card import CUDARuntimeError

    status, _, message = text.partition(": ")
    return CUDARuntimeError(status, message)


class Graph:
    """Stands for `cupy.cuda.graph.Graph`.

    Attributes
    ----------
    launches : int
        How often it was launched.
    """

    def __init__(self, work: list[Work]) -> None:
        self.work, self.launches = work, 0

    def launch(self, stream: Any = None) -> None:
        """Do all of it."""
        self.launches += 1
        for work in self.work:
            do(work)
