"""Arithmetic and functions of one number."""

from __future__ import annotations

from math import log, pi
from typing import Any

import numpy as np

from tinyconv.io.onnx.builder import Builder
from tinyconv.io.onnx.recording import Value
from tinyconv.io.onnx.table import translates
from tinyconv.ops import compound, division, elementwise, extremes, operands, transfer, trigonometry, unary

NODES = {
    elementwise.Add: "Add",
    elementwise.Sub: "Sub",
    elementwise.Mul: "Mul",
    elementwise.Div: "Div",
    elementwise.Pow: "Pow",
    elementwise.Where: "Where",
    elementwise.Neg: "Neg",
    elementwise.Exp: "Exp",
    elementwise.Log: "Log",
    unary.Abs: "Abs",
    unary.Sqrt: "Sqrt",
    unary.Sin: "Sin",
    unary.Cos: "Cos",
    trigonometry.Tan: "Tan",
    trigonometry.Asin: "Asin",
    trigonometry.Acos: "Acos",
    trigonometry.Atan: "Atan",
    trigonometry.Sinh: "Sinh",
    trigonometry.Cosh: "Cosh",
    extremes.Maximum: "Max",
    extremes.Minimum: "Min",
}
"""The ops that take tensors alone, and mean what the node of this name does."""


def _enter(op: Any, kind: str) -> None:
    @translates(op)
    def translate(builder: Builder, *inputs: Value) -> str:
        result = builder.call.outputs[0].dtype
        if op is elementwise.Where:
            condition, *values = inputs
            return builder.node(kind, [condition, *(builder.cast(x, result) for x in values)])
        if result.kind == "b":
            return builder.node({"Add": "Or", "Mul": "And", "Max": "Or", "Min": "And"}[kind], inputs)
        return builder.node(kind, [builder.cast(x, result) for x in inputs])


for _op, _kind in NODES.items():
    _enter(_op, _kind)


@translates(unary.Log1p)
def log1p(builder: Builder, x: Value) -> str:
    return builder.node("Log", [builder.node("Add", [x, builder.like(1, x)])])


@translates(unary.Expm1)
def expm1(builder: Builder, x: Value) -> str:
    return builder.node("Sub", [builder.node("Exp", [x]), builder.like(1, x)])


@translates(trigonometry.Atan2)
def atan2(builder: Builder, a: Value, b: Value) -> str:
    """Atan knows half of the angles; the others, of negative b, are half a turn away.

    -0 counts as 0, and where both are infinite there is no number.
    """
    zero = builder.like(0, a)
    positive = builder.node("Add", [b, zero])  # -0 + 0 is 0
    half = builder.node("Where", [builder.node("Less", [a, zero]), builder.like(-pi, a), builder.like(pi, a)])
    angle = builder.node("Atan", [builder.node("Div", [a, positive])])
    turned = builder.node(
        "Where", [builder.node("Less", [b, zero]), builder.node("Add", [angle, half]), angle]
    )
    none = builder.node("And", [builder.node("Equal", [x, zero]) for x in (a, b)])
    return builder.node("Where", [none, a, turned])


@translates(trigonometry.Log2)
def log2(builder: Builder, x: Value) -> str:
    return builder.node("Div", [builder.node("Log", [x]), builder.like(log(2), x)])


@translates(trigonometry.Log10)
def log10(builder: Builder, x: Value) -> str:
    return builder.node("Div", [builder.node("Log", [x]), builder.like(log(10), x)])


@translates(trigonometry.Exp2)
def exp2(builder: Builder, x: Value) -> str:
    return builder.node("Pow", [builder.like(2, x), x])


@translates(compound.FMod)
def fmod(builder: Builder, a: Value, b: Value) -> str:
    dtype = builder.call.outputs[0].dtype
    return builder.node("Mod", [builder.cast(a, dtype), builder.cast(b, dtype)], fmod=1)


@translates(unary.Zero)
def zero(builder: Builder, x: Value) -> str:
    return builder.node("Expand", [builder.like(0, x), builder.node("Shape", [x])])


@translates(unary.Steps)
def steps(builder: Builder, x: Value, kernel: str, decimals: int = 0) -> str:
    if kernel == "trunc":
        whole = builder.node("Floor", [builder.node("Abs", [x])])
        return builder.node("Mul", [builder.node("Sign", [x]), whole])
    kind = {"sign": "Sign", "floor": "Floor", "ceil": "Ceil", "round": "Round"}[kernel]
    if not decimals:
        return builder.node(kind, [x])
    factor = builder.like(10.0**decimals, x)
    return builder.node("Div", [builder.node(kind, [builder.node("Mul", [x, factor])]), factor])


@translates(division.FloorDivide)
def floor_divide(builder: Builder, a: Value, b: Value) -> str:
    dtype = builder.call.outputs[0].dtype
    x, y = builder.cast(a, dtype), builder.cast(b, dtype)
    if dtype.kind == "f":
        return builder.node("Floor", [builder.node("Div", [x, y])])
    rest = builder.node("Mod", [x, y])
    return builder.node("Div", [builder.node("Sub", [x, rest]), y])


@translates(division.Remainder)
def remainder(builder: Builder, a: Value, b: Value) -> str:
    dtype = builder.call.outputs[0].dtype
    x, y = builder.cast(a, dtype), builder.cast(b, dtype)
    if dtype.kind != "f":
        return builder.node("Mod", [x, y])
    whole = builder.node("Floor", [builder.node("Div", [x, y])])
    return builder.node("Sub", [x, builder.node("Mul", [y, whole])])


@translates(extremes.Clamp)
def clamp(builder: Builder, x: Value, low: Value | None, high: Value | None) -> str:
    dtype = builder.call.outputs[0].dtype
    limits = [None if limit is None else builder.cast(limit, dtype) for limit in (low, high)]
    y = builder.cast(x, dtype)
    if all(limit is None or limit.ndim == 0 for limit in (low, high)):
        return builder.node("Clip", [y, *limits])
    for kind, limit in zip(("Max", "Min"), limits, strict=True):
        y = y if limit is None else builder.node(kind, [y, limit])
    return y


@translates(operands.AsType)
def astype(builder: Builder, x: Value, dtype: Any) -> str:
    return builder.node("Cast", [x], to=builder.dtype(np.dtype(dtype)))


@translates(transfer.Transfer)
def to_device(builder: Builder, x: Value, device: str) -> str:
    return builder.name(x)
