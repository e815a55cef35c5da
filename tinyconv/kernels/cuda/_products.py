"""Matrix products by cuBLAS, through CuPy, and what follows them in a layer.

The factors are rounded as `matmul_precision` says, and then multiplied by the tensor cores: numbers that are
already rounded to TF32 or BF16 lose nothing there, and the sums are in float32.

CuPy refuses cuBLAS while a CUDA graph is recorded. For a graph the products are `_products_of_tiles.py`'s.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np

from tinyconv.cuda.graphs import is_for_a_graph
from tinyconv.device import FLOAT_DTYPES, matmul_precision
from tinyconv.kernels.cuda import _products_of_tiles as tiles
from tinyconv.kernels.cuda._convolution import NOTHING, TENSOR_CORES, Epilogue, compute_capability
from tinyconv.kernels.cuda._launch import C_TYPES, kernel, launch_elements
from tinyconv.kernels.cuda.elementwise import rounded
from tinyconv.kernels.reference import matmul as reference

Array = Any

_cublas = threading.RLock()
"""CuPy has one setting for all threads: nobody multiplies while another one has changed it."""


def product(a: Array, b: Array) -> Array:
    """`matmul`."""
    if is_for_a_graph() and tiles.is_of_tiles(a, b):
        return tiles.product(a, b)
    precision = matmul_precision.get()
    if precision == "float32" or not a.dtype == b.dtype == "float32":
        with _cublas:
            return reference.matmul(a, b)
    a, b = rounded(a, precision), rounded(b, precision)
    with _cublas, _tensor_cores():
        return reference.matmul(a, b)


def product_of_layer(x: Array, weight: Array, bias: Array | None, epilogue: Epilogue = NOTHING) -> Array:
    """`linear`, and an activation function: after the product, one pass does both."""
    import cupy

    if is_for_a_graph() and tiles.is_of_tiles(x, weight.T):
        return tiles.product_of_layer(x, weight, bias, epilogue)
    y = cupy.ascontiguousarray(product(x, weight.T))
    if bias is not None or epilogue != NOTHING:
        bias = 0 if bias is None else cupy.ascontiguousarray(bias)  # 0: no array
        function = kernel("sum_parts.cu", f"add_bias<{C_TYPES[str(y.dtype)]}>")
        launch_elements(
            function, y.size, (y, bias, y.size, np.int32(len(weight)), *epilogue.arguments(y.dtype))
        )
    return y


def is_layer(x: Array, weight: Array, bias: Array | None) -> bool:
    """Whether the arrays have one float dtype, and weight is a matrix: what `product_of_layer` covers."""
    same = x.dtype == weight.dtype and (bias is None or bias.dtype == x.dtype)
    return same and x.dtype in FLOAT_DTYPES and weight.ndim == 2


@contextlib.contextmanager
def _tensor_cores() -> Iterator[None]:
    """In the block, cuBLAS multiplies float32 matrices in TF32, where the card can.

    CuPy has no public name for this setting. Where the private ones are gone, the products stay right.
    """
    try:
        from cupy._core import _routines_linalg as cublas

        get, put, tf32 = cublas.get_compute_type, cublas.set_compute_type, cublas.COMPUTE_TYPE_TF32
    except (ImportError, AttributeError):
        yield
        return
    if compute_capability() < TENSOR_CORES:
        yield
        return
    before = get("float32")
    put("float32", tf32)
    try:
        yield
    finally:
        put("float32", before)
