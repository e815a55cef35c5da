"""The table of translations: for each op, how its node is written.

A translation of a function takes a `Builder` and those of the function's arguments that matter, by name;
that of a `Function` takes all, in order. Where tensors were there are `Value`s. It returns the name of the
result, or one name per result.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import CodeType
from typing import Any, NamedTuple

Translation = Callable[..., Any]


class Entry(NamedTuple):
    """A translation, and when it can be used.

    Attributes
    ----------
    translate : callable
    condition : callable or None
        Whether it can be used for given arguments.
    defaults : dict
        The arguments that it knows nothing of, which must be left at these values.
    """

    translate: Translation
    condition: Callable[..., bool] | None
    defaults: dict[str, Any]


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
            TABLE[op] = Entry(translate, when, _defaults(op, translate))
        return translate

    return enter


def _defaults(op: Any, translate: Translation) -> dict[str, Any]:
    known = inspect.signature(translate).parameters
    if isinstance(op, type) or any(p.kind is p.VAR_KEYWORD for p in known.values()):
        return {}
    return {name: p.default for name, p in inspect.signature(op).parameters.items() if name not in known}


def translate(op: Any, builder: Any, arguments: Any) -> Any:
    """The names of what `op` makes; None if the table does not have it."""
    entry = TABLE.get(op)
    if entry is None:
        return None
    if not isinstance(arguments, dict):
        return entry.translate(builder, *arguments)
    return entry.translate(builder, **{k: x for k, x in arguments.items() if k not in entry.defaults})


def is_whole(op: Any, arguments: Any) -> bool:
    """Whether the table has this call, so that what happens inside does not matter."""
    entry = TABLE.get(op)
    if entry is None or any(arguments[name] is not value for name, value in entry.defaults.items()):
        return False
    return entry.condition is None or bool(entry.condition(**arguments))


def code_of(function: Any) -> CodeType:
    """The code of a function, and not of what decorates it."""
    return inspect.unwrap(function).__code__


def watched() -> dict[CodeType, Any]:
    """The functions that a recording looks out for: all public ops, and what the table has."""
    import tinyconv.io.onnx.translations  # noqa: F401 - fills the table
    from tinyconv import ops
    from tinyconv.ops import arrangement, operands, shape, transfer

    others = (shape.index, shape.assign, shape.clone, shape.contiguous, operands.astype, transfer.to)
    named = [getattr(ops, name) for name in ops.__all__]
    functions = [*named, *others, arrangement.repeat, *(op for op in TABLE if not isinstance(op, type))]
    return {code_of(function): function for function in functions}
