"""Optimiser steps on a GPU: the twins of `kernels/reference/optim.py`."""

from __future__ import annotations

from typing import Any

from tinyconv.kernels.cuda._launch import C_TYPES, in_order_of, kernel, launch_elements
from tinyconv.kernels.cuda._many import is_plain, launch_rows
from tinyconv.kernels.reference import optim as reference

Array = Any


def sgd_steps(
    params: list[Array], grads: list[Array], buffers: list[Array] | None, lr: float, momentum: float,
    dampening: float, weight_decay: float, nesterov: bool, first: bool,
) -> None:  # fmt: skip
    """Stochastic gradient descent with momentum, all parameters of a group in one launch."""
    columns = [params, grads] if buffers is None else [params, grads, buffers]
    rows, rest = _plain_and_rest(columns)
    launch_rows("sgd", rows, (lr, momentum, 1 - dampening, weight_decay), (nesterov, first))
    if rest:
        params, grads, *averages = (list(column) for column in zip(*rest, strict=True))
        buffers = averages[0] if averages else None
        reference.sgd_steps(params, grads, buffers, lr, momentum, dampening, weight_decay, nesterov, first)


def sgd_step(
    param: Array, grad: Array, buffer: Array | None, lr: float, momentum: float, dampening: float,
    weight_decay: float, nesterov: bool, first: bool,
) -> None:  # fmt: skip
    """`sgd_steps` of one parameter."""
    buffers = None if buffer is None else [buffer]
    sgd_steps([param], [grad], buffers, lr, momentum, dampening, weight_decay, nesterov, first)


def adam_steps(
    params: list[Array], grads: list[Array], exp_avgs: list[Array], exp_avg_sqs: list[Array], step: int,
    lr: float, beta1: float, beta2: float, eps: float, weight_decay: float, decoupled: bool,
) -> None:  # fmt: skip
    """Adam, or AdamW, all parameters of a group in one launch."""
    rows, rest = _plain_and_rest([params, grads, exp_avgs, exp_avg_sqs])
    launch_rows("adam", rows, _adam_numbers(step, lr, beta1, beta2, eps, weight_decay, decoupled))
    if rest:
        params, grads, exp_avgs, exp_avg_sqs = (list(column) for column in zip(*rest, strict=True))
        numbers = lr, beta1, beta2, eps, weight_decay
        reference.adam_steps(params, grads, exp_avgs, exp_avg_sqs, step, *numbers, decoupled)


def adam_step(
    param: Array, grad: Array, exp_avg: Array, exp_avg_sq: Array, step: int, lr: float, beta1: float,
    beta2: float, eps: float, weight_decay: float,
) -> None:  # fmt: skip
    """`adam_steps` of one parameter."""
    columns = [param], [grad], [exp_avg], [exp_avg_sq]
    adam_steps(*columns, step, lr, beta1, beta2, eps, weight_decay, False)


def adamw_step(
    param: Array, grad: Array, exp_avg: Array, exp_avg_sq: Array, step: int, lr: float, beta1: float,
    beta2: float, eps: float, weight_decay: float,
) -> None:  # fmt: skip
    """`adam_steps` of one parameter, with decoupled weight decay."""
    columns = [param], [grad], [exp_avg], [exp_avg_sq]
    adam_steps(*columns, step, lr, beta1, beta2, eps, weight_decay, True)


def amsgrad_step(
    param: Array, grad: Array, exp_avg: Array, exp_avg_sq: Array, max_exp_avg_sq: Array, step: int, lr: float,
    beta1: float, beta2: float, eps: float, weight_decay: float, decoupled: bool,
) -> None:  # fmt: skip
    """Adam that divides by the root of the largest average square so far."""
    averages = exp_avg, exp_avg_sq, max_exp_avg_sq
    if not is_plain(param, *averages):
        numbers = lr, beta1, beta2, eps, weight_decay
        reference.amsgrad_step(param, grad, *averages, step, *numbers, decoupled)
        return
    _launch(
        "amsgrad", param, grad, averages, *_adam_numbers(step, lr, beta1, beta2, eps, weight_decay, decoupled)
    )


def rmsprop_step(
    param: Array, grad: Array, square_avg: Array, grad_avg: Array | None, buffer: Array | None, lr: float,
    alpha: float, eps: float, weight_decay: float, momentum: float,
) -> None:  # fmt: skip
    """RMSprop: the gradient by the root of its mean square."""
    averages = square_avg, grad_avg, buffer
    if not is_plain(param, *(array for array in averages if array is not None)):
        reference.rmsprop_step(param, grad, *averages, lr, alpha, eps, weight_decay, momentum)
        return
    _launch("rmsprop", param, grad, averages, lr, alpha, 1 - alpha, eps, weight_decay, momentum)


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
    """Adagrad: the gradient by the root of the sum of all its squares."""
    if not is_plain(param, sum):
        reference.adagrad_step(param, grad, sum, step, lr, lr_decay, weight_decay, eps)
        return
    _launch("adagrad", param, grad, (sum,), lr / (1 + (step - 1) * lr_decay), weight_decay, eps)


def adadelta_step(
    param: Array, grad: Array, square_avg: Array, acc_delta: Array, lr: float, rho: float, eps: float,
    weight_decay: float,
) -> None:  # fmt: skip
    """Adadelta: steps in the parameter's own unit, as large as the last ones were."""
    if not is_plain(param, square_avg, acc_delta):
        reference.adadelta_step(param, grad, square_avg, acc_delta, lr, rho, eps, weight_decay)
        return
    _launch("adadelta", param, grad, (square_avg, acc_delta), lr, rho, 1 - rho, eps, weight_decay)


def _adam_numbers(
    step: int, lr: float, beta1: float, beta2: float, eps: float, weight_decay: float, decoupled: bool
) -> tuple[float, ...]:
    rate, correction = lr / (1 - beta1**step), (1 - beta2**step) ** 0.5
    decay, shrink = (0.0, 1 - lr * weight_decay) if decoupled else (weight_decay, 1.0)
    return rate, correction, beta1, 1 - beta1, beta2, 1 - beta2, eps, decay, shrink


def _plain_and_rest(columns: list[list[Array]]) -> tuple[list[Any], list[Any]]:
    """The rows (param, grad, averages ...) that one launch can update, and the others."""
    rows = list(zip(*columns, strict=True))
    plain = [is_plain(row[0], *row[2:]) for row in rows]
    chosen = [row for row, is_one in zip(rows, plain, strict=True) if is_one]
    return chosen, [row for row, is_one in zip(rows, plain, strict=True) if not is_one]


def _launch(
    name: str, param: Array, grad: Array, averages: tuple[Array | None, ...], *numbers: float
) -> None:
    number = param.dtype.type
    pointers = (0 if array is None else array for array in averages)
    args = (param, in_order_of(param, grad), *pointers, param.size, *map(number, numbers))
    launch_elements(kernel("optim.cu", f"{name}<{C_TYPES[str(param.dtype)]}>"), param.size, args)
