"""How many threads the Numba kernels use, and how they wait for each other."""

from __future__ import annotations

import os
import threading
from functools import cache
from time import perf_counter

import numba

from tinyconv.device import available_threads, get_num_threads

WORTH_SHARING = 2**18
PAUSE = 0.01
"""Seconds between two kernels after which threads surely sleep; most kernels themselves take less."""
LONG_AGO = 1e-9
"""Stands for when threads last had work while they are apart, so that the next kernel asks `_wake` again."""
SPIN = {"GOMP_SPINCOUNT": "20000", "KMP_BLOCKTIME": "1"}


def wait_briefly() -> None:
    """Let a thread that waits for the others sleep soon, unless the environment says otherwise.

    OpenMP's threads wait in a busy loop. Between two kernels that saves a few microseconds, but
    when another program needs a core, waiting threads use up the time that the working one
    lacks. A U-Net step on 2 cores, one of them shared with another program, took 1.1 to 3.5 s
    with long loops and 1.0 to 1.1 s with short ones; with both cores free, 0.5 s either way.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        for name, value in SPIN.items():
            os.environ.setdefault(name, value)


class _Used(threading.local):
    """`at`: when threads were last given work; `apart`: when they were told to wake apart."""

    count = 0
    at = 0.0
    apart = 0.0


_used = _Used()


def use_threads(products: int | None = None) -> int:
    """Tell Numba to use `tinyconv.get_num_threads()` threads, and return that number.

    Each public kernel calls this first: Numba keeps the number per calling thread, and is told it
    only where it changes, because that takes as long as a small kernel. A kernel
    with only a few `products` to add up gets one thread: to wake and await another would take
    longer than the work, and far longer where another program keeps the cores busy.
    """
    count = min(get_num_threads(), vars(numba.config)["NUMBA_NUM_THREADS"])
    if products is not None and products < WORTH_SHARING:
        count = 1
    if count != _used.count:
        numba.set_num_threads(count)
        _used.count = count
    if count > 1:
        now = perf_counter()
        if now - _used.at < PAUSE:
            _used.at = now
        else:
            _wake(count, now)
    return count


def _wake(count: int, now: float) -> None:
    """After a pause the threads wake apart; with the next kernel they may run anywhere again."""
    from tinyconv.kernels.cpu import _waking  # it is made of kernels, which call this

    if now - _used.apart < PAUSE:
        _waking.wake_anywhere()
        _used.at = now
    else:
        apart = _used.at > 0 and _waking.wake_elsewhere(count)
        _used.at, _used.apart = (LONG_AGO, perf_counter()) if apart else (now, 0.0)


@cache
def cores() -> int:
    """The most threads that a kernel of this process can have, whatever `tinyconv.set_num_threads` says.

    Sums that are cut into parts are cut into so many, so that the last bits of a result depend on the
    machine, but not on the number of threads.
    """
    return min(available_threads(), vars(numba.config)["NUMBA_NUM_THREADS"])
