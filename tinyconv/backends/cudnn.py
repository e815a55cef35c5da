"""PyTorch's switches for cuDNN: all but `allow_tf32` change nothing.

The kernels are tinyconv's own, and matrix products are cuBLAS's: cuDNN is never called, nor are
algorithms tried out against each other.
"""

import sys
from types import ModuleType

from tinyconv.backends.tf32 import Tf32

enabled = False
benchmark = False
deterministic = True


def is_available() -> bool:
    """Whether cuDNN is used: never."""
    return False


def version() -> None:
    """The version of cuDNN: there is none."""
    return


class _Module(Tf32, ModuleType):
    """The module, which has `allow_tf32`."""


sys.modules[__name__].__class__ = _Module
