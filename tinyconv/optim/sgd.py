"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tinyconv.errors import ArgumentError
from tinyconv.kernels import optim as kernels
from tinyconv.optim.optimizer import Optimizer
from tinyconv.tensor import Tensor


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if asked for (Sutskever et al. 2013).

    Parameters
    ----------
    params : iterable of Tensor, or of dict
    lr : float
        Learning rate: how far to go against the gradient.
    momentum : float
        Share of the last step that is kept.
    dampening : float
        Share of the gradient that is left out of the momentum.
    weight_decay : float
        Adds this multiple of the parameter to its gradient.
    nesterov : bool
        Look ahead along the momentum; needs momentum and no dampening.
    maximize : bool
        Go along the gradient, not against it.
    foreach, differentiable, fused
        See the notes on `Optimizer`.

    Examples
    --------
    >>> import tinyconv as tc
    >>> x = tc.tensor([3.0], requires_grad=True)
    >>> optimizer = tc.optim.SGD([x], lr=0.1)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> round(x.item(), 4)
    2.4
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        options = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, options)

    def check(self, group: dict[str, Any]) -> None:
        super().check(group)
        self.check_not_negative(group, "momentum")
        if group["nesterov"] and (group["momentum"] == 0 or group["dampening"] != 0):
            raise ArgumentError("SGD", "nesterov", True, "momentum > 0 and dampening = 0 with it")

    def update_group(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        """One call of the kernel for all parameters, and one for those at their first step."""
        by_age: dict[bool, list[tuple[Any, ...]]] = {}
        for parameter in parameters:
            state = self.state.setdefault(parameter, {})
            arrays: tuple[Any, ...] = parameter.array, self.gradient(parameter, group)
            first = "momentum_buffer" not in state
            if group["momentum"]:
                arrays = *arrays, *self.averages([parameter], "momentum_buffer")
            by_age.setdefault(first, []).append(arrays)
        options = [group[name] for name in ("lr", "momentum", "dampening", "weight_decay", "nesterov")]
        for first, rows in by_age.items():
            params, grads, *buffers = map(list, zip(*rows, strict=True))
            kernels.sgd_steps(params, grads, buffers[0] if buffers else None, *options, first)
