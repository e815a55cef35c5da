"""PyTorch's switches for cuDNN: all but `allow_tf32` change nothing.

The kernels are tinyconv's own. They choose how to compute by the shapes alone, so that a run with
the same seed gives the same numbers whatever stands here.
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
