"""Right functions with wrong gradients: what `gradcheck` and `gradgradcheck` must find."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tinyconv as tc
from tests.gpu import tensor
from tinyconv.autograd import Function


def planted(right: Callable[..., Any], spoil: Callable[..., Any], i: int = 0) -> Callable[..., Any]:
    """The function `right`, with the gradient of its input i sent through ``spoil(gradient, start)``."""

    class Planted(Function):
        @staticmethod
        def forward(ctx: Any, *inputs: tc.Tensor) -> Any:
            ctx.save_for_backward(*inputs)
            return right(*inputs).array

        @staticmethod
        def backward(ctx: Any, start: tc.Tensor) -> Any:
            with tc.enable_grad():
                inputs = [tc.Tensor(x.array, requires_grad=True) for x in ctx.saved_tensors]
                grads = list(tc.autograd.grad(right(*inputs), inputs, start))
            grads[i] = spoil(grads[i], start)
            return tuple(grads)

    def faulty(*inputs: tc.Tensor) -> Any:
        return Planted.apply(*inputs)

    return faulty


def doubles(*shape: int, seed: int = 0) -> tc.Tensor:
    return tc.tensor(np.random.default_rng(seed).standard_normal(shape), requires_grad=True)


def as_array(change: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda grad, start: tensor(np.ascontiguousarray(change(grad.numpy())))


def alone(right: Callable[..., Any], i: int, n: int) -> Callable[..., Any]:
    """The gradient of batch element n only: ``=`` in the place of ``+=``."""

    def spoil_of(inputs: list[tc.Tensor]) -> Callable[..., Any]:
        def spoil(grad: tc.Tensor, start: tc.Tensor) -> tc.Tensor:
            only = np.zeros(start.shape)
            only[n] = start.numpy()[n]
            with tc.enable_grad():
                fresh = [tc.Tensor(x.array, requires_grad=True) for x in inputs]
                return tc.autograd.grad(right(*fresh), fresh, tensor(only))[i]

        return spoil

    return spoil_of


def spoilt_at(position: tuple[int, ...], change: Callable[[Any], Any]) -> Callable[..., Any]:
    def spoil(grad: tc.Tensor, start: tc.Tensor) -> tc.Tensor:
        array = grad.array.copy()
        array[position] = change(array[position])
        return tc.Tensor(array)

    return spoil


def square(x: tc.Tensor) -> tc.Tensor:
    return x * x
