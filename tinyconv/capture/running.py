"""What a program calls besides kernels."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from tinyconv.autograd import Function
from tinyconv.device import array_module, matmul_precision, on_its_gpu
from tinyconv.kernels import shape
from tinyconv.tensor import Tensor

Array = Any


def is_array(value: Any) -> bool:
    """Whether `value` is an array, of NumPy or on a GPU."""
    return isinstance(value, np.ndarray) or type(value).__module__.startswith("cupy")


def array_of(value: Any) -> Array:
    """The array of a tensor, or of what an op returned."""
    array = value.array if isinstance(value, Tensor) else value
    return np.asarray(array) if isinstance(array, np.generic) else array


def run_op(
    op: type[Function], needs: tuple[bool, ...], inputs: tuple[Any, ...], precision: str = "float32"
) -> tuple[Function, list[Array]]:
    """The forward of an op: the object that keeps what its backward needs, and the outputs."""
    with matmul_precision(precision):
        return _run_op(op, needs, inputs)


def _run_op(
    op: type[Function], needs: tuple[bool, ...], inputs: tuple[Any, ...]
) -> tuple[Function, list[Array]]:
    context = op()
    context.needs_input_grad = needs
    if op.setup_context is None:
        result = op.forward(context, *inputs)
    else:
        result = op.forward(*inputs)
        op.setup_context(context, inputs, result)
    return context, [array_of(y) for y in (result if isinstance(result, tuple) else (result,))]


def pick(places: tuple[int, ...], result: Any) -> list[Array]:
    """The arrays at some places of what a function returned."""
    leaves = leaves_of(result)
    return [array_of(leaves[place]) for place in places]


@on_its_gpu
def twin(array: Array) -> Array:
    """A copy with the same strides, gaps and repetitions, as kernels may go through memory in its order."""
    if array.size == 0:
        return array.copy("K")
    module = array_module(array)
    spans = [(n - 1) * step // array.itemsize for n, step in zip(array.shape, array.strides, strict=True)]
    before, after = -sum(min(span, 0) for span in spans), sum(max(span, 0) for span in spans)
    memory = module.zeros(before + after + 1, array.dtype)
    copied: Array = module.lib.stride_tricks.as_strided(memory[before:], array.shape, array.strides)
    copied[...] = array
    return copied


def broadcast_to(array: Array, shape: tuple[int, ...]) -> Array:
    """`array` repeated to `shape`, without a copy."""
    return array_module(array).broadcast_to(array, shape)


@functools.cache
def at_precision(kernel: Any, precision: str) -> Any:
    """`kernel`, called with this `matmul_precision`; one object for each pair."""

    @functools.wraps(kernel)
    def call(*args: Any, **options: Any) -> Any:
        with matmul_precision(precision):
            return kernel(*args, **options)

    vars(call)["precision"] = precision
    return call


def leaves_of(value: Any) -> list[Any]:
    """What stands in a tuple or list, and in those within it."""
    if isinstance(value, tuple | list):
        return [leaf for part in value for leaf in leaves_of(part)]
    return [value]


HELPERS = {
    "twin": twin,
    "copies": shape.copies,
    "Tensor": Tensor,
    "array_of": array_of,
    "broadcast_to": broadcast_to,
    "pick": pick,
    "run_op": run_op,
}
