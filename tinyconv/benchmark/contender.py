"""What a contender is: a class that turns a case into something to call."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from tinyconv.benchmark.case import Case

Array = Any


class Unsupported(Exception):
    """A contender does not do a task; the message says why."""


def nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Job:
    """A task made ready.

    Parameters
    ----------
    run : callable
        Does the task once; this is what is timed. It returns after the last result is there.
    results : callable
        Does the task once with dropout off and gives the arrays that must agree with the other
        contenders', by name. It is called before `run`.
    before : callable
        Called before each `run`, and not timed.
    seconds : callable, optional
        Does the task and gives the seconds of one call by another clock than the processor's.
    """

    run: Callable[[], object]
    results: Callable[[], dict[str, Array]]
    before: Callable[[], object] = nothing
    seconds: Callable[[], float] | None = None


class Contender(Protocol):
    """One engine in one setting. It lives in a process of its own.

    It is made by a function that takes the number of threads, and that is named to `race` as
    ``"package.module:function"``. It may raise ImportError. If it has a method ``peak(case, task)``, that is
    asked for memory in the place of the process: the answer is ``{"rest": bytes, "peak": bytes}``.
    """

    version: str

    def prepare(self, case: Case, task: str) -> Job:
        """Make everything that is needed to do `task`.

        Raises
        ------
        Unsupported
            If this engine cannot.
        """
        ...


def make(address: str, threads: int) -> Contender:
    """The contender that the function at `address` makes."""
    module, _, function = address.partition(":")
    return getattr(importlib.import_module(module), function)(threads)
