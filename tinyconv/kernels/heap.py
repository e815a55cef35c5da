"""What the C library does with memory that is free: keep it for the next array, or give it back."""

from __future__ import annotations

import ctypes

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_SIZES = (1 << 30, 1 << 25)  # older versions of glibc accept no more than 32 MiB


def keep_large_blocks() -> bool:
    """Ask the C library to keep freed blocks for the next array; True if it agreed.

    By default glibc gives every large block back to the system, and the next array of that
    size is made of fresh pages, which the system must clear one by one: that takes longer
    than the arithmetic of an elementwise op. Other C libraries have no such call and are
    left alone.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    options = (_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD)
    return all(any(mallopt(option, size) for size in _SIZES) for option in options)


def give_back_free_blocks() -> bool:
    """Give the system what is kept and not in use; True if there was any.

    For after an exception to the rule, such as a recording that holds every array of a step: the
    blocks that it freed are many more than the next steps need, and would stay resident for good.
    """
    try:
        return bool(ctypes.CDLL(None).malloc_trim(0))
    except (AttributeError, OSError, TypeError):
        return False
