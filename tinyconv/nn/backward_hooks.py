"""Backward hooks of modules: they see the gradients of a module's outputs and of its inputs.

Everything that needs a gradient passes, on the way into the module and on the way out of it,
through a node that changes nothing; on the way back these two nodes call the hooks.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from tinyconv.autograd import Function
from tinyconv.errors import GraphError
from tinyconv.grad_mode import is_grad_enabled
from tinyconv.hooks import checked_gradient
from tinyconv.tensor import Tensor

Gradients = tuple[Tensor | None, ...]


class Passage(Function):
    """The tensors as they are; on the way back ``called(grads)`` may replace the gradients."""

    @staticmethod
    def forward(ctx: Any, called: Callable[[Gradients], Gradients], *tensors: Tensor) -> Any:
        ctx.called = called
        return tuple(x.array for x in tensors)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        return None, *ctx.called(grads)


class BackwardWatch:
    """One call of a module whose gradients are watched."""

    def __init__(self, module: Any) -> None:
        self.module = module
        self.hooks = [entry.hook for entry in module._backward_hooks.values()]
        self.pre_hooks = [entry.hook for entry in module._backward_pre_hooks.values()]
        self.grad_outputs: Gradients | None = None
        self.inputs: tuple[int, tuple[int, ...]] = (0, ())
        self.outputs: tuple[int, tuple[int, ...]] = (0, ())

    @staticmethod
    def of(module: Any) -> BackwardWatch | None:
        """A watch if the module has backward hooks and a graph is recorded."""
        hooked = module._backward_hooks or module._backward_pre_hooks
        return BackwardWatch(module) if hooked and is_grad_enabled() else None

    def enter(self, inputs: tuple) -> tuple:
        """The inputs, those that need a gradient through a node."""
        passed, self.inputs = _through(self._input_gradients, inputs)
        return passed

    def leave(self, output: Any) -> Any:
        """The output, or a tuple of outputs, through a node."""
        if not isinstance(output, Tensor | tuple):
            found, name = type(output).__name__, type(self.module).__name__
            message = f"{name}: backward hooks need a Tensor or a tuple as output, not a {found}"
            warnings.warn(message, UserWarning, stacklevel=4)
            return output
        outputs = output if isinstance(output, tuple) else (output,)
        passed, self.outputs = _through(self._output_gradients, outputs)
        if not isinstance(output, tuple):
            return passed[0]
        return type(output)(*passed) if hasattr(output, "_fields") else passed

    def _output_gradients(self, grads: Gradients) -> Gradients:
        packed = _packed(grads, *self.outputs)
        for hook in self.pre_hooks:
            packed = _replaced(packed, hook(self.module, packed), hook)
        self.grad_outputs = packed
        if not self.inputs[1]:
            self._call_hooks((None,) * self.inputs[0])
        return tuple(packed[index] for index in self.outputs[1])

    def _input_gradients(self, grads: Gradients) -> Gradients:
        if self.grad_outputs is None:  # the gradient did not come through the outputs
            return grads
        packed = self._call_hooks(_packed(grads, *self.inputs))
        return tuple(packed[index] for index in self.inputs[1])

    def _call_hooks(self, packed: Gradients) -> Gradients:
        for hook in self.hooks:
            packed = _replaced(packed, hook(self.module, packed, self.grad_outputs), hook)
        self.grad_outputs = None
        return packed


def _through(called: Callable[[Gradients], Gradients], values: tuple) -> tuple[tuple, tuple[int, tuple]]:
    """The values, and (how many there are, which of them went through a node)."""
    chosen = tuple(i for i, x in enumerate(values) if isinstance(x, Tensor) and x.requires_grad)
    if not chosen:
        return values, (len(values), ())
    passed = dict(zip(chosen, Passage.apply(called, *(values[i] for i in chosen)), strict=True))
    return tuple(passed.get(i, x) for i, x in enumerate(values)), (len(values), chosen)


def _packed(grads: Gradients, count: int, chosen: tuple[int, ...]) -> Gradients:
    """One entry per value: None for what has no gradient."""
    by_index = dict(zip(chosen, grads, strict=True))
    return tuple(by_index.get(index) for index in range(count))


def _replaced(before: Gradients, after: Any, hook: Any) -> Gradients:
    """What a hook returned in the place of the gradients, checked; None: they stay."""
    if after is None:
        return before
    after = after if isinstance(after, tuple | list) else (after,)
    if [x is None for x in after] != [x is None for x in before]:
        where = f"backward hook {getattr(hook, '__name__', type(hook).__name__)}"
        found, wanted = (
            "(" + ", ".join("None" if x is None else "a gradient" for x in grads) + ")"
            for grads in (after, before)
        )
        raise GraphError(where, "the result", found, f"{wanted}, or None")
    pairs = zip(before, after, strict=True)
    return tuple(None if x is None else checked_gradient(x, y, hook) for x, y in pairs)
