"""Running a model without a trace in it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tinyconv.device import default_device, to_device
from tinyconv.nn import Module


@contextlib.contextmanager
def as_it_was(model: Module) -> Iterator[None]:
    """After this block each module is in training or not as before, and its buffers hold what they held."""
    training = [(module, module.training) for module in model.modules()]
    buffers = [(buffer, buffer.array, buffer.array.copy()) for buffer in model.buffers()]
    stores = [(module, dict(module._buffers)) for module in model.modules()]
    try:
        yield
    finally:
        for module, mode in training:
            object.__setattr__(module, "training", mode)
        for module, store in stores:
            module._buffers.clear()
            module._buffers.update(store)
        for buffer, array, values in buffers:
            buffer.array = array
            if (array != values).any():
                array[...] = values


@contextlib.contextmanager
def on_the_cpu(model: Module) -> Iterator[None]:
    """In this block the model computes on the CPU, and the tensors that it makes are there."""
    arrays = [(tensor, tensor.array) for tensor in (*model.parameters(), *model.buffers())]
    try:
        for tensor, array in arrays:
            tensor.array = to_device(array, "cpu")
        with default_device("cpu"):
            yield
    finally:
        for tensor, array in arrays:
            tensor.array = array
