"""What all optimisers share: parameter groups, and a state that can be saved."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tinyconv.device import array_module
from tinyconv.errors import ArgumentError, CheckpointError, DtypeError
from tinyconv.grad_mode import no_grad
from tinyconv.tensor import Tensor


class Optimizer:
    """Base of the optimisers; subclasses define `update` for one parameter.

    Parameters
    ----------
    params : iterable of Tensor, or of dict
        What to optimise. Dicts are parameter groups: ``{"params": [...], "lr": 1e-4}``.
    defaults : dict
        The options of groups that do not set their own.

    Attributes
    ----------
    param_groups : list of dict
        The parameters with their options, which may be changed between steps.
    state : dict
        Per parameter (its position among all), what the optimiser remembers of it.
    """

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        name = type(self).__name__
        if isinstance(params, Tensor):
            raise DtypeError(name, "params", "a single Tensor", "an iterable, e.g. model.parameters()")
        given = list(params)
        if not given:
            raise ArgumentError(name, "params", "empty", "at least one parameter")
        groups = given if isinstance(given[0], dict) else [{"params": given}]
        self.param_groups = [{**defaults, **group, "params": _listed(group["params"])} for group in groups]
        self.state: dict[int, dict[str, Any]] = {}
        for index, parameter in enumerate(self._parameters()):
            if not isinstance(parameter, Tensor) or parameter.grad_fn is not None:
                raise DtypeError(name, f"params[{index}]", f"a {type(parameter).__name__}", "a leaf Tensor")
        for group in self.param_groups:
            self.check(group)

    def _parameters(self) -> list[Tensor]:
        return [parameter for group in self.param_groups for parameter in group["params"]]

    def check(self, group: dict[str, Any]) -> None:
        """Raise if an option of a group makes no sense."""
        for option in ("lr", "weight_decay"):
            if not group[option] >= 0:
                raise ArgumentError(type(self).__name__, option, group[option], "a number >= 0")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradients of all parameters (or set them to zero)."""
        for parameter in self._parameters():
            if set_to_none or parameter.grad is None:
                parameter.grad = None
            else:
                parameter.grad.detach().zero_()

    def step(self) -> None:
        """Change each parameter that has a gradient, in place."""
        index = 0
        with no_grad():
            for group in self.param_groups:
                for parameter in group["params"]:
                    if parameter.grad is not None:
                        self.update(parameter, self.state.setdefault(index, {}), group)
                    index += 1

    def update(self, parameter: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of one parameter; subclasses define this."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """The state and the options, in PyTorch's layout; arrays share memory."""
        groups, start = [], 0
        for group in self.param_groups:
            count = len(group["params"])
            options = {key: value for key, value in group.items() if key != "params"}
            groups.append({**options, "params": list(range(start, start + count))})
            start += count
        return {"state": {i: dict(entry) for i, entry in self.state.items()}, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state that `state_dict` returned."""
        where = f"{type(self).__name__}.load_state_dict"
        sizes = [len(group["params"]) for group in state_dict["param_groups"]]
        own_sizes = [len(group["params"]) for group in self.param_groups]
        if sizes != own_sizes:
            raise CheckpointError(where, "the numbers of parameters per group", sizes, f"{own_sizes}")
        parameters = self._parameters()
        state: dict[int, dict[str, Any]] = {}
        for key, entry in state_dict["state"].items():
            parameter = parameters[int(key)].array
            state[int(key)] = {}
            for name, value in entry.items():
                if getattr(value, "ndim", 0) > 0 and value.shape != parameter.shape:
                    raise CheckpointError(
                        where, f"{name} of parameter {key}", value.shape, f"{parameter.shape}"
                    )
                is_array = getattr(value, "ndim", 0) > 0
                state[int(key)][name] = (
                    array_module(parameter).array(value, parameter.dtype) if is_array else value
                )
        self.state = state
        for group, saved in zip(self.param_groups, state_dict["param_groups"], strict=True):
            group.update({option: value for option, value in saved.items() if option != "params"})


def _listed(params: Any) -> list[Tensor]:
    return [params] if isinstance(params, Tensor) else list(params)
