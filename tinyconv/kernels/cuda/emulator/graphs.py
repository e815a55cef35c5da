"""Stream capture of the stand-in: work is written down, and done when the graph is launched.

As on a card nothing is computed in the meantime: a kernel does not run, and an array that would hold
a result holds NaN. To ask for a number, to bring numbers from the host, or to call cuBLAS is an error of
CuPy's then. To wait for that stream is one of CUDA's, and breaks the recording.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from tinyconv.kernels.cuda.emulator import orders

Work = Callable[[], Any]

CALL_CUBLAS = frozenset(("dot", "einsum", "inner", "kron", "matmul", "outer", "tensordot", "vdot"))
"""CuPy's functions that do, for floats."""

JOIN = frozenset(("column_stack", "concat", "concatenate", "dstack", "hstack", "stack", "vstack"))
FEW_ARRAYS, FEW_BYTES = 8, 2 << 20
"""More arrays than these, of one dtype and with fewer bytes each in the mean, are joined by one kernel of
CuPy's; it reads their addresses from an array, which comes from the host."""

_recording: list[Work] | None = None
_stream = 0
_is_broken = False


def is_recording() -> bool:
    """Whether a stream is capturing."""
    return _recording is not None


def begin(stream: int) -> None:
    """Write down what comes from now on; `stream` is the `ptr` of the one that is capturing."""
    global _recording, _stream, _is_broken
    if _recording is not None:
        raise _error("cudaErrorIllegalState: the stream is capturing")
    _recording, _stream, _is_broken = [], stream, False


def end() -> Graph:
    """The graph of what came since `begin`."""
    global _recording
    work, _recording = _recording, None
    if work is None:
        raise _error("cudaErrorIllegalState: the stream is not capturing")
    if _is_broken:
        raise _error(
            "cudaErrorStreamCaptureInvalidated: operation failed due to a previous error during capture"
        )
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


def wait_for(stream: int) -> None:
    """The host waits for a stream: if that is capturing it is an error, and the end of the recording, too."""
    if stream == _stream:
        wait_for_all()


def wait_for_all() -> None:
    """The host waits for all streams of a card, of which one may be capturing."""
    global _is_broken
    if _recording is not None:
        _is_broken = True
        raise _error("cudaErrorStreamCaptureUnsupported: operation not permitted when stream is capturing")


def copied_from_the_host() -> None:
    """Numbers come from the host; no stream may be capturing."""
    _refuse_a_copy("H2D transfers")


def read_by_the_host() -> None:
    """A number is asked for: the host waits, and no stream may be capturing."""
    _refuse_a_copy("D2H transfers")
    orders.note(orders.READ)


def call_of(name: str, *arguments: Any) -> None:
    """A function of CuPy's is called; if it is one of cuBLAS or of addresses, no stream may be capturing."""
    if _recording is None or name not in CALL_CUBLAS | JOIN:
        return
    arrays = [value for value in _flat(arguments) if hasattr(value, "dtype")]
    if name in JOIN:
        is_one_kernel = len(arrays) > FEW_ARRAYS and len({array.dtype for array in arrays}) == 1
        if is_one_kernel and sum(array.nbytes for array in arrays) < FEW_BYTES * len(arrays):
            copied_from_the_host()
        return
    is_a_product = len(arrays) > 1 and all(array.size for array in arrays)
    if is_a_product and any(array.dtype.kind in "fc" for array in arrays):
        raise NotImplementedError("calling cuBLAS API during stream capture is currently unsupported")


def _flat(values: Any) -> Iterator[Any]:
    for value in values:
        yield from _flat(value) if isinstance(value, list | tuple) else (value,)


def _refuse_a_copy(kind: str) -> None:
    if _recording is not None:
        raise RuntimeError(f"the current stream is capturing, so {kind} are disallowed")


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
