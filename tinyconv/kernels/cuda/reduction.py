"""Launches the kernels of `reduction.cu`, twins of `kernels/reference/reduction.py`."""

from __future__ import annotations

from typing import Any

from tinyconv.kernels.cuda._columns import Runs, Stack
from tinyconv.kernels.cuda._launch import C_TYPES, kernel
from tinyconv.kernels.reference import reduction as reference

Array = Any

SOURCE = "reduction.cu"


def sum(x: Array, axis: tuple[int, ...], keepdims: bool) -> Array:
    """Sum over `axis`, added up in float64."""
    runs = _runs(x, axis)
    if runs is None:
        return reference.sum(x, axis, keepdims)
    numbers = runs.array
    while (stack := runs.take()) is not None:
        numbers = _sum_columns(numbers, stack, x.dtype if runs.is_done() else "float64")
    return runs.as_given(numbers, keepdims)


def max(x: Array, axis: tuple[int, ...], keepdims: bool) -> Array:
    """Largest element over `axis`; NaN if there is one."""
    runs = _runs(x, axis)
    return reference.max(x, axis, keepdims) if runs is None else _choose("largest", runs, keepdims)


def min(x: Array, axis: tuple[int, ...], keepdims: bool) -> Array:
    """Smallest element over `axis`; NaN if there is one."""
    runs = _runs(x, axis)
    return reference.min(x, axis, keepdims) if runs is None else _choose("smallest", runs, keepdims)


def _runs(x: Array, axis: tuple[int, ...]) -> Runs | None:
    """What is to be joined; None where that is nothing, or no kernel fits."""
    if str(x.dtype) not in C_TYPES or x.size == 0:
        return None
    runs = Runs(x, axis)
    return None if runs.is_done() else runs


def _sum_columns(numbers: Array, stack: Stack, dtype: Any) -> Array:
    """The sums of the columns. They are float64, or of the dtype of the array that the sum began with."""
    import cupy

    pieces, out = stack.pieces(), cupy.empty(stack.columns, dtype)
    if pieces > 1:
        sums = cupy.empty((stack.columns, pieces), "float64")
        stack.launch(_kernel("sum_pieces", numbers.dtype), pieces, (numbers, sums))
        numbers, stack = sums, Stack(stack.columns, pieces, 1)
    if out.dtype == "float64":
        function = _kernel("sum_pieces", numbers.dtype)
    else:
        function = _kernel("round_sums" if numbers.dtype == "float64" else "sum_columns", out.dtype)
    stack.launch(function, 1, (numbers, out))
    return out


def _kernel(name: str, dtype: Any) -> Any:
    return kernel(SOURCE, f"{name}<{C_TYPES[str(dtype)]}>")


def _choose(name: str, runs: Runs, keepdims: bool) -> Array:
    import cupy

    numbers = runs.array
    function = _kernel(name, numbers.dtype)
    while (stack := runs.take()) is not None:
        pieces = stack.pieces()
        chosen = cupy.empty(stack.columns * pieces, numbers.dtype)
        stack.launch(function, pieces, (numbers, chosen))
        if pieces > 1:
            pieces_of_columns, chosen = chosen, cupy.empty(stack.columns, numbers.dtype)
            Stack(stack.columns, pieces, 1).launch(function, 1, (pieces_of_columns, chosen))
        numbers = chosen
    return runs.as_given(numbers, keepdims)
