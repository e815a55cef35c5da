"""Optimiser steps in one pass over the parameter, its gradient and its running averages."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np
from numba import prange

from tinyconv.kernels.cpu._many import StepTable, are_plain, chunk_at, recall, remember
from tinyconv.kernels.cpu.flat import flat, is_dense, ordered_like, same_order, suits
from tinyconv.kernels.cpu.options import parallel
from tinyconv.kernels.cpu.threads import use_threads
from tinyconv.kernels.reference import optim as reference

Array = Any
f32 = np.float32
LARGEST = float(np.finfo(f32).max)

WORK_OF_A_STEP = 8
"""Multiply-adds that take as long as the step of one number."""


def _single(value: float) -> Any:
    """The number in float32; infinite, without a warning, where it is too large: 1e308 is a valid `eps`."""
    return f32(value if -LARGEST <= value <= LARGEST else value * inf)


def _alike(param: Array, grad: Array, *averages: Array) -> bool:
    """Whether one flat pass can update everything in place."""
    return (
        suits(param, grad, *averages)
        and is_dense(param)
        and all(is_dense(average) and same_order(average, param) for average in averages)
    )


def sgd_steps(
    params: list[Array],
    grads: list[Array],
    buffers: list[Array] | None,
    lr: float,
    momentum: float,
    dampening: float,
    weight_decay: float,
    nesterov: bool,
    first: bool,
) -> None:
    """Stochastic gradient descent with momentum, in place; see `kernels.reference.optim`."""
    columns = [params, grads] if buffers is None else [params, grads, buffers]
    table, rest, _alive = _table_and_rest(columns)
    if rest[0]:
        others = None if buffers is None else rest[2]
        reference.sgd_steps(
            rest[0], rest[1], others, lr, momentum, dampening, weight_decay, nesterov, first
        )  # fmt: skip
    if table is not None:
        keep, take = (0.0, 1.0) if first else (momentum, 1 - dampening)
        numbers = map(_single, (lr, keep, take, momentum, weight_decay))
        use_threads(WORK_OF_A_STEP * table.size)
        if buffers is None:
            _sgd(table.addresses, table.chunks, _single(lr), _single(weight_decay))
        else:
            _sgd_momentum(table.addresses, table.chunks, *numbers, nesterov, first)


@parallel
def _sgd(table: Array, chunks: Array, lr: float, weight_decay: float) -> None:
    for n in prange(chunks.shape[0]):
        row, begin, size = chunks[n]
        param, grad = chunk_at(table, row, 0, begin, size), chunk_at(table, row, 1, begin, size)
        for i in range(size):
            param[i] -= lr * (grad[i] + weight_decay * param[i])


@parallel
def _sgd_momentum(
    table: Array,
    chunks: Array,
    lr: float,
    keep: float,
    take: float,
    momentum: float,
    weight_decay: float,
    nesterov: bool,
    first: bool,
) -> None:
    for n in prange(chunks.shape[0]):
        row, begin, size = chunks[n]
        param, grad = chunk_at(table, row, 0, begin, size), chunk_at(table, row, 1, begin, size)
        buffer = chunk_at(table, row, 2, begin, size)
        for i in range(size):
            d = grad[i] + weight_decay * param[i]
            average = d if first else keep * buffer[i] + take * d
            buffer[i] = average
            param[i] -= lr * (d + momentum * average if nesterov else average)


def adam_steps(
    params: list[Array],
    grads: list[Array],
    exp_avgs: list[Array],
    exp_avg_sqs: list[Array],
    step: int,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    decoupled: bool,
) -> None:
    """Adam, in place; see `kernels.reference.optim`."""
    table, rest, _alive = _table_and_rest([params, grads, exp_avgs, exp_avg_sqs])
    if rest[0]:
        params, grads, exp_avgs, exp_avg_sqs = rest
        reference.adam_steps(
            params, grads, exp_avgs, exp_avg_sqs, step, lr, beta1, beta2, eps, weight_decay, decoupled
        )
    if table is not None:
        correction = lr / (1 - beta1**step), 1 / (1 - beta2**step) ** 0.5
        decay = 0.0 if decoupled else weight_decay
        shrink = 1 - lr * weight_decay if decoupled else 1.0
        numbers = map(_single, (*correction, beta1, 1 - beta1, beta2, 1 - beta2, eps, decay, shrink))
        use_threads(WORK_OF_A_STEP * table.size)
        _adam(table.addresses, table.chunks, *numbers)


@parallel
def _adam(
    table: Array,
    chunks: Array,
    rate: float,
    correction: float,
    keep1: float,
    take1: float,
    keep2: float,
    take2: float,
    eps: float,
    weight_decay: float,
    shrink: float,
) -> None:
    for n in prange(chunks.shape[0]):
        row, begin, size = chunks[n]
        param, grad = chunk_at(table, row, 0, begin, size), chunk_at(table, row, 1, begin, size)
        exp_avg, exp_avg_sq = chunk_at(table, row, 2, begin, size), chunk_at(table, row, 3, begin, size)
        for i in range(size):
            d = grad[i] + weight_decay * param[i]
            average = keep1 * exp_avg[i] + take1 * d
            square = keep2 * exp_avg_sq[i] + take2 * d * d
            exp_avg[i], exp_avg_sq[i] = average, square
            param[i] = shrink * param[i] - rate * average / (np.sqrt(square) * correction + eps)


def _table_and_rest(
    columns: list[list[Array]],
) -> tuple[StepTable | None, list[list[Array]], list[list[Array]]]:
    """The table of the parameters that one flat pass can update, and the others in the form of `columns`.

    The third result is what the table points to: it must live until the pass is over.
    """
    rest: list[list[Array]] = [[] for _ in columns]
    table = recall(columns)
    if table is not None:
        return table, rest, columns
    plain: list[list[Array]] = [[] for _ in columns]
    for param, grad, *averages in zip(*columns, strict=True):
        if param.flags.c_contiguous and not grad.flags.c_contiguous:
            grad = np.ascontiguousarray(grad)
        row = param, grad, *averages
        for column, array in zip(plain if are_plain(row) else rest, row, strict=True):
            column.append(array)
    return remember(plain) if plain[0] else None, rest, plain


def rmsprop_step(
    param: Array,
    grad: Array,
    square_avg: Array,
    grad_avg: Array | None,
    buffer: Array | None,
    lr: float,
    alpha: float,
    eps: float,
    weight_decay: float,
    momentum: float,
) -> None:
    """RMSprop, in place; see `kernels.reference.optim`."""
    averages = [average for average in (square_avg, grad_avg, buffer) if average is not None]
    if not _alike(param, grad, *averages):
        options = (lr, alpha, eps, weight_decay, momentum)
        reference.rmsprop_step(param, grad, square_avg, grad_avg, buffer, *options)
        return
    use_threads()
    unused = square_avg
    arrays = (
        param,
        ordered_like(grad, param),
        square_avg,
        *(unused if a is None else a for a in (grad_avg, buffer)),
    )
    numbers = map(_single, (lr, alpha, 1 - alpha, eps, weight_decay, momentum))
    _rmsprop(*map(flat, arrays), *numbers, grad_avg is not None, buffer is not None)


@parallel
def _rmsprop(
    param: Array,
    grad: Array,
    square_avg: Array,
    grad_avg: Array,
    buffer: Array,
    lr: float,
    keep: float,
    take: float,
    eps: float,
    weight_decay: float,
    momentum: float,
    centered: bool,
    has_momentum: bool,
) -> None:
    for i in prange(param.size):
        d = grad[i] + weight_decay * param[i]
        variance = keep * square_avg[i] + take * d * d
        square_avg[i] = variance
        if centered:
            mean = keep * grad_avg[i] + take * d
            grad_avg[i] = mean
            difference = variance - mean * mean
            variance = f32(0) if difference < 0 else difference
        d /= np.sqrt(variance) + eps
        if has_momentum:
            d += momentum * buffer[i]
            buffer[i] = d
        param[i] -= lr * d


def adagrad_step(
    param: Array,
    grad: Array,
    sum: Array,
    step: int,
    lr: float,
    lr_decay: float,
    weight_decay: float,
    eps: float,
) -> None:
    """Adagrad, in place; see `kernels.reference.optim`."""
    if not _alike(param, grad, sum):
        reference.adagrad_step(param, grad, sum, step, lr, lr_decay, weight_decay, eps)
        return
    use_threads()
    numbers = map(_single, (lr / (1 + (step - 1) * lr_decay), weight_decay, eps))
    _adagrad(flat(param), flat(ordered_like(grad, param)), flat(sum), *numbers)


@parallel
def _adagrad(param: Array, grad: Array, sum: Array, rate: float, weight_decay: float, eps: float) -> None:
    for i in prange(param.size):
        d = grad[i] + weight_decay * param[i]
        sum[i] += d * d
        param[i] -= rate * d / (np.sqrt(sum[i]) + eps)


def adadelta_step(
    param: Array,
    grad: Array,
    square_avg: Array,
    acc_delta: Array,
    lr: float,
    rho: float,
    eps: float,
    weight_decay: float,
) -> None:
    """Adadelta, in place; see `kernels.reference.optim`."""
    if not _alike(param, grad, square_avg, acc_delta):
        reference.adadelta_step(param, grad, square_avg, acc_delta, lr, rho, eps, weight_decay)
        return
    use_threads()
    arrays = map(flat, (param, ordered_like(grad, param), square_avg, acc_delta))
    _adadelta(*arrays, *map(_single, (lr, rho, 1 - rho, eps, weight_decay)))


@parallel
def _adadelta(
    param: Array,
    grad: Array,
    square_avg: Array,
    acc_delta: Array,
    lr: float,
    keep: float,
    take: float,
    eps: float,
    weight_decay: float,
) -> None:
    for i in prange(param.size):
        d = grad[i] + weight_decay * param[i]
        square = keep * square_avg[i] + take * d * d
        square_avg[i] = square
        delta = np.sqrt(acc_delta[i] + eps) / np.sqrt(square + eps) * d
        acc_delta[i] = keep * acc_delta[i] + take * delta * delta
        param[i] -= lr * delta
