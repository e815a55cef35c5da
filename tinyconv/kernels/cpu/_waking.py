"""On which core a thread that sleeps wakes up.

Threads that had no work for a while sleep. Linux may wake one on the very core of the thread that calls a
kernel, and that one waits for it there in a busy loop: each kernel then takes as long as the loop, until
the scheduler moves one of the two, tens of milliseconds later. On 2 cores a third of the pauses ended so,
and dense layers that take 0.11 ms took 0.65 ms some fifty times. So after a pause the others are told to
wake on another core, and with the kernel after that one they may run anywhere again.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import threading
from typing import Any

import numpy as np
from llvmlite import ir
from numba import prange, types
from numba.core import cgutils
from numba.extending import intrinsic

from tinyconv.kernels.cpu.options import parallel

Array = Any

CHOSEN = ("OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY", "KMP_AFFINITY")
"""Who sets one of these in the environment has said where threads run."""


class _Others(threading.local):
    """The others that compute for this thread, by how many there are in all; where the moved ones may run."""

    def __init__(self) -> None:
        self.numbers: dict[int, list[int]] = {}
        self.moved: dict[int, set[int]] = {}


_others = _Others()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_others.__init__)  # type: ignore[misc]  # they are the parent's

_this_core: Any = getattr(ctypes.CDLL(None), "sched_getcpu", None) if os.name == "posix" else None
_can_move = _this_core is not None and hasattr(ctypes.CDLL(None), "gettid")


def wake_elsewhere(count: int) -> bool:
    """Keep the others of `count` threads off the core of this one; whether that was done.

    Who may not run where this one may was put there by somebody, and stays there. Until `wake_anywhere`
    they keep off that core, even if this thread leaves it.
    """
    if not _can_move or any(name in os.environ for name in CHOSEN):
        return False
    wake_anywhere()
    cores = os.sched_getaffinity(0)
    if len(cores) < count:
        return False
    elsewhere = cores - {_this_core()}
    try:
        for number in _numbers_of(count):
            if os.sched_getaffinity(number) == cores:
                os.sched_setaffinity(number, elsewhere)
                _others.moved[number] = cores
    except OSError:  # one of them has ended
        del _others.numbers[count]
    return bool(_others.moved)


def wake_anywhere() -> None:
    """Let those that were moved run where they could before."""
    for number, cores in _others.moved.items():
        with contextlib.suppress(OSError):
            if _is_here(number):
                os.sched_setaffinity(number, cores)
    _others.moved.clear()


def _numbers_of(count: int) -> list[int]:
    """The others' numbers; none where this thread only waits for those that compute (Numba's work queue)."""
    known = _others.numbers.get(count)
    if known is None or not all(map(_is_here, known)):
        found = np.zeros(count, np.int32)
        _numbers(found)
        own, numbers = threading.get_native_id(), {int(n) for n in found}
        known = _others.numbers[count] = sorted(numbers - {own}) if own in numbers else []
    return known


def _is_here(number: int) -> bool:
    """Whether a thread of this process has that number: one that has ended leaves it to any program."""
    return os.path.exists(f"/proc/self/task/{number}")


def _own_number(typingctx: Any) -> Any:
    """The number that the system has given to the thread that runs this."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(ir.IntType(32), [])
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, "gettid"), [])

    return types.int32(), generate


own_number: Any = intrinsic(_own_number)


@parallel
def _numbers(found: Array) -> None:
    for n in prange(found.size):
        found[n] = own_number()
