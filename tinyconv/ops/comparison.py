"""Comparisons and logic: results are truth values, and no gradient passes."""

from __future__ import annotations

import numpy as np

from tinyconv.device import array_module, float64, on_its_gpu
from tinyconv.errors import ArgumentError, DtypeError
from tinyconv.ops._checks import check_flags, check_number, check_tensor, normalize_dims
from tinyconv.ops.numpy_names import numpy_names
from tinyconv.ops.operands import Operand, as_operands
from tinyconv.recorder import computed
from tinyconv.tensor import Tensor

Dims = int | tuple[int, ...] | None


def eq(input: Operand, other: Operand) -> Tensor:
    """Where input == other."""
    return _combine("eq", "equal", input, other)


def ne(input: Operand, other: Operand) -> Tensor:
    """Where input != other."""
    return _combine("ne", "not_equal", input, other)


def lt(input: Operand, other: Operand) -> Tensor:
    """Where input < other."""
    return _combine("lt", "less", input, other)


def le(input: Operand, other: Operand) -> Tensor:
    """Where input <= other."""
    return _combine("le", "less_equal", input, other)


def gt(input: Operand, other: Operand) -> Tensor:
    """Where input > other."""
    return _combine("gt", "greater", input, other)


def ge(input: Operand, other: Operand) -> Tensor:
    """Where input >= other."""
    return _combine("ge", "greater_equal", input, other)


def isnan(input: Tensor) -> Tensor:
    """Where the number is nan."""
    return _test("isnan", input)


def isinf(input: Tensor) -> Tensor:
    """Where the number is inf or -inf."""
    return _test("isinf", input)


def isfinite(input: Tensor) -> Tensor:
    """Where the number is neither nan nor infinite."""
    return _test("isfinite", input)


def logical_and(input: Tensor, other: Tensor) -> Tensor:
    """Where both are true; any number but 0 is."""
    return _combine("logical_and", "logical_and", input, other)


def logical_or(input: Tensor, other: Tensor) -> Tensor:
    """Where at least one is true; any number but 0 is."""
    return _combine("logical_or", "logical_or", input, other)


def logical_xor(input: Tensor, other: Tensor) -> Tensor:
    """Where exactly one is true; any number but 0 is."""
    return _combine("logical_xor", "logical_xor", input, other)


def logical_not(input: Tensor) -> Tensor:
    """Where the value is false; only 0 is."""
    return _test("logical_not", input)


def bitwise_and(input: Operand, other: Operand) -> Tensor:
    """``input & other``: for truth values "and", for integers bit by bit."""
    return _bits("bitwise_and", input, other)


def bitwise_or(input: Operand, other: Operand) -> Tensor:
    """``input | other``: for truth values "or", for integers bit by bit."""
    return _bits("bitwise_or", input, other)


def bitwise_xor(input: Operand, other: Operand) -> Tensor:
    """``input ^ other``: for truth values "one of both", for integers bit by bit."""
    return _bits("bitwise_xor", input, other)


@computed
def bitwise_not(input: Tensor) -> Tensor:
    """``~input``: for truth values "not", for integers every bit turned over."""
    _refuse_floats("bitwise_not", "input", check_tensor("bitwise_not", "input", input))
    return Tensor(~input.array)


@numpy_names
def any(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether at least one value is true, of all or along `dim`.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.any(tc.tensor([[False, True], [False, False]]), dim=1).tolist()
    [True, False]
    """
    check_flags("any", keepdim=keepdim)
    return _reduce("any", input, dim, keepdim)


@numpy_names
def all(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether every value is true, of all or along `dim`."""
    check_flags("all", keepdim=keepdim)
    return _reduce("all", input, dim, keepdim)


def isclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Tensor:
    """Where abs(input - other) <= atol + rtol * abs(other); with `equal_nan` also where both are nan."""
    check_flags("isclose", equal_nan=equal_nan)
    return _close("isclose", input, other, rtol, atol, equal_nan)


@on_its_gpu
def allclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> bool:
    """Whether `isclose` holds for all elements.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.allclose(tc.tensor([1.0, 2.0]), tc.tensor([1.0, 2.00001]))
    True
    """
    check_flags("allclose", equal_nan=equal_nan)
    return bool(_close("allclose", input, other, rtol, atol, equal_nan).array.all())


@on_its_gpu
def equal(input: Tensor, other: Tensor) -> bool:
    """Whether both have one shape and the same elements."""
    a, b = check_tensor("equal", "input", input), check_tensor("equal", "other", other)
    return a.shape == b.shape and bool(_combine("equal", "equal", a, b).array.all())


@computed
def _close(op: str, input: Tensor, other: Tensor, rtol: float, atol: float, equal_nan: bool) -> Tensor:
    a, b = as_operands(op, check_tensor(op, "input", input), check_tensor(op, "other", other))
    relative, absolute = check_number(op, "rtol", rtol), check_number(op, "atol", atol)
    if not (relative >= 0 and absolute >= 0):
        raise ArgumentError(op, "rtol and atol", f"{rtol} and {atol}", "numbers >= 0")
    xp = array_module(a.array)
    x, y = (v.array if v.dtype.kind == "f" else v.array.astype(float64) for v in (a, b))
    with np.errstate(all="ignore"):
        distance = abs(x - y)
        near = xp.isfinite(distance) & (distance <= absolute + abs(relative * y))
    both_nan = xp.isnan(x) & xp.isnan(y) if equal_nan else False
    return Tensor(xp.asarray(near | (x == y) | both_nan))


@computed
def _test(op: str, input: Tensor) -> Tensor:
    array = check_tensor(op, "input", input).array
    return Tensor(getattr(array_module(array), op)(array))


@computed
def _combine(op: str, numpy_name: str, input: Operand, other: Operand) -> Tensor:
    a, b = as_operands(op, input, other)
    return Tensor(getattr(array_module(a.array), numpy_name)(a.array, b.array))


@computed
def _bits(op: str, input: Operand, other: Operand) -> Tensor:
    for argument, operand in (("input", input), ("other", other)):
        if isinstance(operand, Tensor | float):
            _refuse_floats(op, argument, operand)
    a, b = as_operands(op, input, other)
    for argument, given, operand in (("input", input, a), ("other", other, b)):
        if not isinstance(given, Tensor):
            _refuse_floats(op, argument, operand)
    return Tensor(getattr(array_module(a.array), op)(a.array, b.array))


def _refuse_floats(op: str, argument: str, x: Tensor | float) -> None:
    if isinstance(x, float) or x.dtype.kind == "f":
        kind = "a float" if isinstance(x, float) else f"of dtype {x.dtype}"
        raise DtypeError(op, argument, kind, "truth values or integers")


@computed
def _reduce(op: str, input: Tensor, dim: Dims, keepdim: bool) -> Tensor:
    dims = normalize_dims(op, dim, check_tensor(op, "input", input).ndim)
    xp = array_module(input.array)
    return Tensor(xp.asarray(getattr(xp, op)(input.array, axis=dims, keepdims=bool(keepdim))))
