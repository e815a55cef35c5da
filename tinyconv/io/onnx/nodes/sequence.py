"""Sequences of tensors, which are tuples here, and what may be missing, which is None then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinyconv import ops
from tinyconv.errors import ArgumentError, DtypeError
from tinyconv.io.onnx.node import Node
from tinyconv.io.onnx.nodes._arguments import from_front, single, whole_numbers
from tinyconv.tensor import Tensor

Sequence = tuple[Tensor, ...]


def of_sequence(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose first input is a sequence."""

    def run(node: Node, sequence: Sequence, *others: Any) -> Any:
        if not isinstance(sequence, list | tuple):
            raise DtypeError(node.op, "input", f"a {type(sequence).__name__}", "a sequence of tensors")
        return function(node, tuple(sequence), *others)

    return run


def _place(node: Node, position: Tensor, lowest: int, highest: int) -> int:
    place = int(single(node, "position", position))
    if not lowest <= place <= highest:
        raise ArgumentError(node.op, "position", place, f"an int from {lowest} to {highest}")
    return place


def insert(node: Node, sequence: Sequence, x: Tensor, position: Tensor | None = None) -> tuple[Sequence]:
    """With one tensor more, at a place or at the end."""
    n = len(sequence)
    place = n if position is None else _place(node, position, -n, n)
    place = place + n if place < 0 else place
    return ((*sequence[:place], x, *sequence[place:]),)


def erase(node: Node, sequence: Sequence, position: Tensor | None = None) -> tuple[Sequence]:
    """Without one of the tensors: the last if no place is given."""
    n = len(sequence)
    place = (n - 1 if position is None else _place(node, position, -n, n - 1)) % max(n, 1)
    return ((*sequence[:place], *sequence[place + 1 :]),)


def at(node: Node, sequence: Sequence, position: Tensor) -> Tensor:
    """One of the tensors."""
    return sequence[_place(node, position, -len(sequence), len(sequence) - 1)]


def concat(node: Node, sequence: Sequence) -> Tensor:
    """The tensors one after the other along an axis, or along a new one."""
    join = ops.stack if node.flag("new_axis") else ops.cat
    return join(list(sequence), node.integer("axis"))


def split(node: Node, x: Tensor, sizes: Tensor | None = None) -> tuple[Sequence]:
    """Parts along an axis: of one size, of given sizes, or slices."""
    axis = from_front(node, (node.integer("axis", 0),), x.ndim)[0]
    if sizes is None:
        parts = ops.split(x, 1, axis)
        kept = node.flag("keepdims", True)
        return (parts if kept else tuple(ops.squeeze(part, axis) for part in parts),)
    lengths = whole_numbers(node, "split", sizes)
    return (ops.split(x, lengths[0] if sizes.ndim == 0 else list(lengths), axis),)


def get_element(node: Node, x: Any) -> tuple[Any]:
    """What an optional value holds."""
    if x is None:
        raise ArgumentError(node.op, "input", "empty", "an optional value that holds something")
    return (x,)


TABLE: dict[str, Callable[..., Any]] = {
    "ConcatFromSequence": of_sequence(concat),
    "Optional": lambda node, x=None: (x,),
    "OptionalGetElement": get_element,
    "OptionalHasElement": lambda node, x=None: Tensor(np.array(x is not None)),
    "SequenceAt": of_sequence(at),
    "SequenceConstruct": lambda node, *tensors: (tensors,),
    "SequenceEmpty": lambda node: ((),),
    "SequenceErase": of_sequence(erase),
    "SequenceInsert": of_sequence(insert),
    "SequenceLength": of_sequence(lambda node, sequence: Tensor(np.array(len(sequence), np.int64))),
    "SplitToSequence": split,
}
