"""Module: a piece of a network that knows its parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinyconv.device import check_dtype, float32, float64, gpu_of, to_device
from tinyconv.errors import ArgumentError, DtypeError, missing_name
from tinyconv.nn import allowance
from tinyconv.nn.absent import METHODS
from tinyconv.nn.hooks import NO_HOOKS, HookHandle, Hooks, call_with_hooks
from tinyconv.nn.state import ModuleState
from tinyconv.ops._checks import check_flags, check_tensor
from tinyconv.ops.creation_like import zeros_like
from tinyconv.tensor import Tensor


class Parameter(Tensor):
    """A Tensor that a Module learns; assigned to a Module's attribute it is registered."""

    __slots__ = ()

    def __init__(self, data: Tensor, requires_grad: bool = True) -> None:
        check_flags(type(self).__name__, requires_grad=requires_grad)
        check_tensor(type(self).__name__, "data", data)
        allowance.take(data.array.size)
        super().__init__(data.array, requires_grad)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"


class Module(ModuleState):
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
    _non_persistent: frozenset[str] = frozenset()
    _forward_hooks: Hooks = NO_HOOKS
    _forward_pre_hooks: Hooks = NO_HOOKS
    _backward_hooks: Hooks = NO_HOOKS
    _backward_pre_hooks: Hooks = NO_HOOKS

    def __init__(self) -> None:
        for name, value in (("training", True), ("_parameters", {}), ("_buffers", {}), ("_modules", {})):
            object.__setattr__(self, name, value)

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """Compute the output; subclasses define this."""
        raise ArgumentError(type(self).__name__, "forward", "not defined", "a method forward(self, ...)")

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        if self._forward_hooks or self._forward_pre_hooks or self._backward_hooks or self._backward_pre_hooks:
            return call_with_hooks(self, inputs, options)
        return self.forward(*inputs, **options)

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
            if other is not store and name in other:
                del other[name]
                self._persist(name, True)
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
        if name in METHODS:
            raise missing_name(type(self).__name__, name, (), METHODS)
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def __delattr__(self, name: str) -> None:
        getattr(self, name)
        for store in (self.__dict__, self._parameters, self._modules, self._buffers):
            store.pop(name, None)
        self._persist(name, True)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter (None: a place for one that is not used)."""
        self._register("register_parameter", self._parameters, name, "param", param, Parameter)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that belongs to the state but is not learned, e.g. a running mean.

        Parameters
        ----------
        name : str
        tensor : Tensor or None
        persistent : bool
            Whether it is part of the state dict.
        """
        self._register("register_buffer", self._buffers, name, "tensor", tensor, Tensor)
        self._persist(name, persistent)

    def _persist(self, name: str, persistent: bool) -> None:
        """Note whether a buffer is part of the state dict, as most are."""
        if bool(persistent) is (name in self._non_persistent):
            object.__setattr__(self, "_non_persistent", self._non_persistent ^ {name})

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a module below this one under a name."""
        self._register("add_module", self._modules, name, "module", module, Module)

    register_module = add_module

    def _register(
        self, method: str, store: dict[str, Any], name: Any, argument: str, value: Any, kind: type
    ) -> None:
        where = f"{type(self).__name__}.{method}"
        if not isinstance(name, str) or not name or "." in name:
            raise ArgumentError(where, "name", repr(name), "a name without dots")
        if name not in store and hasattr(self, name):
            raise ArgumentError(where, "name", repr(name), "a name that is not an attribute yet")
        if value is not None and not isinstance(value, kind):
            raise DtypeError(where, argument, f"a {type(value).__name__}", f"a {kind.__name__} or None")
        store[name] = value

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> HookHandle:
        """Call ``hook(module, inputs, output)`` after each forward; a result replaces the output.

        Parameters
        ----------
        hook : callable
        prepend : bool
            Call it before the hooks that are there.
        with_kwargs : bool
            Call ``hook(module, inputs, options, output)``, options being the keyword arguments.
        always_call : bool
            Call it after an error in the forward too; the output is then None.
        """
        return self._own_hooks("_forward_hooks").add(hook, prepend, with_kwargs, always_call)

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> HookHandle:
        """Call ``hook(module, inputs)`` before each forward; a result replaces the inputs.

        With `with_kwargs`, ``hook(module, inputs, options)`` returns both; see
        `register_forward_hook`.
        """
        return self._own_hooks("_forward_pre_hooks").add(hook, prepend, with_kwargs)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> HookHandle:
        """Call ``hook(module, grad_input, grad_output)`` once the gradients of the inputs are there.

        Both are tuples, with None for what has no gradient; a result replaces the gradients of
        the inputs (those that are passed by position).
        """
        return self._own_hooks("_backward_hooks").add(hook, prepend)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> HookHandle:
        """Call ``hook(module, grad_output)`` before the module's backward; a result replaces it."""
        return self._own_hooks("_backward_pre_hooks").add(hook, prepend)

    def _own_hooks(self, kind: str) -> Hooks:
        """The hooks of one kind, to be added to: most modules have none, and share `NO_HOOKS`."""
        if kind not in self.__dict__:
            object.__setattr__(self, kind, Hooks())
        return self.__dict__[kind]

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

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradients of all parameters (or set them to zero)."""
        for parameter in self.parameters():
            if set_to_none or parameter.grad is None:
                parameter.grad = None
            else:
                parameter.grad = zeros_like(parameter.grad)

    def to(
        self,
        *args: Any,
        device: str | None = None,
        dtype: Any = None,
        non_blocking: bool = False,
        memory_format: str | None = None,
    ) -> Module:
        """Move all parameters and buffers to a device, convert the floating ones to a dtype; in place.

        ``to("cuda")``, ``to(tc.float64)``, ``to("cuda", tc.float64)`` and ``to(device=..., dtype=...)``
        are the ways to say it. `non_blocking` and `memory_format` are PyTorch's and change nothing:
        the kernels bring weights into the order that they like best by themselves.
        """
        where, expected = f"{type(self).__name__}.to", "a device, float32 or float64"
        for target in args:
            if isinstance(target, str) and target.partition(":")[0] in ("cpu", "cuda"):
                device = target
            elif target is None or check_dtype("to", target).kind != "f":
                raise DtypeError(where, "target", repr(target), expected)
            else:
                dtype = target
        if dtype is not None and check_dtype("to", dtype).kind != "f":
            raise DtypeError(where, "dtype", repr(dtype), expected)
        for tensor in [*self.parameters(), *self.buffers()]:
            if device is not None:
                tensor.array = to_device(tensor.array, device)
            if dtype is not None and tensor.dtype.kind == "f":
                with gpu_of(tensor.array):
                    tensor.array = tensor.array.astype(dtype)
            tensor.grad = None
        return self

    def float(self) -> Module:
        """Convert to float32, in place."""
        return self.to(float32)

    def double(self) -> Module:
        """Convert to float64, in place."""
        return self.to(float64)

    def type(self, dst_type: Any) -> Module:
        """Convert to a dtype, in place."""
        return self.to(dtype=dst_type)

    def cpu(self) -> Module:
        """Move to the CPU, in place."""
        return self.to("cpu")

    def cuda(self, device: str | int | None = None) -> Module:
        """Move to the GPU, or to the one of this name or number, in place."""
        return self.to(f"cuda:{device}" if isinstance(device, int) else device or "cuda")

    def extra_repr(self) -> str:
        """The arguments that `repr` shows; layers define this."""
        return ""

    def __repr__(self) -> str:
        children = [
            f"  ({name}): " + repr(child).replace("\n", "\n  ") for name, child in self._modules.items()
        ]
        if not children:
            return f"{type(self).__name__}({self.extra_repr()})"
        return "\n".join([f"{type(self).__name__}({self.extra_repr()}", *children, ")"])
