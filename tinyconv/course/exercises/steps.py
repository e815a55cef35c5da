"""What the judge asks a student's process to do: a few calls, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinyconv.course.exercises.wire import Kept


@dataclass(frozen=True)
class Step:
    """One thing to do: look up `target`, call it with `values` unless `call` is false, keep the result.

    `target` is a name of the student's module, or of something kept, with attributes: ``"op.backward"``.
    """

    target: str
    values: tuple[Any, ...] = ()
    keep: str = ""
    call: bool = True


def call(target: str, *values: Any, keep: str = "") -> Step:
    """Call a function or method of the student's; `keep` gives the result a name for later steps.

    Examples
    --------
    >>> steps = [call("Divide", keep="op"), call("op.forward", 6.0, 3.0), call("op.backward", 1.0)]
    >>> steps[1].target
    'op.forward'
    """
    return Step(target, values, keep)


def get(target: str, keep: str = "") -> Step:
    """Read a name or an attribute, e.g. ``get("layer.weight")``."""
    return Step(target, (), keep, call=False)


def together(*names: str) -> Step:
    """A tuple of kept results, to be judged together."""
    return Step("", tuple(Kept(name) for name in names))


def kept(name: str) -> Kept:
    """A kept result as an argument of a later step."""
    return Kept(name)
