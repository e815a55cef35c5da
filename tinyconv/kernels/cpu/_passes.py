"""Activation functions with dropout, and their derivatives with dropout or with sums, in one pass each."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import prange

from tinyconv.kernels.cpu._activations import Epilogue, activate, differentiate
from tinyconv.kernels.cpu._mask import BLOCK, drop_block, mask
from tinyconv.kernels.cpu.blocks import has_few_rows, rows_of_block, sum_rows, summed_plan
from tinyconv.kernels.cpu.flat import WORK, channels_last_axes, flat, is_enough, same_order, suits
from tinyconv.kernels.cpu.options import alone, parallel
from tinyconv.kernels.cpu.threads import WORTH_SHARING, use_threads

Array = Any
Word = Any


def lies_in_order(x: Array) -> bool:
    """Whether x lies in memory as the masks of dropout count its numbers."""
    ordered = x.transpose(channels_last_axes(x.ndim)) if x.ndim > 2 else x
    return bool(ordered.flags.c_contiguous)


def drop_and_differentiate(
    grad: Array, p: float, key: tuple[int, int], at: Array, epilogue: Epilogue
) -> Array:
    """The gradient before the function, from that after dropout."""
    use_threads()
    result = np.empty_like(at)
    _drop_and_differentiate(_run(grad), _run(at), _run(result), *epilogue, *mask(p, key))
    return result


@parallel
def _drop_and_differentiate(
    grad: Array, at: Array, result: Array, kind: int, number: float, threshold: Word, scale: float,
    call_low: Word, call_high: Word, k0: Word, k1: Word,
) -> None:  # fmt: skip
    for b in prange((grad.size + BLOCK - 1) // BLOCK):
        start, stop = b * BLOCK, min((b + 1) * BLOCK, grad.size)
        drop_block(grad, result, start, stop, threshold, scale, call_low, call_high, k0, k1)
        differentiate(result[start:stop], at[start:stop], result[start:stop], kind, number)


def activate_and_drop(x: Array, epilogue: Epilogue, p: float, key: tuple[int, int]) -> tuple[Array, Array]:
    """The function of x, and dropout of it."""
    use_threads()
    y, dropped = np.empty_like(x), np.empty_like(x)
    _activate_and_drop(_run(x), _run(y), _run(dropped), *epilogue, *mask(p, key))
    return y, dropped


@parallel
def _activate_and_drop(
    x: Array, y: Array, dropped: Array, kind: int, number: float, threshold: Word, scale: float,
    call_low: Word, call_high: Word, k0: Word, k1: Word,
) -> None:  # fmt: skip
    for b in prange((x.size + BLOCK - 1) // BLOCK):
        start, stop = b * BLOCK, min((b + 1) * BLOCK, x.size)
        y[start:stop] = x[start:stop]
        activate(y, start, stop - start, 1, 1, kind, number)
        drop_block(y, dropped, start, stop, threshold, scale, call_low, call_high, k0, k1)


def differentiate_and_sum(grad: Array, at: Array, epilogue: Epilogue) -> tuple[Array, Array] | None:
    """The gradient (N, C, ...) before the function, and its sum per channel; None if that is no single pass.

    The sums are those of `reduction.sum`, block by block.
    """
    axes = (0, *range(2, at.ndim))
    plan = summed_plan(at, axes) if suits(grad, at) and same_order(grad, at) else None
    if plan is None or plan[0] is not at or plan[1][0] != 1:
        return None
    use_threads()
    result = np.empty_like(at)
    totals = _differentiate_and_sum(flat(grad), flat(at), flat(result), *plan[1][1:], *epilogue)
    return result, totals[None].sum(axis=1)[0].astype(np.float32)


@parallel
def _differentiate_and_sum(
    grad: Array, at: Array, result: Array, summed: int, inner: int, kind: int, number: float
) -> Array:
    side, rows = rows_of_block(summed, inner)
    blocks = (summed + rows - 1) // rows
    totals = np.zeros((blocks, inner))
    for block in prange(blocks):
        start, stop = block * rows * inner, min((block + 1) * rows, summed) * inner
        differentiate(grad[start:stop], at[start:stop], result[start:stop], kind, number)
        sum_rows(result[start:stop], inner, side * inner, totals[block])
    return totals


def differentiate_rows(grad: Array, at: Array, epilogue: Epilogue) -> tuple[Array, Array] | None:
    """The gradient (rows, columns) before the function, and the sum of its rows; None if they are not few.

    The sums are those of `reduction.sum`, one row after the other.
    """
    few = has_few_rows(at) and is_enough(at.size) and WORK * at.size < WORTH_SHARING
    if not few or grad.dtype != np.float32 or not (grad.flags.c_contiguous and at.flags.c_contiguous):
        return None
    result, sums = np.empty_like(at), np.zeros(at.shape[1], np.float32)
    _differentiate_rows(grad, at, result, sums, *epilogue)
    return result, sums


@alone
def _differentiate_rows(grad: Array, at: Array, result: Array, sums: Array, kind: int, number: float) -> None:
    for i in range(at.shape[0]):
        row = result[i]
        differentiate(grad[i], at[i], row, kind, number)
        for j in range(row.size):
            sums[j] += row[j]


def _run(x: Array) -> Array:
    """The numbers of x, which `lies_in_order`, as a run."""
    return (x.transpose(channels_last_axes(x.ndim)) if x.ndim > 2 else x).reshape(-1)
