"""What kernels are told of CUDA graphs.

CuPy refuses calls of cuBLAS in a stream that is being recorded. Kernels that would call it ask
`is_for_a_graph`, and do without. Whoever compares a graph with its kernels calls these in the same way, since
two ways to add up the same products round differently.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_thread = threading.local()


@contextmanager
def for_a_graph() -> Iterator[None]:
    """In this block, kernels do what a graph can hold."""
    before, _thread.is_for_a_graph = is_for_a_graph(), True
    try:
        yield
    finally:
        _thread.is_for_a_graph = before


def is_for_a_graph() -> bool:
    """Whether this is in a block of `for_a_graph`, in this thread."""
    return getattr(_thread, "is_for_a_graph", False)
