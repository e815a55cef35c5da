"""What the losses share: the reduction and the checks.

Most losses are compositions of other ops, so their derivatives need no lines of their own. The
exceptions are where a composition would divide by zero or overflow. Where a loss has a kink, its
derivative there is PyTorch's.
"""

from __future__ import annotations

from math import inf
from typing import Any

from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.ops._checks import check_choice, check_float, check_number, check_same_dtype, check_tensor
from tinyconv.ops._unseen import nan_outside, unseen
from tinyconv.ops.operands import astype
from tinyconv.ops.reduction import mean
from tinyconv.ops.reduction import sum as sum_
from tinyconv.recorder import repeated
from tinyconv.tensor import Tensor

REDUCTIONS = ("mean", "sum", "none")


def reduce_loss(loss: Tensor, reduction: str) -> Tensor:
    """The mean, the sum, or each element as it is."""
    return {"mean": mean, "sum": sum_, "none": lambda each: each}[reduction](loss)


def check_reduction(
    op: str,
    reduction: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    choices: tuple[str, ...] = REDUCTIONS,
) -> str:
    """`reduction`, which must be "mean", "sum" or "none", with nothing said in the former way."""
    refuse_legacy(op, size_average, reduce)
    return check_choice(op, "reduction", reduction, choices)


def refuse_legacy(op: str, size_average: Any, reduce: Any) -> None:
    """`size_average` and `reduce` stand in PyTorch's signatures; `reduction` has taken their place."""
    for argument, value in (("size_average", size_average), ("reduce", reduce)):
        if value is not None:
            expected = "None: reduction='mean', 'sum' or 'none' says it"
            raise ArgumentError(op, argument, repr(value), expected)


def check_pair(op: str, input: Tensor, target: Tensor) -> None:
    """Two float tensors of one dtype and one shape."""
    check_like(op, input=input, target=target)


def checked_shares(op: str, argument: str, values: Tensor, hint: str) -> Tensor:
    """`values`, which all lie between 0 and 1; on a GPU those that do not are NaN."""
    if unseen(values):
        return nan_outside(values, 0, 1)
    _check_shares(op, argument, values, hint)
    return values


@repeated
def _check_shares(op: str, argument: str, values: Tensor, hint: str) -> None:
    if values.numel():
        low, high = values.array.min(), values.array.max()
        if not 0 <= low <= high <= 1:
            raise ArgumentError(op, argument, f"from {low} to {high}", f"values between 0 and 1 ({hint})")


def check_like(op: str, **tensors: Tensor) -> None:
    """Float tensors of one dtype, all of the first one's shape: nothing is broadcast."""
    (first, leader), *others = tensors.items()
    for name, tensor in tensors.items():
        check_float(op, name, tensor)
    check_same_dtype(op, **tensors)
    for name, tensor in others:
        if tensor.shape != leader.shape:
            raise ShapeError(
                op, name, f"of shape {tensor.shape}", f"the shape of the {first}, {leader.shape}"
            )


def check_factor(op: str, argument: str, factor: Tensor | None, input: Tensor) -> None:
    """`factor` is None, or a tensor that broadcasts to the shape of `input`."""
    if factor is None:
        return
    check_same_dtype(op, input=input, **{argument: check_float(op, argument, factor)})
    sizes = zip(reversed(factor.shape), reversed(input.shape), strict=False)
    if factor.ndim > input.ndim or any(m not in (1, n) for m, n in sizes):
        raise ShapeError(op, argument, f"of shape {factor.shape}", f"one that broadcasts to {input.shape}")


def check_signs(op: str, target: Tensor, shape: tuple[int, ...], input: Tensor) -> Tensor | None:
    """`target` has this shape, and holds nothing but 1 and -1; on a GPU 1 for these and NaN for others."""
    if check_tensor(op, "target", target).shape != shape:
        raise ShapeError(op, "target", f"of shape {target.shape}", f"{shape}")
    if unseen(target):
        return nan_outside(astype(abs(target.detach()), input.dtype), 1, 1)
    wrong = target.array[abs(target.array.astype("float64")) != 1]
    if wrong.size:
        raise ArgumentError(op, "target", f"{wrong[0]} somewhere", "1 or -1 everywhere")
    return None


def times(x: Tensor, factor: Tensor | None) -> Tensor:
    """x, multiplied if there is something to multiply it with."""
    return x if factor is None else x * factor


def check_at_least(op: str, argument: str, value: Any, low: float) -> float:
    """`value`, which must be a number >= `low`, and finite."""
    if not low <= check_number(op, argument, value) < inf:
        raise ArgumentError(op, argument, repr(value), f"a finite number >= {low:g}")
    return float(value)


def check_above_zero(op: str, argument: str, value: Any) -> float:
    """`value`, which must be a number > 0."""
    if not check_number(op, argument, value) > 0:
        raise ArgumentError(op, argument, repr(value), "a number > 0")
    return float(value)
