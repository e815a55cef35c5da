"""Arithmetic that changes a tensor in place: ``p -= lr * p.grad``, ``x.add_(1)``.

A tensor that is part of a graph must keep its values for the way back. So inside
``tc.no_grad()``, and for tensors outside any graph, these change the memory; elsewhere
``x += y`` makes a new tensor and calls it x, as ``x = x + y`` does, and ``x.add_(y)``
explains itself.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np

from tinyconv.device import seed, to_device
from tinyconv.errors import ArgumentError, DtypeError, GraphError, ShapeError
from tinyconv.grad_mode import is_grad_enabled, no_grad
from tinyconv.ops import (
    activation,
    arrangement,
    compound,
    division,
    elementwise,
    extremes,
    indexing,
    placing,
    unary,
)
from tinyconv.ops._checks import check_float, check_number
from tinyconv.recorder import repeated
from tinyconv.tensor import Tensor

Operation = Callable[..., Tensor]


def in_place_method(name: str, operation: Operation) -> Callable[..., Tensor]:
    """The method ``x.name(other)`` that puts ``operation(x, other)`` into x's memory."""

    @repeated
    def method(input: Tensor, *args: Any, **options: Any) -> Tensor:
        operands = [x for x in (*args, *options.values()) if isinstance(x, Tensor)]
        input._check_writable(name, next((x for x in operands if x.requires_grad), None))
        return _write(name, operation, input, *args, **options)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"`{operation.__name__}` into the tensor's own memory; returns the tensor."
    return method


def augmented_assignment(name: str, operation: Operation) -> Callable[[Tensor, Any], Any]:
    """The operator ``x op= other``: in place where nothing is recorded, else a new tensor."""

    def method(input: Tensor, other: Any) -> Any:
        recorded = input.requires_grad or (isinstance(other, Tensor) and other.requires_grad)
        if not (recorded and is_grad_enabled()):
            return _write(name, operation, input, other)
        if input.requires_grad and input.is_leaf:
            raise GraphError(
                name, "the tensor", "a leaf that needs a gradient", "the change inside tc.no_grad()"
            )
        return NotImplemented

    return method


@repeated
def _write(name: str, operation: Operation, input: Tensor, *args: Any, **options: Any) -> Tensor:
    with no_grad():
        result = operation(input, *args, **options)
    if result.shape != input.shape:
        raise ShapeError(name, "the result's shape", result.shape, f"the tensor's, {input.shape}")
    if result.dtype != input.dtype:
        raise DtypeError(name, "the result's dtype", result.dtype, f"the tensor's, {input.dtype}")
    with no_grad():
        return input.copy_(result)


@repeated
def normal_(input: Tensor, mean: float = 0.0, std: float = 1.0) -> Tensor:
    """Random numbers, normal with this mean and standard deviation, into the tensor's memory."""
    _check_random("normal_", input, mean=mean, std=std)
    if std < 0:
        raise ArgumentError("normal_", "std", std, "a number >= 0")
    return _draw(input, seed.get().generator.normal(mean, std, input.shape))


@repeated
def uniform_(input: Tensor, low: float = 0.0, high: float = 1.0) -> Tensor:
    """Random numbers, uniform from `low` to `high`, into the tensor's memory."""
    _check_random("uniform_", input, low=low, high=high)
    if not 0 <= high - low < inf:
        raise ArgumentError("uniform_", "high", high, f"a finite number >= low = {low}")
    return _draw(input, seed.get().generator.uniform(low, high, input.shape))


@repeated
def random_(input: Tensor, low: int = 0, high: int | None = None) -> Tensor:
    """Random whole numbers from `low` up to, not including, `high`; ``random_(high)`` starts at 0."""
    first, end = (0, low) if high is None else (low, high)
    if not all(isinstance(x, int) and not isinstance(x, bool) for x in (first, end)) or end <= first:
        raise ArgumentError("random_", "high", end, f"an int > low = {first}")
    if first < -(2**63) or end > 2**63:
        raise ArgumentError("random_", "low and high", (first, end), "numbers that fit int64")
    input._check_writable("random_")
    return _draw(input, seed.get().generator.integers(first, end, input.shape))


@repeated
def bernoulli_(input: Tensor, p: float = 0.5) -> Tensor:
    """1 with probability `p`, else 0, into the tensor's memory."""
    if not 0 <= check_number("bernoulli_", "p", p) <= 1:
        raise ArgumentError("bernoulli_", "p", p, "a probability, from 0 to 1")
    input._check_writable("bernoulli_")
    return _draw(input, seed.get().generator.random(input.shape) < p)


def _check_random(op: str, input: Tensor, **numbers: float) -> None:
    check_float(op, "input", input)
    for argument, value in numbers.items():
        check_number(op, argument, value)
    input._check_writable(op)


def _draw(input: Tensor, values: Any) -> Tensor:
    with no_grad():
        return input.copy_(Tensor(to_device(np.asarray(values).astype(input.dtype), input.device)))


OPERATIONS: dict[str, Operation] = {
    "add": elementwise.add,
    "sub": elementwise.sub,
    "mul": elementwise.mul,
    "div": elementwise.div,
    "pow": elementwise.pow,
}
OTHERS: dict[str, Operation] = {
    "abs": unary.abs,
    "addcdiv": compound.addcdiv,
    "addcmul": compound.addcmul,
    "ceil": unary.ceil,
    "clip": extremes.clamp,
    "floor": unary.floor,
    "index_add": placing.index_add,
    "index_copy": placing.index_copy,
    "index_fill": placing.index_fill,
    "lerp": compound.lerp,
    "nan_to_num": compound.nan_to_num,
    "reciprocal": unary.reciprocal,
    "remainder": division.remainder,
    "relu": activation.relu,
    "round": unary.round,
    "sigmoid": activation.sigmoid,
    "tanh": activation.tanh,
    "tril": arrangement.tril,
    "triu": arrangement.triu,
    "clamp": extremes.clamp,
    "exp": elementwise.exp,
    "log": elementwise.log,
    "masked_fill": indexing.masked_fill,
    "neg": elementwise.neg,
    "scatter": indexing.scatter,
    "scatter_add": indexing.scatter_add,
    "sqrt": unary.sqrt,
}
METHODS = {
    f"{name}_": in_place_method(f"{name}_", operation) for name, operation in {**OPERATIONS, **OTHERS}.items()
}
METHODS.update(bernoulli_=bernoulli_, normal_=normal_, random_=random_, uniform_=uniform_)
SYMBOLS = {"add": "+=", "sub": "-=", "mul": "*=", "truediv": "/=", "pow": "**="}
OPERATORS = {
    f"__i{name}__": augmented_assignment(symbol, OPERATIONS["div" if name == "truediv" else name])
    for name, symbol in SYMBOLS.items()
}
