"""Matrix products on a GPU: the twins of `kernels/reference/matmul.py`, by cuBLAS (`_products.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from tinyconv.cuda.graphs import is_for_a_graph
from tinyconv.device import FLOAT_DTYPES
from tinyconv.kernels.cuda._gradients import sum_of_columns
from tinyconv.kernels.cuda._products import is_layer, product, product_of_layer
from tinyconv.kernels.reference import matmul as reference

Array = Any


def matmul(a: Array, b: Array) -> Array:
    """Matrix product of the last two axes, (..., m, k) and (..., k, n) to (..., m, n)."""
    return product(a, b)


def linear(x: Array, weight: Array, bias: Array | None) -> Array:
    """``x @ weight.T + bias``: (..., out) of x (..., in), weight (out, in), bias (out,)."""
    if not is_layer(x, weight, bias):
        return reference.linear(x, weight, bias)
    return product_of_layer(x, weight, bias)


def linear_gradients(
    grad: Array, x: Array, weight: Array, wanted: tuple[bool, bool, bool]
) -> tuple[Array | None, Array | None, Array | None]:
    """The gradients of x, weight and bias of `linear`, where `wanted`."""
    import cupy

    wants_x, wants_weight, wants_bias = wanted
    bias_grad = None
    if wants_bias and grad.dtype in FLOAT_DTYPES:
        bias_grad = sum_of_columns(cupy.ascontiguousarray(grad), grad.shape[1])[0]
    elif wants_bias:
        bias_grad = grad.sum(axis=0)
    return (
        matmul(grad, weight) if wants_x else None,
        matmul(grad.T, x) if wants_weight else None,
        bias_grad,
    )


def einsum(arrays: Sequence[Array], labels: tuple[tuple[int, ...], ...], out: tuple[int, ...]) -> Array:
    """Sum of products: ``labels[i]`` names the dimensions of ``arrays[i]``, `out` those of the result.

    CuPy's calls cuBLAS. For a CUDA graph it is one matrix product after the other, each with one more factor.
    """
    if not is_for_a_graph():
        return reference.einsum(arrays, labels, out)
    found, named = arrays[0], labels[0]
    for place in range(1, len(arrays)):
        later = {*out, *(name for names in labels[place + 1 :] for name in names)}
        found, named = _joined(found, named, arrays[place], labels[place], later)
    return reference.einsum([found], (named,), out)


def _joined(
    a: Array, of_a: tuple[int, ...], b: Array, of_b: tuple[int, ...], later: set[int]
) -> tuple[Array, tuple[int, ...]]:
    """The product of two factors, summed over what is not wanted `later`, and the names of its dimensions.

    The names that both have, and that are wanted, number matrices; their rows and columns are named by those
    that one factor has.
    """
    size = dict(zip((*of_a, *of_b), (*a.shape, *b.shape), strict=True))
    both = [name for name in of_a if name in of_b and name in later]
    summed = [name for name in of_a if name in of_b and name not in later]
    rows = [name for name in of_a if name not in of_b]
    columns = [name for name in of_b if name not in of_a]

    def matrices(array: Array, names: tuple[int, ...], groups: tuple[list[int], ...]) -> Array:
        ordered = array.transpose([names.index(name) for group in groups for name in group])
        return ordered.reshape([prod(size[name] for name in group) for group in groups])

    y = product(matrices(a, of_a, (both, rows, summed)), matrices(b, of_b, (both, summed, columns)))
    named = (*both, *rows, *columns)
    return y.reshape([size[name] for name in named]), named
