"""How many threads the Numba kernels use."""

from __future__ import annotations

import numba

from tinyconv.device import get_num_threads


def use_threads() -> int:
    """Tell Numba to use `tinyconv.get_num_threads()` threads, and return that number.

    Each public kernel calls this first: Numba keeps the number per calling thread.
    """
    count = min(get_num_threads(), vars(numba.config)["NUMBA_NUM_THREADS"])
    numba.set_num_threads(count)
    return count
