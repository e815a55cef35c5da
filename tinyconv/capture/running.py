"""What a program calls besides kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import byte_bounds

from tinyconv.autograd import Function
from tinyconv.tensor import Tensor

Array = Any


def array_of(value: Any) -> Array:
    """The array of a tensor, or of what an op returned."""
    array = value.array if isinstance(value, Tensor) else value
    return np.asarray(array) if isinstance(array, np.generic) else array


def run_op(
    op: type[Function], needs: tuple[bool, ...], inputs: tuple[Any, ...]
) -> tuple[Function, list[Array]]:
    """The forward of an op: the object that keeps what its backward needs, and the outputs."""
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


def twin(array: Array) -> Array:
    """A copy with the same strides, gaps and repetitions, as kernels may go through memory in its order."""
    if array.size == 0:
        return array.copy("K")
    low, high = byte_bounds(array)
    memory = np.zeros(high - low, np.uint8)
    start = array.__array_interface__["data"][0] - low
    copied = np.ndarray(array.shape, array.dtype, memory, start, array.strides)
    copied[...] = array
    return copied


def leaves_of(value: Any) -> list[Any]:
    """What stands in a tuple or list, and in those within it."""
    if isinstance(value, tuple | list):
        return [leaf for part in value for leaf in leaves_of(part)]
    return [value]


HELPERS = {"twin": twin, "Tensor": Tensor, "array_of": array_of, "pick": pick, "run_op": run_op}
