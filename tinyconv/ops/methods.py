"""Attach the ops to `Tensor` as operators and methods."""

from __future__ import annotations

from typing import Any

from tinyconv.ops import (
    activation,
    comparison,
    division,
    elementwise,
    extremes,
    matmul,
    reduction,
    shape,
    softmax,
    unary,
)
from tinyconv.tensor import Tensor


def _reversed(op: Any) -> Any:
    return lambda self, other: op(other, self)


def _equality(op: Any, answer_for_none: bool) -> Any:
    return lambda self, other: answer_for_none if other is None else op(self, other)


OPERATORS = {
    "__add__": elementwise.add,
    "__radd__": _reversed(elementwise.add),
    "__sub__": elementwise.sub,
    "__rsub__": _reversed(elementwise.sub),
    "__mul__": elementwise.mul,
    "__rmul__": _reversed(elementwise.mul),
    "__truediv__": elementwise.div,
    "__rtruediv__": _reversed(elementwise.div),
    "__pow__": elementwise.pow,
    "__rpow__": _reversed(elementwise.pow),
    "__neg__": elementwise.neg,
    "__matmul__": matmul.matmul,
    "__getitem__": shape.index,
    "__setitem__": shape.assign,
    "__abs__": unary.abs,
    "__floordiv__": division.floor_divide,
    "__rfloordiv__": _reversed(division.floor_divide),
    "__mod__": division.remainder,
    "__rmod__": _reversed(division.remainder),
    "__eq__": _equality(comparison.eq, False),
    "__ne__": _equality(comparison.ne, True),
    "__lt__": comparison.lt,
    "__le__": comparison.le,
    "__gt__": comparison.gt,
    "__ge__": comparison.ge,
    "__and__": comparison.bitwise_and,
    "__rand__": _reversed(comparison.bitwise_and),
    "__or__": comparison.bitwise_or,
    "__ror__": _reversed(comparison.bitwise_or),
    "__xor__": comparison.bitwise_xor,
    "__rxor__": _reversed(comparison.bitwise_xor),
    "__invert__": comparison.bitwise_not,
}

METHODS = {
    "add": elementwise.add,
    "sub": elementwise.sub,
    "mul": elementwise.mul,
    "div": elementwise.div,
    "pow": elementwise.pow,
    "exp": elementwise.exp,
    "log": elementwise.log,
    "neg": elementwise.neg,
    "abs": unary.abs,
    "sqrt": unary.sqrt,
    "rsqrt": unary.rsqrt,
    "square": unary.square,
    "reciprocal": unary.reciprocal,
    "sin": unary.sin,
    "cos": unary.cos,
    "log1p": unary.log1p,
    "expm1": unary.expm1,
    "sign": unary.sign,
    "floor": unary.floor,
    "ceil": unary.ceil,
    "trunc": unary.trunc,
    "round": unary.round,
    "clamp": extremes.clamp,
    "maximum": extremes.maximum,
    "minimum": extremes.minimum,
    "floor_divide": division.floor_divide,
    "remainder": division.remainder,
    "eq": comparison.eq,
    "ne": comparison.ne,
    "lt": comparison.lt,
    "le": comparison.le,
    "gt": comparison.gt,
    "ge": comparison.ge,
    "isnan": comparison.isnan,
    "isinf": comparison.isinf,
    "isfinite": comparison.isfinite,
    "logical_and": comparison.logical_and,
    "logical_or": comparison.logical_or,
    "logical_xor": comparison.logical_xor,
    "logical_not": comparison.logical_not,
    "bitwise_and": comparison.bitwise_and,
    "bitwise_or": comparison.bitwise_or,
    "bitwise_xor": comparison.bitwise_xor,
    "bitwise_not": comparison.bitwise_not,
    "any": comparison.any,
    "all": comparison.all,
    "astype": elementwise.astype,
    "matmul": matmul.matmul,
    "sum": reduction.sum,
    "mean": reduction.mean,
    "max": reduction.max,
    "amax": reduction.amax,
    "argmax": reduction.argmax,
    "reshape": shape.reshape,
    "view": shape.reshape,
    "permute": shape.permute,
    "transpose": shape.transpose,
    "expand": shape.expand,
    "flatten": shape.flatten,
    "squeeze": shape.squeeze,
    "unsqueeze": shape.unsqueeze,
    "clone": shape.clone,
    "contiguous": shape.contiguous,
    "relu": activation.relu,
    "sigmoid": activation.sigmoid,
    "tanh": activation.tanh,
    "softmax": softmax.softmax,
    "log_softmax": softmax.log_softmax,
}

for _name, _op in {**OPERATORS, **METHODS}.items():
    setattr(Tensor, _name, _op)
