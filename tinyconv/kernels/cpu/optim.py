"""Optimiser steps in one pass over the parameter, its gradient and its running averages."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import prange

from tinyconv.kernels.cpu.flat import flat, is_dense, ordered_like, same_order, suits
from tinyconv.kernels.cpu.options import parallel
from tinyconv.kernels.cpu.threads import use_threads
from tinyconv.kernels.reference import optim as reference

Array = Any
f32 = np.float32


def _alike(param: Array, grad: Array, *averages: Array) -> bool:
    """Whether one flat pass can update everything in place."""
    return (
        suits(param, grad, *averages)
        and is_dense(param)
        and all(is_dense(average) and same_order(average, param) for average in averages)
    )


def sgd_step(
    param: Array,
    grad: Array,
    buffer: Array | None,
    lr: float,
    momentum: float,
    dampening: float,
    weight_decay: float,
    nesterov: bool,
    first: bool,
) -> None:
    """Stochastic gradient descent with momentum, in place; see `kernels.reference.optim`."""
    averages = () if buffer is None else (buffer,)
    if not _alike(param, grad, *averages):
        reference.sgd_step(param, grad, buffer, lr, momentum, dampening, weight_decay, nesterov, first)
        return
    use_threads()
    grad = flat(ordered_like(grad, param))
    if buffer is None:
        _sgd(flat(param), grad, f32(lr), f32(weight_decay))
        return
    keep, take = (0.0, 1.0) if first else (momentum, 1 - dampening)
    numbers = map(f32, (lr, keep, take, momentum, weight_decay))
    _sgd_momentum(flat(param), grad, flat(buffer), *numbers, nesterov, first)


@parallel
def _sgd(param: Array, grad: Array, lr: float, weight_decay: float) -> None:
    for i in prange(param.size):
        param[i] -= lr * (grad[i] + weight_decay * param[i])


@parallel
def _sgd_momentum(
    param: Array,
    grad: Array,
    buffer: Array,
    lr: float,
    keep: float,
    take: float,
    momentum: float,
    weight_decay: float,
    nesterov: bool,
    first: bool,
) -> None:
    for i in prange(param.size):
        d = grad[i] + weight_decay * param[i]
        average = d if first else keep * buffer[i] + take * d
        buffer[i] = average
        param[i] -= lr * (d + momentum * average if nesterov else average)


def adam_step(
    param: Array,
    grad: Array,
    exp_avg: Array,
    exp_avg_sq: Array,
    step: int,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
) -> None:
    """Adam, in place; see `kernels.reference.optim`."""
    if not _alike(param, grad, exp_avg, exp_avg_sq):
        reference.adam_step(param, grad, exp_avg, exp_avg_sq, step, lr, beta1, beta2, eps, weight_decay)
        return
    use_threads()
    arrays = map(flat, (param, ordered_like(grad, param), exp_avg, exp_avg_sq))
    correction = lr / (1 - beta1**step), 1 / (1 - beta2**step) ** 0.5
    numbers = map(f32, (*correction, beta1, 1 - beta1, beta2, 1 - beta2, eps, weight_decay))
    _adam(*arrays, *numbers)


def adamw_step(
    param: Array,
    grad: Array,
    exp_avg: Array,
    exp_avg_sq: Array,
    step: int,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
) -> None:
    """Adam with decoupled weight decay, in place; see `kernels.reference.optim`."""
    if weight_decay:
        param *= 1 - lr * weight_decay
    adam_step(param, grad, exp_avg, exp_avg_sq, step, lr, beta1, beta2, eps, 0.0)


@parallel
def _adam(
    param: Array,
    grad: Array,
    exp_avg: Array,
    exp_avg_sq: Array,
    rate: float,
    correction: float,
    keep1: float,
    take1: float,
    keep2: float,
    take2: float,
    eps: float,
    weight_decay: float,
) -> None:
    for i in prange(param.size):
        d = grad[i] + weight_decay * param[i]
        average = keep1 * exp_avg[i] + take1 * d
        square = keep2 * exp_avg_sq[i] + take2 * d * d
        exp_avg[i], exp_avg_sq[i] = average, square
        param[i] -= rate * average / (np.sqrt(square) * correction + eps)
