"""Say that kernels are being compiled, where somebody waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from numba.core import event

PATIENCE = 1.0
"""Seconds of compilation before anything is said."""

NOTICE = (
    "the kernels are compiled when they are first used on this machine, which can take a minute or two; "
    "the next run finds them ready"
)


@contextmanager
def say_when_compiling(say: Callable[[str], Any]) -> Iterator[None]:
    """Call `say` with a line of text, once, if kernels are compiled and not found on disk.

    Parameters
    ----------
    say : callable
        Called with a str when compilation has taken `PATIENCE` seconds, in the thread that compiles.

    Examples
    --------
    >>> with say_when_compiling(print):
    ...     pass
    """
    listener = _Listener(say)
    event.register("numba:compile", listener)
    try:
        yield
    finally:
        event.unregister("numba:compile", listener)


class _Listener(event.Listener):
    """Adds up the time of compilations; those of the functions that a kernel calls lie within its own."""

    def __init__(self, say: Callable[[str], Any]) -> None:
        self.say: Callable[[str], Any] | None = say
        self.depth, self.began, self.spent = 0, 0.0, 0.0

    def on_start(self, event: Any) -> None:
        if self.depth == 0:
            self.began = time.monotonic()
        self.depth += 1

    def on_end(self, event: Any) -> None:
        now = time.monotonic()
        self.depth -= 1
        if self.say is not None and self.spent + now - self.began >= PATIENCE:
            self.say(NOTICE)
            self.say = None
        if self.depth == 0:
            self.spent += now - self.began
