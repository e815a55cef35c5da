"""The table of translations: for each op, how its node is written.

A translation of a function takes a `Builder` and the function's arguments by name; that of a
`Function` takes them in order. Where tensors were there are `Value`s. It returns the name of the
result, or one name per result.
"""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType
from typing import Any, NamedTuple

Translation = Callable[..., Any]


class Entry(NamedTuple):
    """A translation, and whether it can be used for given arguments."""

    translate: Translation
    condition: Callable[..., bool] | None


TABLE: dict[Any, Entry] = {}


def translates(*ops: Any, when: Callable[..., bool] | None = None) -> Callable[[Translation], Translation]:
    """Enter the decorated function into the table, for functions and for subclasses of Function.

    Parameters
    ----------
    *ops : function or type
    when : callable, optional
        Gets the arguments; where it is false, the op is written as the ops that it is made of.
    """

    def enter(translate: Translation) -> Translation:
        for op in ops:
            TABLE[op] = Entry(translate, when)
        return translate

    return enter


def translate(op: Any, builder: Any, arguments: Any) -> Any:
    """The names of what `op` makes; None if the table does not have it."""
    entry = TABLE.get(op)
    return None if entry is None else _call(entry.translate, (builder,), arguments)


def is_whole(op: Any, arguments: Any) -> bool:
    """Whether the table has this call, so that what happens inside does not matter."""
    entry = TABLE.get(op)
    return entry is not None and (entry.condition is None or bool(_call(entry.condition, (), arguments)))


def _call(function: Callable[..., Any], first: tuple[Any, ...], arguments: Any) -> Any:
    if isinstance(arguments, dict):
        return function(*first, **arguments)
    return function(*first, *arguments)


def watched() -> dict[CodeType, Any]:
    """The functions that a recording looks out for: all public ops, and what the table has."""
    import tinyconv.io.onnx.translations  # noqa: F401 - fills the table
    from tinyconv import ops
    from tinyconv.ops import arrangement, operands, shape, transfer

    others = (shape.index, shape.assign, shape.clone, shape.contiguous, operands.astype, transfer.to)
    named = [getattr(ops, name) for name in ops.__all__]
    functions = [*named, *others, arrangement.repeat, *(op for op in TABLE if not isinstance(op, type))]
    return {function.__code__: function for function in functions}
