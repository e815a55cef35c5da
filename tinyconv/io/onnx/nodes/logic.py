"""Comparisons, truth values and bits, element by element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinyconv import ops
from tinyconv.errors import DtypeError
from tinyconv.io.onnx.node import Node
from tinyconv.io.onnx.nodes.arithmetic import of_one, of_two
from tinyconv.io.onnx.values import dtype_of
from tinyconv.ops.operands import astype
from tinyconv.tensor import Tensor


def of_truth(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A function of truth values, which does not take numbers."""

    def run(node: Node, a: Tensor, b: Tensor) -> Tensor:
        for x in (a, b):
            if x.dtype.kind != "b":
                raise DtypeError(node.op, "an input", f"of dtype {x.dtype}", "bool")
        return function(a, b)

    return run


def where(node: Node, condition: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """x where the condition holds, y elsewhere."""
    return ops.where(condition, x, y)


def is_inf(node: Node, x: Tensor) -> Tensor:
    """Where x is infinite, of the signs that the attributes ask for."""
    found = ops.isinf(x)
    if not node.flag("detect_positive", True):
        found = ops.logical_and(found, x < 0)
    if not node.flag("detect_negative", True):
        found = ops.logical_and(found, x > 0)
    return found


def cast(node: Node, x: Tensor) -> Tensor:
    """x in another dtype."""
    return astype(x, dtype_of(node.where, "attribute to", node.integer("to")))


def cast_like(node: Node, x: Tensor, like: Tensor) -> Tensor:
    """x in the dtype of another tensor."""
    return astype(x, like.dtype)


def bit_cast(node: Node, x: Tensor) -> Tensor:
    """The same bits read as another dtype of the same width; no gradient goes through them."""
    dtype = dtype_of(node.where, "attribute to", node.integer("to"))
    if dtype.itemsize != x.dtype.itemsize:
        raise DtypeError("BitCast", "to", dtype, f"a dtype as wide as {x.dtype}")
    return Tensor(x.array.view(dtype))


TABLE: dict[str, Callable[..., Any]] = {
    "And": of_truth(ops.logical_and),
    "BitCast": bit_cast,
    "BitwiseAnd": of_two(ops.bitwise_and),
    "BitwiseNot": of_one(ops.bitwise_not),
    "BitwiseOr": of_two(ops.bitwise_or),
    "BitwiseXor": of_two(ops.bitwise_xor),
    "Cast": cast,
    "CastLike": cast_like,
    "Equal": of_two(ops.eq),
    "Greater": of_two(ops.gt),
    "GreaterOrEqual": of_two(ops.ge),
    "IsInf": is_inf,
    "IsNaN": of_one(ops.isnan),
    "Less": of_two(ops.lt),
    "LessOrEqual": of_two(ops.le),
    "Not": of_one(ops.logical_not),
    "Or": of_truth(ops.logical_or),
    "Where": where,
    "Xor": of_truth(ops.logical_xor),
}
