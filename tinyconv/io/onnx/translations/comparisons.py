"""Comparisons and logic."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv import ops
from tinyconv.io.onnx.builder import Builder
from tinyconv.io.onnx.recording import Value
from tinyconv.io.onnx.sizes import Size
from tinyconv.io.onnx.table import translates
from tinyconv.ops.operands import as_operands
from tinyconv.tensor import Tensor

COMPARISONS = {
    ops.eq: ("Equal", False),
    ops.ne: ("Equal", True),
    ops.lt: ("Less", False),
    ops.le: ("LessOrEqual", False),
    ops.gt: ("Greater", False),
    ops.ge: ("GreaterOrEqual", False),
}
"""The node, and whether its answer is turned over."""

LOGIC = {ops.logical_and: "And", ops.logical_or: "Or", ops.logical_xor: "Xor"}
BITS = {ops.bitwise_and: "And", ops.bitwise_or: "Or", ops.bitwise_xor: "Xor"}


def operands(builder: Builder, input: Any, other: Any) -> tuple[np.dtype[Any], list[str]]:
    """The dtype that two operands meet in, and their names after conversion."""
    pair = [Tensor(x.array) if isinstance(x, Value) else x for x in (input, other)]
    a, b = as_operands(builder.call.name, *pair)
    dtype = np.result_type(a.dtype, b.dtype)
    names = []
    for given, tensor in zip((input, other), (a, b), strict=True):
        if isinstance(given, Value):
            names.append(builder.cast(given, dtype))
        elif isinstance(given, Size):
            whole = builder.node("Squeeze", [builder.ints([given]), np.array([0])])
            names.append(builder.node("Cast", [whole], to=builder.dtype(dtype)))
        else:
            names.append(builder.constant(tensor.array.astype(dtype)))
    return dtype, names


def _enter(op: Any, kind: str, turned: bool) -> None:
    @translates(op)
    def translate(builder: Builder, input: Any, other: Any) -> str:
        answer = builder.node(kind, operands(builder, input, other)[1])
        return builder.node("Not", [answer]) if turned else answer


for _op, (_kind, _turned) in COMPARISONS.items():
    _enter(_op, _kind, _turned)


def _enter_logic(op: Any, kind: str) -> None:
    @translates(op)
    def translate(builder: Builder, input: Value, other: Value) -> str:
        return builder.node(kind, [builder.cast(x, np.bool_) for x in (input, other)])


for _op, _kind in LOGIC.items():
    _enter_logic(_op, _kind)


def _enter_bits(op: Any, kind: str) -> None:
    @translates(op)
    def translate(builder: Builder, input: Any, other: Any) -> str:
        dtype, names = operands(builder, input, other)
        return builder.node(kind if dtype.kind == "b" else f"Bitwise{kind}", names)


for _op, _kind in BITS.items():
    _enter_bits(_op, _kind)


@translates(ops.logical_not)
def logical_not(builder: Builder, input: Value) -> str:
    return builder.node("Not", [builder.cast(input, np.bool_)])


@translates(ops.bitwise_not)
def bitwise_not(builder: Builder, input: Value) -> str:
    return builder.node("Not" if input.dtype.kind == "b" else "BitwiseNot", [input])


@translates(ops.isnan)
def isnan(builder: Builder, input: Value) -> str:
    return builder.node("IsNaN", [input])


@translates(ops.isinf)
def isinf(builder: Builder, input: Value) -> str:
    return builder.node("IsInf", [input])


@translates(ops.isfinite)
def isfinite(builder: Builder, input: Value) -> str:
    either = builder.node("Or", [builder.node("IsNaN", [input]), builder.node("IsInf", [input])])
    return builder.node("Not", [either])
