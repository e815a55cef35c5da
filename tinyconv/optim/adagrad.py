"""Adagrad."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tinyconv.kernels import optim as kernels
from tinyconv.optim.optimizer import Optimizer
from tinyconv.tensor import Tensor


class Adagrad(Optimizer):
    """Adagrad (Duchi et al. 2011): rarely used parameters take larger steps than busy ones.

    Parameters
    ----------
    params : iterable of Tensor, or of dict
    lr : float
        Learning rate.
    lr_decay : float
        The learning rate of step t is ``lr / (1 + (t - 1) * lr_decay)``.
    weight_decay : float
        Adds this multiple of the parameter to its gradient.
    initial_accumulator_value : float
        What the sum of squares starts with.
    eps : float
        Keeps the division by the root of the sum finite.
    maximize : bool
        Go along the gradient, not against it.
    foreach, differentiable, fused
        See the notes on `Optimizer`.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        options = {
            "lr": lr,
            "lr_decay": lr_decay,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "eps": eps,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, options)

    def check(self, group: dict[str, Any]) -> None:
        super().check(group)
        self.check_not_negative(group, "lr_decay", "initial_accumulator_value", "eps")

    def update_group(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        """One call of the kernel for all parameters that have taken as many steps."""
        options = [group[option] for option in ("lr", "lr_decay", "weight_decay", "eps")]
        for step, alike in self.by_step(parameters).items():
            arrays = [parameter.array for parameter in alike]
            grads = [self.gradient(parameter, group) for parameter in alike]
            sums = self.averages(alike, "sum", group["initial_accumulator_value"])
            kernels.adagrad_steps(arrays, grads, sums, step, *options)
