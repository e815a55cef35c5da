"""Adadelta."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tinyconv.device import array_module
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

    def update(self, parameter: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        if not state:
            module = array_module(parameter.array)
            state["square_avg"] = module.zeros_like(parameter.array)
            state["acc_delta"] = module.zeros_like(parameter.array)
        state["step"] = state.get("step", 0) + 1
        kernels.adadelta_step(
            parameter.array,
            self.gradient(parameter, group),
            state["square_avg"],
            state["acc_delta"],
            *(group[option] for option in ("lr", "rho", "eps", "weight_decay")),
        )
