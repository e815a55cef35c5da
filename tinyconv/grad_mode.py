"""Whether ops record the computation graph: a setting of its own in each thread."""

from __future__ import annotations

import contextlib
import threading
from types import TracebackType
from typing import Any


class _GradMode(threading.local):
    enabled = True
    anomaly = (False, False)  # see anomaly.py
    retain_graph = True  # in a backward: whether another may follow
    recorder: Any = None  # see recorder.py
    capture: Any = None  # see capture/


_grad_mode = _GradMode()


def is_grad_enabled() -> bool:
    """Whether ops record the graph in this thread."""
    return _grad_mode.enabled


class _GradModeBlock(contextlib.ContextDecorator):
    """Sets the grad mode for a block; one object may be entered repeatedly and nested."""

    _mode: bool

    def __init__(self) -> None:
        self._before: list[bool] = []

    def __enter__(self) -> None:
        self._before.append(_grad_mode.enabled)
        _grad_mode.enabled = self._mode

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _grad_mode.enabled = self._before.pop()


class no_grad(_GradModeBlock):  # noqa: N801 - PyTorch's name
    """Do not record ops in this block (or decorated function).

    Examples
    --------
    >>> import tinyconv as tc
    >>> w = tc.ones(2, requires_grad=True)
    >>> with tc.no_grad():
    ...     (w * 2).requires_grad
    False
    """

    _mode = False


class inference_mode(_GradModeBlock):  # noqa: N801 - PyTorch's name
    """Do not record ops in this block: `no_grad` by another name; ``inference_mode(False)`` records.

    Parameters
    ----------
    mode : bool
    """

    def __init__(self, mode: bool = True) -> None:
        super().__init__()
        self._mode = not mode


def is_inference_mode_enabled() -> bool:
    """Whether ops do not record the graph in this thread."""
    return not _grad_mode.enabled


class enable_grad(_GradModeBlock):  # noqa: N801 - PyTorch's name
    """Record ops in this block, also inside `no_grad`."""

    _mode = True


class set_grad_enabled(_GradModeBlock):  # noqa: N801 - PyTorch's name
    """Switch recording on or off: at once, for a ``with`` block, or for a decorated function."""

    def __init__(self, mode: bool) -> None:
        super().__init__()
        self._mode = bool(mode)
        self._at_creation: bool | None = _grad_mode.enabled
        _grad_mode.enabled = self._mode

    def __enter__(self) -> None:
        before, self._at_creation = self._at_creation, None
        self._before.append(_grad_mode.enabled if before is None else before)
        _grad_mode.enabled = self._mode

    def __call__(self, function: Any) -> Any:
        if self._at_creation is not None:
            _grad_mode.enabled, self._at_creation = self._at_creation, None
        return super().__call__(function)
