"""PyTorch's switches for cuDNN: they may be set, and change nothing.

The kernels are tinyconv's own. They choose how to compute by the shapes alone, so that a run with
the same seed gives the same numbers whatever stands here.
"""

enabled = False
benchmark = False
deterministic = True
allow_tf32 = False


def is_available() -> bool:
    """Whether cuDNN is used: never."""
    return False


def version() -> None:
    """The version of cuDNN: there is none."""
    return
