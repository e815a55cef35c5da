"""How the elementwise-like kernels are compiled: pass these to ``numba.njit``.

A kernel is compiled when it is first called, once per machine (`cache`). Only the joining of
a product and a sum into one instruction is allowed (`contract`): the other liberties of fast
mathematics would lose NaN and inf. Division by zero gives inf or NaN, as NumPy has it: the
check for Python's ZeroDivisionError would keep a loop from using vector instructions.
"""

from __future__ import annotations

from typing import Any

_ARITHMETIC: dict[str, Any] = {"fastmath": {"contract"}, "error_model": "numpy"}

PARALLEL: dict[str, Any] = {"parallel": True, "nogil": True, "cache": True, **_ARITHMETIC}
"""A loop over a whole array, shared among the threads."""

SERIAL: dict[str, Any] = {"nogil": True, "cache": True, **_ARITHMETIC}
"""A kernel for one thread."""

INLINE: dict[str, Any] = {"forceinline": True, **_ARITHMETIC}
"""A piece of a loop: without a call in its body a loop can use vector instructions."""
