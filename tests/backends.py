"""Run a test on each kernel backend."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterator
from unittest import mock

import tinyconv as tc

BACKENDS = ("reference", "auto")


@contextlib.contextmanager
def kernels(backend: str) -> Iterator[None]:
    """Use this backend in the block; the fast one also where arrays are so small that it would not pay."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(tc.kernel_backend(backend))
        if backend == "auto" and importlib.util.find_spec("numba"):
            from tinyconv.kernels.cpu import flat

            stack.enter_context(mock.patch.object(flat, "SMALL", 2))
        yield
