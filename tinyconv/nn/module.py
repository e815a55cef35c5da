"""Module: a piece of a network that knows its parameters."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, NamedTuple

import numpy as np

from tinyconv.device import check_dtype, to_device
from tinyconv.errors import ArgumentError, CheckpointError, DtypeError
from tinyconv.tensor import Tensor


class Parameter(Tensor):
    """A Tensor that a Module learns; assigned to a Module's attribute it is registered."""

    __slots__ = ()

    def __init__(self, data: Tensor, requires_grad: bool = True) -> None:
        super().__init__(data.array, requires_grad)


class IncompatibleKeys(NamedTuple):
    """What ``load_state_dict(strict=False)`` returns: the names that did not match."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class HookHandle:
    """Removes a hook: ``handle.remove()``."""

    _numbers = count()

    def __init__(self, hooks: dict[int, Callable[..., Any]], hook: Callable[..., Any]) -> None:
        self._hooks, self._number = hooks, next(self._numbers)
        hooks[self._number] = hook

    def remove(self) -> None:
        self._hooks.pop(self._number, None)


class Module:
    """Base of all layers and models.

    Subclasses call ``super().__init__()`` first, assign parameters and sub-modules as
    attributes, and define ``forward``; calling the module runs it with its hooks.

    Attributes
    ----------
    training : bool
        Whether layers like dropout behave as in training; see `train` and `eval`.

    Examples
    --------
    >>> import tinyconv as tc
    >>> from tinyconv import nn
    >>> model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    >>> model(tc.zeros(2, 1, 28, 28)).shape
    (2, 10)
    >>> sum(p.numel() for p in model.parameters())
    7850
    """

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _forward_hooks: dict[int, Callable[..., Any]]
    _forward_pre_hooks: dict[int, Callable[..., Any]]

    def __init__(self) -> None:
        for name, value in (
            ("training", True),
            ("_parameters", {}),
            ("_buffers", {}),
            ("_modules", {}),
            ("_forward_hooks", OrderedDict()),
            ("_forward_pre_hooks", OrderedDict()),
        ):
            object.__setattr__(self, name, value)

    def forward(self, *inputs: Any) -> Any:
        """Compute the output; subclasses define this."""
        raise ArgumentError(type(self).__name__, "forward", "not defined", "a method forward(self, ...)")

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        for pre_hook in list(self._forward_pre_hooks.values()):
            changed = pre_hook(self, inputs)
            if changed is not None:
                inputs = changed if isinstance(changed, tuple) else (changed,)
        output = self.forward(*inputs, **options)
        for hook in list(self._forward_hooks.values()):
            replaced = hook(self, inputs, output)
            output = output if replaced is None else replaced
        return output

    def __setattr__(self, name: str, value: Any) -> None:
        if "_modules" not in self.__dict__:
            raise ArgumentError(
                type(self).__name__,
                f"attribute {name}",
                "set too early",
                "super().__init__() to be called first",
            )
        store = self._store_of(name, value)
        for other in (self._parameters, self._modules, self._buffers):
            if other is not store:
                other.pop(name, None)
        if store is None:
            object.__setattr__(self, name, value)
        else:
            self.__dict__.pop(name, None)
            store[name] = value

    def _store_of(self, name: str, value: Any) -> dict[str, Any] | None:
        """Where an attribute with this value is registered; None: it is an ordinary attribute."""
        if isinstance(value, Parameter):
            return self._parameters
        if isinstance(value, Module):
            return self._modules
        for store, kind in (
            (self._parameters, "Parameter"),
            (self._modules, "Module"),
            (self._buffers, "Tensor"),
        ):
            if name in store:
                if value is not None and not (kind == "Tensor" and isinstance(value, Tensor)):
                    got = f"a {type(value).__name__}"
                    raise DtypeError(type(self).__name__, f"attribute {name}", got, f"a {kind} or None")
                return store
        return None

    def __getattr__(self, name: str) -> Any:
        for store in ("_parameters", "_modules", "_buffers"):
            if name in self.__dict__.get(store, {}):
                return self.__dict__[store][name]
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def __delattr__(self, name: str) -> None:
        getattr(self, name)
        for store in (self.__dict__, self._parameters, self._modules, self._buffers):
            store.pop(name, None)

    def register_parameter(self, name: str, parameter: Parameter | None) -> None:
        """Add a parameter (None: a place for one that is not used)."""
        self._parameters[name] = parameter

    def register_buffer(self, name: str, tensor: Tensor | None) -> None:
        """Add a tensor that belongs to the state but is not learned, e.g. a running mean."""
        self._buffers[name] = tensor

    def register_forward_hook(self, hook: Callable[[Module, Any, Any], Any]) -> HookHandle:
        """Call ``hook(module, inputs, output)`` after each forward; a result replaces the output."""
        return HookHandle(self._forward_hooks, hook)

    def register_forward_pre_hook(self, hook: Callable[[Module, Any], Any]) -> HookHandle:
        """Call ``hook(module, inputs)`` before each forward; a result replaces the inputs."""
        return HookHandle(self._forward_pre_hooks, hook)

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """The module and all below it, with their dotted names; each module once."""
        seen: set[int] = set()
        stack = [(prefix, self)]
        while stack:
            name, module = stack.pop()
            if id(module) in seen:
                continue
            seen.add(id(module))
            yield name, module
            children = [(f"{name}.{key}" if name else key, child) for key, child in module.named_children()]
            stack.extend(reversed(children))

    def modules(self) -> Iterator[Module]:
        """The module and all below it."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly below this one, with their names."""
        return ((name, module) for name, module in self._modules.items() if module is not None)

    def children(self) -> Iterator[Module]:
        """The modules directly below this one."""
        return (module for _, module in self.named_children())

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """All parameters with their dotted names; a shared parameter once."""
        return self._named_tensors("_parameters")

    def parameters(self) -> Iterator[Parameter]:
        """All parameters: what an optimiser is given."""
        return (parameter for _, parameter in self.named_parameters())

    def named_buffers(self) -> Iterator[tuple[str, Tensor]]:
        """All buffers with their dotted names."""
        return self._named_tensors("_buffers")

    def _named_tensors(self, store: str) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        for prefix, module in self.named_modules():
            for name, tensor in getattr(module, store).items():
                if tensor is not None and id(tensor) not in seen:
                    seen.add(id(tensor))
                    yield (f"{prefix}.{name}" if prefix else name), tensor

    def train(self, mode: bool = True) -> Module:
        """Switch this module and all below it to training (or, with False, to evaluation)."""
        for module in self.modules():
            object.__setattr__(module, "training", bool(mode))
        return self

    def eval(self) -> Module:
        """Switch to evaluation: dropout passes everything on."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Module:
        """Set `requires_grad` of all parameters: False freezes the module."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self) -> None:
        """Drop the gradients of all parameters."""
        for parameter in self.parameters():
            parameter.grad = None

    def apply(self, function: Callable[[Module], Any]) -> Module:
        """Call `function` on every module below this one, and on this one last."""
        for child in self.children():
            child.apply(function)
        function(self)
        return self

    def to(self, target: Any) -> Module:
        """Move all parameters and buffers to a device, or convert them to a dtype, in place."""
        is_device = isinstance(target, str) and target.partition(":")[0] in ("cpu", "cuda")
        if not is_device and check_dtype("to", target).kind != "f":
            raise DtypeError(
                f"{type(self).__name__}.to", "target", repr(target), "a device, float32 or float64"
            )
        tensors = [
            *self.parameters(),
            *(b for _, b in self.named_buffers() if is_device or b.dtype.kind == "f"),
        ]
        for tensor in tensors:
            tensor.array = to_device(tensor.array, target) if is_device else tensor.array.astype(target)
            tensor.grad = None
        return self

    def state_dict(self) -> dict[str, Tensor]:
        """All parameters and buffers by their dotted names, sharing memory; PyTorch's keys.

        A module that stands in two places is in it under both names.
        """
        own = {**self._parameters, **self._buffers}
        state = {name: tensor.detach() for name, tensor in own.items() if tensor is not None}
        for prefix, child in self.named_children():
            state.update((f"{prefix}.{name}", tensor) for name, tensor in child.state_dict().items())
        return state

    def load_state_dict(self, state_dict: dict[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Copy values by name into the parameters and buffers; nothing changes if an error is raised.

        Raises
        ------
        CheckpointError
            If a shape differs, or (with ``strict=True``) a name is missing or unexpected.
        """
        own = self.state_dict()
        where = f"{type(self).__name__}.load_state_dict"
        missing = [name for name in own if name not in state_dict]
        unexpected = [name for name in state_dict if name not in own]
        if strict and (missing or unexpected):
            found = f"missing {_some(missing)} and having unexpected {_some(unexpected)}"
            raise CheckpointError(where, "state_dict", found, f"exactly the {len(own)} names of this model")
        for name in own.keys() & state_dict.keys():
            shape = tuple(state_dict[name].shape)
            if shape != own[name].shape:
                raise CheckpointError(where, name, f"of shape {shape}", f"{own[name].shape}")
        for name in own.keys() & state_dict.keys():
            value = state_dict[name]
            own[name].copy_(value if isinstance(value, Tensor) else np.asarray(value))
        return IncompatibleKeys(missing, unexpected)

    def extra_repr(self) -> str:
        """The arguments that `repr` shows; layers define this."""
        return ""

    def __repr__(self) -> str:
        children = [
            f"  ({name}): " + repr(child).replace("\n", "\n  ") for name, child in self.named_children()
        ]
        if not children:
            return f"{type(self).__name__}({self.extra_repr()})"
        return "\n".join([f"{type(self).__name__}({self.extra_repr()}", *children, ")"])


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:4]) + (f", … ({len(names)} in all)" if len(names) > 4 else "")
    return f"[{shown}]"
