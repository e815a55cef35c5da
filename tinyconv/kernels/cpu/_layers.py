"""Several dense layers, one after the other, in one pass: an image needs no other image's numbers.

A kernel for each layer brings the threads together after each, and copies what the last one made to the
order in which the micro-kernel reads it. Here a thread takes a panel of images through all the layers, and
what lies between them never leaves its own cache::

    images        |  panel 0  |  panel 1  |
    x^T           |  thread 0 |  thread 1 |
    W1 x^T + b1   |     v     |     v     |
    W2 h1  + b2   |     v     |     v     |

That is for inference, where only the last result is wanted. In training, weights have just been written,
each by one of the threads; then it is quicker to share a layer's rows than its images, as each core reads
what it has. Each number is the sum that `_gemm.py` computes for a single layer, to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numba
import numpy as np
from numba import types

from tinyconv.kernels.cpu._activations import NOTHING, activate, epilogue_of
from tinyconv.kernels.cpu._compile import parallel_kernel, read_only, written
from tinyconv.kernels.cpu._gemm import DEPTH, SEGMENT, high_rows, pack_panel
from tinyconv.kernels.cpu._many import float32_pointer
from tinyconv.kernels.cpu._product import FLOAT32, SMALL, SMALL_TURNED, WIDTH, lies_by_columns
from tinyconv.kernels.cpu.flat import is_enough
from tinyconv.kernels.cpu.memory import aligned_empty
from tinyconv.kernels.cpu.memory import read_only as frozen
from tinyconv.kernels.cpu.microkernel import FEW_ROWS, MAX_ROWS, ROWS_2, make_tile
from tinyconv.kernels.cpu.threads import use_threads

Array = Any
Layer = tuple[Array, Array | None, str | None, tuple[float, ...]]

PANEL = 2 * WIDTH
MOST = 4
"""Layers in a pass; more of them are several passes."""
TILE = make_tile(ROWS_2, 2, accumulate=True, masked=False)
LOW_TILE = make_tile(FEW_ROWS, 2, accumulate=True, masked=False)


def passes_of(layers: Sequence[Layer]) -> Sequence[Sequence[Layer]]:
    """Layers that follow each other, in as many parts as passes are needed, and nearly equal ones."""
    if len(layers) <= MOST:
        return (layers,)
    passes = -(-len(layers) // MOST)
    ends = [len(layers) * i // passes for i in range(passes + 1)]
    return [layers[first:end] for first, end in pairwise(ends)]


def layers_in_one_pass(x: Array, layers: Sequence[Layer]) -> Array | None:
    """The output (N, features) of the last layer; None where single layers would be computed otherwise."""
    shapes = tuple([layer[0].shape for layer in layers])
    if x.ndim != 2 or not _are_plain(x, layers):
        return None
    plan = _plan(x.shape, lies_by_columns(x), shapes, tuple([layer[2:] for layer in layers]))
    if plan is None:
        return None
    products, *tables = plan
    if len(x) % (PANEL * use_threads(products)):
        return None
    weights, biases = [layer[0] for layer in layers], [layer[1] for layer in layers]
    output = aligned_empty((shapes[-1][0], len(x)), FLOAT32)
    multiply_layers(FLOAT32)(x, _filled(weights), _filled(biases), output, *tables, SEGMENT, WIDTH)
    return output.T


def _filled(arrays: list[Array]) -> tuple[Array, ...]:
    """As many as the kernel takes."""
    return (*arrays, *arrays[:1] * (MOST - len(arrays)))


def _are_plain(x: Array, layers: Sequence[Layer]) -> bool:
    """Whether all are what the kernel takes for granted: float32 without gaps, a bias for each row."""
    arrays = [x]
    for layer in layers:
        weight, bias = layer[0], layer[1]
        if bias is None or bias.shape != (len(weight),):
            return False
        if weight.strides[0] <= FLOAT32.itemsize:  # then `_product.product` does not turn the product
            return False
        arrays += (weight, bias)
    for array in arrays:
        flags = array.flags
        in_order = flags.c_contiguous or (array is x and flags.f_contiguous)
        if array.dtype != FLOAT32 or not in_order or not flags.aligned:
            return False
    return True


@lru_cache(maxsize=64)
def _plan(
    shape: tuple[int, int], by_columns: bool, shapes: tuple[tuple[int, ...], ...], functions: Any
) -> Any:
    """How many products there are, and the kernel's tables; None where the layers do not fit.

    They fit where `_product.product` turns each of their products, and shares the images among the threads.
    """
    if len(shapes) > MOST or any(len(weight) != 2 for weight in shapes):
        return None
    images, inputs = shape
    fits = images % PANEL == 0 and (by_columns or images < shapes[0][0])
    least = SMALL_TURNED if by_columns else SMALL
    for (features, depth), (name, _) in zip(shapes, functions, strict=True):
        fits = fits and depth == inputs and images * features * depth > least
        fits = fits and (name is None or is_enough(images * features))
        inputs, least = features, SMALL_TURNED
    if not fits:
        return None
    epilogues = [epilogue_of(*function) if function[0] else NOTHING for function in functions]
    numbers = frozen(np.array([number for _, number in epilogues], FLOAT32))
    steps = [*[PANEL] * (len(shapes) - 1), images]
    rows = [_rows(*weight, step) for weight, step in zip(shapes, steps, strict=True)]
    row, out = frozen(np.concatenate(rows, axis=1).copy())
    places = np.cumsum([0, *(row.shape[1] for row in rows[:-1])])
    table = frozen(np.stack([places, [kind for kind, _ in epilogues]], axis=1).astype(np.int64))
    return sum(images * n * k for n, k in shapes), row, out, table, numbers


def _rows(features: int, depth: int, step: int) -> Array:
    """Where the rows of a weight and of its output begin; the last is repeated, as a tile has several."""
    row = np.minimum(np.arange(features + MAX_ROWS), features - 1)
    return np.stack([row * depth, row * step])


def _signature(number: Any) -> Any:
    images = types.Array(number, 2, "A", readonly=True)
    weights, biases = (types.UniTuple(read_only(number, ndim), MOST) for ndim in (2, 1))
    table = read_only(types.int64)
    return types.void(
        images, weights, biases, written(number, 2), table, table, read_only(types.int64, 2),
        read_only(number), table, types.int64,
    )  # fmt: skip


@parallel_kernel(_signature)
def multiply_layers(
    x: Array, weights: Any, biases: Any, output: Array, row: Array, out: Array, layers: Array, numbers: Array,
    segment: Array, width: int,
) -> None:  # fmt: skip
    """Fill the output (features, images) of the last of as many layers as `layers` has rows.

    Such a row says where the places of its weights and outputs begin in `row` and `out`, and which
    activation function follows.
    """
    images = x.shape[0]
    wide = 2 * width
    last = len(layers) - 1
    result = output.reshape(-1)
    table = np.empty((len(layers), 4), np.int64)
    for i in range(len(layers)):
        table[i, 0], table[i, 1] = weights[i].ctypes.data, biases[i].ctypes.data
        table[i, 2], table[i, 3] = weights[i].shape
    for task in numba.prange(images // wide):
        most = max(table[:, 2].max(), table[:, 3].max())
        panel, following = np.empty(most * wide, x.dtype), np.empty(most * wide, x.dtype)
        pack_panel(panel, x.T, 0, task * wide, x.shape[1], wide, wide, width)
        for i in range(len(layers)):
            features, depth = table[i, 2], table[i, 3]
            weight = numba.carray(float32_pointer(table[i, 0]), features * depth)
            bias = numba.carray(float32_pointer(table[i, 1]), features)
            target, begin, step = (result, task * wide, images) if i == last else (following, 0, wide)
            for n in range(features):
                for j in range(n * step + begin, n * step + begin + wide):
                    target[j] = bias[n]
            for first in range(0, depth, DEPTH):
                _add_products(
                    weight, first, row, out, layers[i, 0], features, panel, min(DEPTH, depth - first), wide,
                    target, begin, segment, bias,
                )  # fmt: skip
            if layers[i, 1]:
                activate(target, begin, wide, features, step, layers[i, 1], numbers[i])
            panel, following = following, panel


@numba.njit(nogil=True)
def _add_products(
    a: Array, first: int, row: Array, out: Array, entry: int, rows: int, panel: Array, depth: int, wide: int,
    c: Array, begin: int, segment: Array, unused: Array,
) -> None:  # fmt: skip
    """Add to C the products of `depth` columns of A, from `first` on, and as many rows of the panel."""
    low = entry + high_rows(rows, ROWS_2)
    b_first = first * wide
    for i in range(entry, low, ROWS_2):
        TILE(
            a, first, row, i, segment, 0, 1, depth, 1, panel, b_first, wide, c, begin, out, unused, 0, wide
        )  # fmt: skip
    for i in range(low, entry + rows, FEW_ROWS):
        LOW_TILE(
            a, first, row, i, segment, 0, 1, depth, 1, panel, b_first, wide, c, begin, out, unused, 0, wide
        )  # fmt: skip
