"""Kernels that several Python threads call: at once where Numba's threads can serve that, else in turn.

Numba shares loops among threads through TBB, OpenMP or, where neither is found, a work queue of its own.
The last serves one caller at a time; a second one ends the whole process. See "Threading layers" in
Numba's manual.
"""

from __future__ import annotations

import importlib
import os
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

import numba

WORK_QUEUE = "workqueue"
MODULES = {"tbb": "numba.np.ufunc.tbbpool", "omp": "numba.np.ufunc.omppool"}


@cache
def serves_one_at_a_time() -> bool:
    """Whether Numba's threads are, or will be, those of the work queue."""
    try:
        return numba.threading_layer() == WORK_QUEUE
    except ValueError:  # there are none before the first parallel loop
        pass
    wanted = vars(numba.config)["THREADING_LAYER"]
    return wanted == WORK_QUEUE or not any(map(_can_be_imported, MODULES.values()))


def _can_be_imported(module: str) -> bool:
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


class _Turn:
    """Whose turn it is; a fork has a new one, as no thread that could end the other's is left."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._renew)

    def _renew(self) -> None:
        self.lock = threading.Lock()


_turn = _Turn()


class InTurn:
    """A compiled kernel that is called by one thread at a time; in all else it is the kernel."""

    def __init__(self, kernel: Any) -> None:
        self.kernel = kernel

    def __call__(self, *arguments: Any) -> Any:
        with _turn.lock:
            return self.kernel(*arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.kernel, name)


def in_turn(kernel: Callable[..., Any]) -> Any:
    """The kernel, to be called by any number of threads."""
    return InTurn(kernel) if serves_one_at_a_time() else kernel
