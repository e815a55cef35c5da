"""Run a test on each kernel backend."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterator
from unittest import mock

import tinyconv as tc
from tests.gpu import gpu

BACKENDS = ("reference", "auto")


@contextlib.contextmanager
def kernels(backend: str, threads: int | None = None) -> Iterator[None]:
    """Use this backend in the block; the fast one also where arrays are so small that it would not pay.

    ``"cuda"`` makes a GPU, or the emulator, the default device.
    Derivatives by differences are thousands of calls on tiny arrays: with ``threads=1`` no call
    waits for a second thread that a busy machine has no time for.
    """
    with contextlib.ExitStack() as stack:
        if backend == "cuda":
            stack.enter_context(gpu())
            stack.enter_context(tc.default_device("cuda"))
            backend = "auto"
        stack.enter_context(tc.num_threads(threads or tc.get_num_threads()))
        stack.enter_context(tc.kernel_backend(backend))
        if backend == "auto" and importlib.util.find_spec("numba"):
            from tinyconv.kernels.cpu import flat
            from tinyconv.kernels.cpu import threads as cpu_threads

            stack.enter_context(mock.patch.object(flat, "SMALL", 2))
            stack.enter_context(mock.patch.object(cpu_threads, "WORTH_SHARING", 0))
        yield
