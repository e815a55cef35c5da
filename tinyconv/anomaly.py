"""Find the op that made a NaN: its name, and the line of the forward that called it."""

from __future__ import annotations

import contextlib
import linecache
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any

from tinyconv.errors import GraphError
from tinyconv.grad_mode import _grad_mode

if TYPE_CHECKING:
    from tinyconv.function import Function

USERS_OWN = ("tinyconv.models", "tinyconv.lessons")
"""Rooms whose lines are told as a user's are: they are written with the engine, not part of it."""


class set_detect_anomaly:  # noqa: N801 - PyTorch's name
    """Switch the search for NaN on or off, at once; as a ``with`` block, only inside it.

    Parameters
    ----------
    mode : bool
        Whether ops note the line that called them.
    check_nan : bool
        Whether a backward that produces NaN is an error.
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._before = _grad_mode.anomaly
        _grad_mode.anomaly = (bool(mode), bool(mode) and bool(check_nan))

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _grad_mode.anomaly = self._before


class detect_anomaly(contextlib.ContextDecorator):  # noqa: N801 - PyTorch's name
    """In this block, a backward that produces NaN names its op and the line of the forward.

    The forward must run in the block too, for its lines to be known. Everything becomes slower.

    Examples
    --------
    >>> import tinyconv as tc
    >>> x = tc.zeros(1, requires_grad=True)
    >>> with tc.autograd.detect_anomaly():
    ...     try:
    ...         (tc.log(x) * 0).sum().backward()
    ...     except tc.errors.GraphError as error:
    ...         print(str(error).partition(",")[0])
    Log.backward: gradient 0 is nan at 1 of 1 elements
    """

    def __init__(self, check_nan: bool = True) -> None:
        self._mode = (True, bool(check_nan))
        self._before: list[tuple[bool, bool]] = []

    def __enter__(self) -> None:
        self._before.append(_grad_mode.anomaly)
        _grad_mode.anomaly = self._mode

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _grad_mode.anomaly = self._before.pop()


def is_anomaly_enabled() -> bool:
    """Whether ops note the line that called them."""
    return _grad_mode.anomaly[0]


def is_anomaly_check_nan_enabled() -> bool:
    """Whether a backward that produces NaN is an error."""
    return _grad_mode.anomaly[1]


def calling_line() -> str:
    """``file:line, in function: source`` of the innermost call from outside the engine."""
    frame = sys._getframe(1)
    while frame.f_back is not None and _is_engine(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
    code = frame.f_code
    source = linecache.getline(code.co_filename, frame.f_lineno).strip()
    return f"{code.co_filename}:{frame.f_lineno}, in {code.co_name}" + (f": {source}" if source else "")


def _is_engine(module: str) -> bool:
    return module.partition(".")[0] == "tinyconv" and not module.startswith(USERS_OWN)


def check_finite(node: Function, grads: tuple[Any, ...], arrived: list[Any]) -> None:
    """Raise if a gradient that ``node.backward`` returned has NaN in it."""
    for index, grad in enumerate(grads):
        if grad is None or grad.dtype.kind != "f":
            continue
        count = int((grad.array != grad.array).sum())
        if count:
            came_so = any((g.array != g.array).any() for g in arrived if g is not None)
            raise GraphError(
                f"{node.name}.backward",
                f"gradient {index}",
                f"nan at {count} of {grad.array.size} elements",
                "numbers"
                + (" (nan came in already)" if came_so else "")
                + "; the forward was "
                + (node.made_at or "outside of detect_anomaly, so that its line is not known"),
            )
