"""Adam, and AdamW, whose weight decay is decoupled."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tinyconv.device import array_module
from tinyconv.errors import ArgumentError
from tinyconv.kernels import optim as kernels
from tinyconv.optim.optimizer import Optimizer
from tinyconv.tensor import Tensor


class Adam(Optimizer):
    """Adam (Kingma and Ba 2015): steps of about `lr`, whatever the gradient's size.

    Parameters
    ----------
    params : iterable of Tensor, or of dict
    lr : float
        Learning rate.
    betas : pair of float
        How much of the running averages of the gradient and of its square is kept per step.
    eps : float
        Keeps the division by the root of the second average finite.
    weight_decay : float
        Adds this multiple of the parameter to its gradient.
    """

    kernel = staticmethod(kernels.adam_step)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    def check(self, group: dict[str, Any]) -> None:
        super().check(group)
        self.check_not_negative(group, "eps")
        betas = group["betas"]
        if not isinstance(betas, list | tuple) or len(betas) != 2 or not all(0 <= beta < 1 for beta in betas):
            raise ArgumentError(type(self).__name__, "betas", repr(betas), "two numbers from 0 to below 1")

    def update(self, parameter: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        assert parameter.grad is not None
        if not state:
            module = array_module(parameter.array)
            state["step"] = 0
            state["exp_avg"] = module.zeros_like(parameter.array)
            state["exp_avg_sq"] = module.zeros_like(parameter.array)
        state["step"] += 1
        self.kernel(
            parameter.array,
            parameter.grad.array,
            state["exp_avg"],
            state["exp_avg_sq"],
            state["step"],
            group["lr"],
            *group["betas"],
            group["eps"],
            group["weight_decay"],
        )


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019).

    Adam divides what is added to the gradient by the gradient's size, so that parameters with
    large gradients hardly decay; here all parameters shrink by the same share per step.

    Parameters
    ----------
    params : iterable of Tensor, or of dict
    lr : float
        Learning rate.
    betas : pair of float
        How much of the running averages of the gradient and of its square is kept per step.
    eps : float
        Keeps the division by the root of the second average finite.
    weight_decay : float
        Takes ``lr * weight_decay`` of the parameter away per step.
    """

    kernel = staticmethod(kernels.adamw_step)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay)
