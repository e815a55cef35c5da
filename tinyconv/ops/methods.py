"""Attach the ops to `Tensor` as operators and methods."""

from __future__ import annotations

from typing import Any

from tinyconv.ops import activation, elementwise, matmul, reduction, shape, softmax
from tinyconv.tensor import Tensor


def _reversed(op: Any) -> Any:
    return lambda self, other: op(other, self)


def _comparison(name: str) -> Any:
    return lambda self, other: elementwise.compare(name, self, other)


def _equality(name: str, answer_for_none: bool) -> Any:
    return lambda self, other: answer_for_none if other is None else elementwise.compare(name, self, other)


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
    "__eq__": _equality("equal", False),
    "__ne__": _equality("not_equal", True),
    "__lt__": _comparison("less"),
    "__le__": _comparison("less_equal"),
    "__gt__": _comparison("greater"),
    "__ge__": _comparison("greater_equal"),
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
