"""What all optimisers share: parameter groups, and a state that can be saved."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tinyconv.device import array_module, gpu_of, on_its_gpu
from tinyconv.errors import ArgumentError, CheckpointError, DtypeError
from tinyconv.grad_mode import enable_grad, no_grad
from tinyconv.recorder import repeated
from tinyconv.tensor import Tensor


class Optimizer:
    """Base of the optimisers; subclasses define `update` for one parameter.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
        What to optimise; names are not kept. Dicts are parameter groups: ``{"params": [...], "lr": 1e-4}``.
    defaults : dict
        The options of groups that do not set their own.

    Attributes
    ----------
    defaults : dict
        The options of groups that do not set their own.
    param_groups : list of dict
        The parameters with their options, which may be changed between steps.
    state : dict
        Per parameter, what the optimiser remembers of it.

    Notes
    -----
    All optimisers take PyTorch's options of how a step is computed. `foreach` and `fused` choose
    among its implementations and have no meaning here: there is one kernel. `capturable` (CUDA
    graphs) and `differentiable` (steps as part of a graph) must be False.
    """

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        name = type(self).__name__
        if isinstance(params, Tensor) or not isinstance(params, Iterable):
            expected = "an iterable, e.g. model.parameters()"
            raise DtypeError(name, "params", f"a single {type(params).__name__}", expected)
        given = [item[1] if _is_named(item) else item for item in params]
        if not given:
            raise ArgumentError(name, "params", "empty", "at least one parameter")
        self.defaults = defaults
        self.param_groups: list[dict[str, Any]] = []
        self.state: dict[Tensor, dict[str, Any]] = {}
        groups = given if isinstance(given[0], dict) else [{"params": given}]
        for index, group in enumerate(groups):
            if not isinstance(group, dict) or "params" not in group:
                raise ArgumentError(name, f"params[{index}]", repr(group), "a dict with the key 'params'")
            self.add_param_group(group)

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for index, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {index}")
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
        return "\n".join([*lines, ")"])

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Optimise more parameters from now on, e.g. layers that were frozen.

        Parameters
        ----------
        param_group : dict
            ``{"params": [...]}`` and the options that differ from the defaults.

        Raises
        ------
        ArgumentError
            If there is no key ``params``, or a parameter is optimised already.
        DtypeError
            If one of them is not a leaf Tensor.
        """
        name = type(self).__name__
        if not isinstance(param_group, dict) or "params" not in param_group:
            raise ArgumentError(name, "param_group", repr(param_group), "a dict with the key 'params'")
        group = {**self.defaults, **param_group, "params": _listed(param_group["params"])}
        known = {id(parameter) for parameter in self._parameters()}
        for index, parameter in enumerate(group["params"], start=len(known)):
            if not isinstance(parameter, Tensor) or parameter.grad_fn is not None:
                raise DtypeError(name, f"params[{index}]", f"a {type(parameter).__name__}", "a leaf Tensor")
            if id(parameter) in known:
                raise ArgumentError(name, f"params[{index}]", "there twice", "each parameter once")
            known.add(id(parameter))
        self.check(group)
        self.param_groups.append(group)

    def _parameters(self) -> list[Tensor]:
        return [parameter for group in self.param_groups for parameter in group["params"]]

    def check(self, group: dict[str, Any]) -> None:
        """Raise if an option of a group makes no sense."""
        self.check_not_negative(group, "lr", "weight_decay")
        flags = ("maximize", "amsgrad", "decoupled_weight_decay", "nesterov", "centered")
        self.check_choice(group, (True, False), *flags)
        self.check_choice(group, (None, True, False), "foreach", "fused")
        self.check_choice(group, (False,), "capturable", "differentiable")

    def check_choice(self, group: dict[str, Any], choices: tuple[Any, ...], *options: str) -> None:
        """Raise if one of the options, where the optimiser has it, is none of the choices."""
        for option in options:
            value = group.get(option, choices[-1])
            if not any(value is choice for choice in choices):
                expected = " or ".join(map(repr, choices))
                raise ArgumentError(type(self).__name__, option, repr(value), expected)

    def check_not_negative(self, group: dict[str, Any], *options: str) -> None:
        """Raise if one of the options is not a number >= 0."""
        for option in options:
            value = group[option]
            if not isinstance(value, int | float) or not value >= 0:
                raise ArgumentError(type(self).__name__, option, repr(value), "a number >= 0")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradients of all parameters (or set them to zero)."""
        for parameter in self._parameters():
            if set_to_none or parameter.grad is None:
                parameter.grad = None
            else:
                parameter.grad.detach().zero_()

    @repeated
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change each parameter that has a gradient, in place.

        Parameters
        ----------
        closure : callable, optional
            Computes the loss and its gradients before the step, and returns the loss.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        with no_grad():
            for group in self.param_groups:
                parameters = [parameter for parameter in group["params"] if parameter.grad is not None]
                self.update_group(parameters, group)
                for parameter in parameters:
                    parameter.version.count += 1
        return loss

    def gradient(self, parameter: Tensor, group: dict[str, Any]) -> Any:
        """The array to go against: the gradient, or with ``maximize`` its opposite."""
        assert parameter.grad is not None
        grad = parameter.grad.array
        return _opposite(grad) if group["maximize"] else grad

    def averages(self, parameters: list[Tensor], name: str, first: float = 0.0) -> list[Any]:
        """What is kept of this name for each parameter; what is new is filled with `first`."""
        states = [self.state.setdefault(parameter, {}) for parameter in parameters]
        for parameter, state in zip(parameters, states, strict=True):
            if name not in state:
                state[name] = _filled_like(parameter.array, first)
        return [state[name] for state in states]

    def by_step(self, parameters: list[Tensor]) -> dict[int, list[Tensor]]:
        """Count a step of each parameter; those that have taken as many stand together."""
        found: dict[int, list[Tensor]] = {}
        for parameter in parameters:
            state = self.state.setdefault(parameter, {})
            state["step"] = state.get("step", 0) + 1
            found.setdefault(state["step"], []).append(parameter)
        return found

    def update_group(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        """One step of the parameters of a group that have gradients: `update` for each, one by one."""
        for parameter in parameters:
            self.update(parameter, self.state.setdefault(parameter, {}), group)

    def update(self, parameter: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of one parameter; subclasses define this, or `update_group`."""
        raise ArgumentError(type(self).__name__, "update", "not defined", "this method, or update_group")

    def state_dict(self) -> dict[str, Any]:
        """The state and the options, in PyTorch's layout; arrays share memory."""
        groups, start = [], 0
        for group in self.param_groups:
            count = len(group["params"])
            options = {key: value for key, value in group.items() if key != "params"}
            groups.append({**options, "params": list(range(start, start + count))})
            start += count
        numbered = enumerate(self._parameters())
        state = {index: dict(self.state[p]) for index, p in numbered if p in self.state}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state that `state_dict` returned."""
        where = f"{type(self).__name__}.load_state_dict"
        sizes = [len(group["params"]) for group in state_dict["param_groups"]]
        own_sizes = [len(group["params"]) for group in self.param_groups]
        if sizes != own_sizes:
            raise CheckpointError(where, "the numbers of parameters per group", sizes, f"{own_sizes}")
        parameters = self._parameters()
        state: dict[Tensor, dict[str, Any]] = {}
        for key, entry in state_dict["state"].items():
            if not 0 <= int(key) < len(parameters):
                raise CheckpointError(where, "the state", f"of parameter {key}", f"{len(parameters)} of them")
            parameter = parameters[int(key)]
            own = {name: _own(value, parameter.array) for name, value in entry.items() if value is not None}
            for name, value in own.items():
                if not isinstance(value, int | float) and value.shape != parameter.shape:
                    found = f"{name} of parameter {key}"
                    raise CheckpointError(where, found, value.shape, f"{parameter.shape}")
            state[parameter] = own
        self.state = state
        for group, saved in zip(self.param_groups, state_dict["param_groups"], strict=True):
            group.update({option: value for option, value in saved.items() if option != "params"})


def _is_named(item: Any) -> bool:
    """Whether it is a (name, parameter) of ``model.named_parameters()``."""
    return isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str)


def _listed(params: Any) -> list[Any]:
    if isinstance(params, Tensor):
        return [params]
    if not isinstance(params, Iterable):
        raise DtypeError("Optimizer", "params", f"a {type(params).__name__}", "an iterable of Tensors")
    return [item[1] if _is_named(item) else item for item in params]


@on_its_gpu
def _opposite(array: Any) -> Any:
    return array_module(array).asarray(-array)


@on_its_gpu
def _filled_like(array: Any, value: float) -> Any:
    return array_module(array).full_like(array, value)


def _own(value: Any, parameter: Any) -> Any:
    """A copy of an average, or a number (of steps) as a Python number, even if it came as an array."""
    is_array = hasattr(value, "ndim") and value.dtype.kind == "f" and (value.ndim > 0 or parameter.ndim == 0)
    if not is_array:
        return value.item() if hasattr(value, "item") else value
    with gpu_of(parameter):
        return array_module(parameter).array(value, parameter.dtype)
