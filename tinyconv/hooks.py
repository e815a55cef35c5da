"""Functions that are called with the gradient of a tensor, on the walk back."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tinyconv.errors import ArgumentError, GraphError

if TYPE_CHECKING:
    from tinyconv.function import Function
    from tinyconv.tensor import Tensor

Hook = Callable[["Tensor"], "Tensor | None"]


class RemovableHandle:
    """Takes a hook away again: ``handle.remove()``, or at the end of a ``with`` block."""

    def __init__(self, hooks: dict[object, Hook], hook: Hook) -> None:
        self._hooks, self._key = hooks, object()
        hooks[self._key] = hook

    def remove(self) -> None:
        """Take the hook away; more than once does no harm."""
        self._hooks.pop(self._key, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


class GradientHooks:
    """What happens to the gradient of one tensor before it goes on.

    Attributes
    ----------
    hooks : dict
        The functions that `Tensor.register_hook` added, in that order.
    retaining : weak reference to a Tensor, or None
        The tensor whose ``.grad`` keeps the gradient, after all hooks.
    """

    def __init__(self) -> None:
        self.hooks: dict[object, Hook] = {}
        self.retaining: weakref.ref[Tensor] | None = None

    def add(self, hook: Hook) -> RemovableHandle:
        """Add a function."""
        if not callable(hook):
            raise ArgumentError("register_hook", "hook", repr(hook), "a function of the gradient")
        return RemovableHandle(self.hooks, hook)

    def __call__(self, grad: Tensor) -> Tensor:
        """The gradient that the hooks make of `grad`."""
        for hook in list(self.hooks.values()):
            changed = hook(grad)
            if changed is not None:
                grad = checked_gradient(grad, changed, hook)
        tensor = self.retaining() if self.retaining is not None else None
        if tensor is not None:
            tensor.grad = grad.clone() if tensor.grad is None else tensor.grad + grad
        return grad


def gradient_hooks(where: str, tensor: Tensor) -> GradientHooks:
    """The hooks of `tensor`, to add to: kept by the node that made it, or by the leaf itself."""
    if not tensor.requires_grad:
        raise GraphError(where, "the tensor", "without requires_grad", "one that needs a gradient")
    if tensor.grad_fn is not None:
        return tensor.grad_fn.hooks_of(tensor.output_index)
    if tensor.hooks is None:
        tensor.hooks = {}
        node = tensor.accumulator() if tensor.accumulator is not None else None
        if node is not None:
            node._hooks = tensor.hooks
    return tensor.hooks.setdefault(0, GradientHooks())


def retains(node: Function, index: int) -> bool:
    """Whether the tensor that is output `index` of `node` keeps its gradient."""
    hooks = node._hooks or {}
    return index in hooks and hooks[index].retaining is not None


def checked_gradient(before: Tensor, after: Any, hook: Hook) -> Tensor:
    """`after`, which the hook returned in the place of `before`: a Tensor like it."""
    where = f"hook {getattr(hook, '__name__', type(hook).__name__)}"
    if not isinstance(after, type(before)):
        raise GraphError(where, "the returned gradient", f"a {type(after).__name__}", "a Tensor or None")
    if after.shape != before.shape or after.dtype != before.dtype:
        shown, wanted = (f"{x.shape} of {x.dtype}" for x in (after, before))
        raise GraphError(where, "the returned gradient", shown, wanted)
    return after
