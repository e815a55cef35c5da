"""Launches the kernels of `activation.cu`, twins of `kernels/reference/activation.py`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

Array = Any

THREADS_PER_BLOCK = 256
BLOCKS_PER_MULTIPROCESSOR = 8
C_TYPES = {"float32": "float", "float64": "double"}
NAMES = (
    "relu",
    "relu_backward",
    "leaky_relu",
    "leaky_relu_backward",
    "elu",
    "elu_backward",
    "sigmoid",
    "sigmoid_backward",
    "tanh_forward",
    "tanh_backward",
)


def relu(x: Array) -> Array:
    """``max(0, x)``."""
    return _launch("relu", (x,))


def relu_backward(grad: Array, y: Array) -> Array:
    """`grad` where y > 0, else 0."""
    return _launch("relu_backward", (grad, y))


def leaky_relu(x: Array, negative_slope: float) -> Array:
    """``x`` where x > 0, else ``negative_slope * x``."""
    return _launch("leaky_relu", (x,), negative_slope)


def leaky_relu_backward(grad: Array, x: Array, negative_slope: float) -> Array:
    """`grad` where x > 0, else ``negative_slope * grad``."""
    return _launch("leaky_relu_backward", (grad, x), negative_slope)


def elu(x: Array, alpha: float) -> Array:
    """``x`` where x > 0, else ``alpha * (exp(x) - 1)``."""
    return _launch("elu", (x,), alpha)


def elu_backward(grad: Array, y: Array, alpha: float) -> Array:
    """`grad` where y > 0, else ``grad * (y + alpha)``."""
    return _launch("elu_backward", (grad, y), alpha)


def sigmoid(x: Array) -> Array:
    """``1 / (1 + exp(-x))``."""
    return _launch("sigmoid", (x,))


def sigmoid_backward(grad: Array, y: Array) -> Array:
    """``grad * y * (1 - y)``."""
    return _launch("sigmoid_backward", (grad, y))


def tanh(x: Array) -> Array:
    """Hyperbolic tangent."""
    return _launch("tanh_forward", (x,))


def tanh_backward(grad: Array, y: Array) -> Array:
    """``grad * (1 - y * y)``."""
    return _launch("tanh_backward", (grad, y))


@cache
def _kernel(name: str, dtype: str, device: int) -> Any:
    """The compiled kernel for one dtype; a CuPy module belongs to the device that loaded it."""
    import cupy

    source = (Path(__file__).parent / "activation.cu").read_text(encoding="utf-8")
    expressions = [f"{each}<{ctype}>" for each in NAMES for ctype in C_TYPES.values()]
    module = cupy.RawModule(code=source, options=("--std=c++17",), name_expressions=expressions)
    return module.get_function(f"{name}<{C_TYPES[dtype]}>")


def _launch(name: str, inputs: tuple[Array, ...], parameter: float = 0.0) -> Array:
    """Run a kernel over the inputs' memory; the result has the first input's memory order."""
    import cupy

    first = _dense(inputs[0])
    out = cupy.empty_like(first)
    arrays = (first, *(_in_order_of(first, array) for array in inputs[1:]))
    if out.size:
        device = first.device
        blocks = min(
            -(-out.size // THREADS_PER_BLOCK),
            device.attributes["MultiProcessorCount"] * BLOCKS_PER_MULTIPROCESSOR,
        )
        kernel = _kernel(name, str(out.dtype), device.id)
        kernel((blocks,), (THREADS_PER_BLOCK,), (*arrays, out, out.size, out.dtype.type(parameter)))
    return out


def _dense(array: Array) -> Array:
    """`array`, or a copy of it, whose elements fill their memory without gaps or repetition."""
    import cupy

    order = sorted(range(array.ndim), key=lambda axis: (-array.strides[axis], axis))
    return array if array.transpose(order).flags.c_contiguous else cupy.ascontiguousarray(array)


def _in_order_of(first: Array, array: Array) -> Array:
    """`array`, or a copy of it, in the memory order and dtype of `first`."""
    import cupy

    if array.strides == first.strides and array.dtype == first.dtype:
        return array
    copy = cupy.empty_like(first)
    copy[...] = array
    return copy
