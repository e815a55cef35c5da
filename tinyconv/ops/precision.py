"""The factors of products, with as many bits as `matmul_precision` leaves them."""

from __future__ import annotations

import importlib
import importlib.util
from functools import cache
from typing import Any

from tinyconv.device import float32, matmul_precision
from tinyconv.kernels import backend_of, elementwise

Array = Any


def factors(file: str, *arrays: Array) -> tuple[Array, ...]:
    """Arrays that a kernel of `file` will multiply, rounded.

    Kernels of a GPU may round while they load: where their file has a true ``ROUNDS_ON_LOAD``, they get the
    arrays as they are. A kernel that makes the gradients of weight and bias from one array sums the rounded
    numbers for the bias.
    """
    precision = matmul_precision.get()
    if precision == "float32" or (backend_of(arrays[0]) == "cuda" and _rounds_on_load(file)):
        return arrays
    return tuple([elementwise.rounded(x, precision) if x.dtype == float32 else x for x in arrays])


@cache
def _rounds_on_load(file: str) -> bool:
    name = f"tinyconv.kernels.cuda.{file}"
    if importlib.util.find_spec(name) is None:
        return False
    return bool(getattr(importlib.import_module(name), "ROUNDS_ON_LOAD", False))
