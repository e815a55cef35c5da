"""Optimiser steps in one pass over the parameter, its gradient and its running averages."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np
from numba import prange

from tinyconv.kernels.cpu._many import StepTable, addresses, are_plain, chunk_at, chunks_of, recall, remember
from tinyconv.kernels.cpu.options import lane_nothing, parallel
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


def all_finite(arrays: list[Array]) -> bool:
    """Whether no number of the arrays is NaN or infinite; see `kernels.reference.optim`."""
    plain = [array for array in arrays if are_plain([array])]
    if plain:
        sizes = tuple([array.size for array in plain])
        use_threads(sum(sizes))
        if _nothing(addresses([plain]), chunks_of(sizes)) != 0:
            return False
    return len(plain) == len(arrays) or reference.all_finite([a for a in arrays if not are_plain([a])])


@parallel
def _nothing(table: Array, chunks: Array) -> float:
    """0 times each number, added up: NaN if one of them is not finite."""
    total = f32(0)
    for n in prange(chunks.shape[0]):
        row, begin, size = chunks[n]
        total += lane_nothing(chunk_at(table, row, 0, begin, size))
    return total


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


def rmsprop_steps(
    params: list[Array], grads: list[Array], square_avgs: list[Array], grad_avgs: list[Array] | None,
    buffers: list[Array] | None, lr: float, alpha: float, eps: float, weight_decay: float, momentum: float,
) -> None:  # fmt: skip
    """RMSprop, in place; see `kernels.reference.optim`."""
    centered, has_momentum = grad_avgs is not None, buffers is not None
    unused = square_avgs
    columns = [params, grads, square_avgs, grad_avgs or unused, buffers or unused]
    table, rest, _alive = _table_and_rest(columns)
    if rest[0]:
        params, grads, square_avgs, *others = rest
        grad_avgs, buffers = others[0] if centered else None, others[1] if has_momentum else None
        options = lr, alpha, eps, weight_decay, momentum
        reference.rmsprop_steps(params, grads, square_avgs, grad_avgs, buffers, *options)
    if table is not None:
        use_threads(WORK_OF_A_STEP * table.size)
        numbers = map(_single, (lr, alpha, 1 - alpha, eps, weight_decay, momentum))
        _rmsprop(table.addresses, table.chunks, *numbers, centered, has_momentum)


@parallel
def _rmsprop(
    table: Array,
    chunks: Array,
    lr: float,
    keep: float,
    take: float,
    eps: float,
    weight_decay: float,
    momentum: float,
    centered: bool,
    has_momentum: bool,
) -> None:
    for n in prange(chunks.shape[0]):
        row, begin, size = chunks[n]
        param, grad = chunk_at(table, row, 0, begin, size), chunk_at(table, row, 1, begin, size)
        square_avg, grad_avg = chunk_at(table, row, 2, begin, size), chunk_at(table, row, 3, begin, size)
        buffer = chunk_at(table, row, 4, begin, size)
        for i in range(size):
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


def adagrad_steps(
    params: list[Array], grads: list[Array], sums: list[Array], step: int, lr: float, lr_decay: float,
    weight_decay: float, eps: float,
) -> None:  # fmt: skip
    """Adagrad, in place; see `kernels.reference.optim`."""
    table, rest, _alive = _table_and_rest([params, grads, sums])
    if rest[0]:
        params, grads, sums = rest
        reference.adagrad_steps(params, grads, sums, step, lr, lr_decay, weight_decay, eps)
    if table is not None:
        use_threads(WORK_OF_A_STEP * table.size)
        numbers = map(_single, (lr / (1 + (step - 1) * lr_decay), weight_decay, eps))
        _adagrad(table.addresses, table.chunks, *numbers)


@parallel
def _adagrad(table: Array, chunks: Array, rate: float, weight_decay: float, eps: float) -> None:
    for n in prange(chunks.shape[0]):
        row, begin, size = chunks[n]
        param, grad = chunk_at(table, row, 0, begin, size), chunk_at(table, row, 1, begin, size)
        sum = chunk_at(table, row, 2, begin, size)
        for i in range(size):
            d = grad[i] + weight_decay * param[i]
            sum[i] += d * d
            param[i] -= rate * d / (np.sqrt(sum[i]) + eps)


def adadelta_steps(
    params: list[Array], grads: list[Array], square_avgs: list[Array], acc_deltas: list[Array], lr: float,
    rho: float, eps: float, weight_decay: float,
) -> None:  # fmt: skip
    """Adadelta, in place; see `kernels.reference.optim`."""
    table, rest, _alive = _table_and_rest([params, grads, square_avgs, acc_deltas])
    if rest[0]:
        params, grads, square_avgs, acc_deltas = rest
        reference.adadelta_steps(params, grads, square_avgs, acc_deltas, lr, rho, eps, weight_decay)
    if table is not None:
        use_threads(WORK_OF_A_STEP * table.size)
        _adadelta(table.addresses, table.chunks, *map(_single, (lr, rho, 1 - rho, eps, weight_decay)))


@parallel
def _adadelta(
    table: Array, chunks: Array, lr: float, keep: float, take: float, eps: float, weight_decay: float
) -> None:
    for n in prange(chunks.shape[0]):
        row, begin, size = chunks[n]
        param, grad = chunk_at(table, row, 0, begin, size), chunk_at(table, row, 1, begin, size)
        square_avg, acc_delta = chunk_at(table, row, 2, begin, size), chunk_at(table, row, 3, begin, size)
        for i in range(size):
            d = grad[i] + weight_decay * param[i]
            square = keep * square_avg[i] + take * d * d
            square_avg[i] = square
            delta = np.sqrt(acc_delta[i] + eps) / np.sqrt(square + eps) * d
            acc_delta[i] = keep * acc_delta[i] + take * delta * delta
            param[i] -= lr * delta
