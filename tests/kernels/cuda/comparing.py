"""Holds a CUDA kernel against the reference, for arrays in any memory order."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.gpu import to_gpu
from tinyconv import kernels

DTYPES = [np.float32, np.float64]
FUNCTIONS = [("relu", ()), ("leaky_relu", (0.1,)), ("elu", (0.7,)), ("sigmoid", ()), ("tanh", ())]
"""What kernels apply on their way, and its numbers."""

shapes = st.one_of(
    st.sampled_from([(303,), (2, 5, 7, 6)]), st.lists(st.integers(0, 5), max_size=5).map(tuple)
)
"""Arrays with all that can be in one, and those of few numbers, or none."""

orders = st.integers(0, 239)
"""Memory orders of `make_array`: all of up to five axes, without gaps and with."""

seeds, dtypes = st.integers(0, 99), st.sampled_from(DTYPES)

TOLERANCE = {"float32": 2e-6, "float64": 1e-13}
"""Some roundings of a function's value; sums of many numbers need a bound of their own."""


def on_gpu(cupy: Any, value: Any) -> Any:
    """`value` with its NumPy arrays, also those in lists and tuples, copied to the GPU."""
    if isinstance(value, np.ndarray):
        return to_gpu(cupy, value)
    if isinstance(value, list | tuple):
        return type(value)(on_gpu(cupy, item) for item in value)
    return value


def on_cpu(value: Any) -> Any:
    """The inverse of `on_gpu`."""
    if isinstance(value, list | tuple):
        return type(value)(on_cpu(item) for item in value)
    return value.get() if hasattr(value, "get") else value


def is_written_in_cuda(file: str, function: str) -> bool:
    """Whether there is a CUDA kernel, and not only the reference on CuPy's arrays."""
    return hasattr(importlib.import_module(f"tinyconv.kernels.cuda.{file}"), function)


def assert_is_reference(
    cupy: Any, file: str, function: str, *args: Any, rtol: float | None = None, atol: float | None = None
) -> Any:
    """Call ``kernels.file.function(*args)`` on the GPU and compare with the reference; what came back.

    A tolerance is relative to each element, and `atol` to the largest of the reference's result.
    """
    expected = getattr(importlib.import_module(f"tinyconv.kernels.reference.{file}"), function)(*args)
    found = call(cupy, file, function, *args)
    assert_same(found, expected, rtol, atol)
    return found


def call(cupy: Any, file: str, function: str, *args: Any) -> Any:
    """What the CUDA kernel makes of these arguments: copied to the GPU, and the result back."""
    assert is_written_in_cuda(file, function)
    return on_cpu(getattr(getattr(kernels, file), function)(*on_gpu(cupy, args)))


def assert_same(found: Any, expected: Any, rtol: float | None = None, atol: float | None = None) -> None:
    """The same structure, shapes and dtypes, and numbers that are near; NaN where NaN is expected."""
    if isinstance(expected, list | tuple):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other, rtol, atol)
        return
    if expected is None:
        assert found is None
        return
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    tolerance = TOLERANCE.get(str(expected.dtype), 0.0)
    finite = np.abs(expected[np.isfinite(expected)])
    largest = float(finite.max()) if finite.size else 0.0
    np.testing.assert_allclose(
        found,
        expected,
        rtol=tolerance if rtol is None else rtol,
        atol=(tolerance if atol is None else atol) * largest,
    )
