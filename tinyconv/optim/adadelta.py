"""Adadelta."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tinyconv.errors import ArgumentError
from tinyconv.kernels import optim as kernels
from tinyconv.optim.optimizer import Optimizer
from tinyconv.tensor import Tensor


class Adadelta(Optimizer):
    """Adadelta (Zeiler 2012): no learning rate to choose, steps are as large as the last ones were.

    Parameters
    ----------
    params : iterable of Tensor, or of dict
    lr : float
        Factor of the step; 1 is the paper's.
    rho : float
        How much of the running averages of squares is kept per step.
    eps : float
        Starts the steps, and keeps the division finite.
    weight_decay : float
        Adds this multiple of the parameter to its gradient.
    maximize : bool
        Go along the gradient, not against it.
    foreach, capturable, differentiable
        See the notes on `Optimizer`.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        options = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, options)

    def check(self, group: dict[str, Any]) -> None:
        super().check(group)
        self.check_not_negative(group, "rho", "eps")
        if group["rho"] > 1:
            raise ArgumentError("Adadelta", "rho", repr(group["rho"]), "a number from 0 to 1")

    def update_group(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        """One call of the kernel for all parameters that have taken as many steps."""
        options = [group[option] for option in ("lr", "rho", "eps", "weight_decay")]
        for alike in self.by_step(parameters).values():
            arrays = [parameter.array for parameter in alike]
            grads = [self.gradient(parameter, group) for parameter in alike]
            averages = [self.averages(alike, name) for name in ("square_avg", "acc_delta")]
            kernels.adadelta_steps(arrays, grads, *averages, *options)
