"""NumPy's names of arguments, which PyTorch takes too: `axis` for `dim`, `keepdims` for `keepdim`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from tinyconv.device import on_its_gpu
from tinyconv.errors import ArgumentError

Op = TypeVar("Op", bound=Callable[..., Any])

NAMES = {"axis": "dim", "keepdims": "keepdim"}


def numpy_names(op: Op) -> Op:
    """The op, which takes ``axis=`` as ``dim=`` and ``keepdims=`` as ``keepdim=``.

    Raises
    ------
    ArgumentError
        In the call, if an argument is given under both its names.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.ones(2, 3).sum(axis=1, keepdims=True).shape
    (2, 1)
    """
    on_gpu = on_its_gpu(op)

    @wraps(op)
    def renamed(*arguments: Any, **named: Any) -> Any:
        for name, own in NAMES.items() if named else ():
            if name in named:
                if own in named:
                    raise ArgumentError(
                        op.__name__, name, f"{named[name]!r}, next to {own}", "one of the two"
                    )
                named[own] = named.pop(name)
        return on_gpu(*arguments, **named)

    return cast(Op, renamed)
