"""RMSprop."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tinyconv.kernels import optim as kernels
from tinyconv.optim.optimizer import Optimizer
from tinyconv.tensor import Tensor


class RMSprop(Optimizer):
    """RMSprop (Hinton 2012, lecture 6 of his course): the gradient by the root of its mean square.

    Parameters
    ----------
    params : iterable of Tensor, or of dict
    lr : float
        Learning rate.
    alpha : float
        How much of the running averages is kept per step.
    eps : float
        Keeps the division finite.
    weight_decay : float
        Adds this multiple of the parameter to its gradient.
    momentum : float
        Share of the last step that is kept.
    centered : bool
        Divide by the gradient's standard deviation instead (Graves 2013).
    maximize : bool
        Go along the gradient, not against it.
    capturable, foreach, differentiable
        See the notes on `Optimizer`.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        options = {
            "lr": lr,
            "alpha": alpha,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "centered": centered,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, options)

    def check(self, group: dict[str, Any]) -> None:
        super().check(group)
        self.check_not_negative(group, "alpha", "eps", "momentum")

    def update_group(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        """One call of the kernel for all parameters that have taken as many steps."""
        with_momentum = group["momentum"] > 0
        wanted = {"square_avg": True, "grad_avg": group["centered"], "momentum_buffer": with_momentum}
        for alike in self.by_step(parameters).values():
            arrays = [parameter.array for parameter in alike]
            grads = [self.gradient(parameter, group) for parameter in alike]
            averages = [self.averages(alike, name) if kept else None for name, kept in wanted.items()]
            options = [group[option] for option in ("lr", "alpha", "eps", "weight_decay", "momentum")]
            kernels.rmsprop_steps(arrays, grads, *averages, *options)
