"""Adam, and AdamW, whose weight decay is decoupled."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

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
    amsgrad : bool
        Divide by the root of the largest average so far, so that steps do not grow (Reddi et al. 2018).
    maximize : bool
        Go along the gradient, not against it.
    foreach, capturable, differentiable, fused
        See the notes on `Optimizer`.
    decoupled_weight_decay : bool
        Let the parameters decay as in `AdamW`.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        options = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, options)

    def check(self, group: dict[str, Any]) -> None:
        super().check(group)
        self.check_not_negative(group, "eps")
        betas = group["betas"]
        if not isinstance(betas, list | tuple) or len(betas) != 2 or not all(0 <= beta < 1 for beta in betas):
            raise ArgumentError(type(self).__name__, "betas", repr(betas), "two numbers from 0 to below 1")

    def update_group(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        """One call of the kernel for all parameters that have taken as many steps."""
        names = ["exp_avg", "exp_avg_sq"] + ["max_exp_avg_sq"] * group["amsgrad"]
        numbers = group["lr"], *group["betas"], group["eps"], group["weight_decay"]
        take = kernels.amsgrad_steps if group["amsgrad"] else kernels.adam_steps
        for step, alike in self.by_step(parameters).items():
            arrays = [parameter.array for parameter in alike]
            grads = [self.gradient(parameter, group) for parameter in alike]
            averages = [self.averages(alike, name) for name in names]
            take(arrays, grads, *averages, step, *numbers, group["decoupled_weight_decay"])


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
    amsgrad : bool
        Divide by the root of the largest average so far, so that steps do not grow (Reddi et al. 2018).
    maximize : bool
        Go along the gradient, not against it.
    foreach, capturable, differentiable, fused
        See the notes on `Optimizer`.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            maximize=maximize,
            foreach=foreach,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )
