"""Optimiser steps on a GPU, up to 77 parameters of a group in one launch; see `kernels.reference.optim`."""

from __future__ import annotations

from typing import Any

from tinyconv.device import array_module
from tinyconv.kernels.cuda._many import is_plain, launch_rows
from tinyconv.kernels.reference import optim as reference

Array = Any


def all_finite(arrays: list[Array]) -> bool:
    """Whether no number is NaN or infinite: one launch, and one number per card that is waited for."""
    plain = [array for array in arrays if is_plain(array)]
    found: dict[int, Array] = {}
    for array in plain:
        if array.device.id not in found:
            with array.device:
                found[array.device.id] = array_module(array).zeros(1, "int32")
    launch_rows("find_not_finite", [(array, array, found[array.device.id]) for array in plain], ())
    rest = [array for array in arrays if not is_plain(array)]
    return not any(flag.item() for flag in found.values()) and reference.all_finite(rest)


def sgd_steps(
    params: list[Array], grads: list[Array], buffers: list[Array] | None, lr: float, momentum: float,
    dampening: float, weight_decay: float, nesterov: bool, first: bool,
) -> None:  # fmt: skip
    """Stochastic gradient descent with momentum."""
    columns = params, grads, buffers
    options = lr, momentum, dampening, weight_decay, nesterov, first
    _launch("sgd", columns, options, (lr, momentum, 1 - dampening, weight_decay), (nesterov, first))


def adam_steps(
    params: list[Array], grads: list[Array], exp_avgs: list[Array], exp_avg_sqs: list[Array], step: int,
    lr: float, beta1: float, beta2: float, eps: float, weight_decay: float, decoupled: bool,
) -> None:  # fmt: skip
    """Adam, or AdamW."""
    columns = params, grads, exp_avgs, exp_avg_sqs
    options = step, lr, beta1, beta2, eps, weight_decay, decoupled
    _launch("adam", columns, options, _adam_numbers(*options))


def amsgrad_steps(
    params: list[Array], grads: list[Array], exp_avgs: list[Array], exp_avg_sqs: list[Array],
    max_exp_avg_sqs: list[Array], step: int, lr: float, beta1: float, beta2: float, eps: float,
    weight_decay: float, decoupled: bool,
) -> None:  # fmt: skip
    """Adam that divides by the root of the largest average square so far."""
    columns = params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs
    options = step, lr, beta1, beta2, eps, weight_decay, decoupled
    _launch("amsgrad", columns, options, _adam_numbers(*options))


def rmsprop_steps(
    params: list[Array], grads: list[Array], square_avgs: list[Array], grad_avgs: list[Array] | None,
    buffers: list[Array] | None, lr: float, alpha: float, eps: float, weight_decay: float, momentum: float,
) -> None:  # fmt: skip
    """RMSprop: the gradient by the root of its mean square."""
    columns = params, grads, square_avgs, grad_avgs, buffers
    options = lr, alpha, eps, weight_decay, momentum
    _launch("rmsprop", columns, options, (lr, alpha, 1 - alpha, eps, weight_decay, momentum))


def adagrad_steps(
    params: list[Array], grads: list[Array], sums: list[Array], step: int, lr: float, lr_decay: float,
    weight_decay: float, eps: float,
) -> None:  # fmt: skip
    """Adagrad: the gradient by the root of the sum of all its squares."""
    columns = params, grads, sums
    options = step, lr, lr_decay, weight_decay, eps
    _launch("adagrad", columns, options, (lr / (1 + (step - 1) * lr_decay), weight_decay, eps))


def adadelta_steps(
    params: list[Array], grads: list[Array], square_avgs: list[Array], acc_deltas: list[Array], lr: float,
    rho: float, eps: float, weight_decay: float,
) -> None:  # fmt: skip
    """Adadelta: steps in the parameter's own unit, as large as the last ones were."""
    columns = params, grads, square_avgs, acc_deltas
    options = lr, rho, eps, weight_decay
    _launch("adadelta", columns, options, (lr, rho, 1 - rho, eps, weight_decay))


def _adam_numbers(
    step: int, lr: float, beta1: float, beta2: float, eps: float, weight_decay: float, decoupled: bool
) -> tuple[float, ...]:
    rate, correction = lr / (1 - beta1**step), (1 - beta2**step) ** 0.5
    decay, shrink = (0.0, 1 - lr * weight_decay) if decoupled else (weight_decay, 1.0)
    return rate, correction, beta1, 1 - beta1, beta2, 1 - beta2, eps, decay, shrink


def _launch(
    name: str,
    columns: tuple[list[Array] | None, ...],
    options: tuple[Any, ...],
    numbers: tuple[float, ...],
    flags: tuple[bool, ...] = (),
) -> None:
    """Update what one launch can, with `numbers` and `flags`; the reference does the rest, with `options`."""
    none = [None] * len(columns[0] or ())
    rows = list(zip(*(none if column is None else column for column in columns), strict=True))
    plain = [is_plain(row[0], *(array for array in row[2:] if array is not None)) for row in rows]
    launch_rows(name, [row for row, is_one in zip(rows, plain, strict=True) if is_one], numbers, flags)
    for row in (row for row, is_one in zip(rows, plain, strict=True) if not is_one):
        with row[0].device:
            getattr(reference, f"{name}_steps")(*([array] for array in row), *options)
