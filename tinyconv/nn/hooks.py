"""Hooks: functions that a module calls before or after its forward."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from itertools import count
from typing import Any

Hook = Callable[..., Any]


class HookHandle:
    """Removes a hook: ``handle.remove()``, or at the end of a ``with`` block."""

    _numbers = count()

    def __init__(self, hooks: dict[int, Any], entry: Any) -> None:
        self._hooks, self.number = hooks, next(self._numbers)
        hooks[self.number] = entry

    def remove(self) -> None:
        self._hooks.pop(self.number, None)

    def __enter__(self) -> HookHandle:
        return self

    def __exit__(self, *error: Any) -> None:
        self.remove()


class Hooks(OrderedDict[int, tuple[Hook, bool]]):
    """The hooks of one kind, each with whether it is told the keyword arguments as well."""

    def add(self, hook: Hook, prepend: bool, with_kwargs: bool) -> HookHandle:
        """Register a hook, last or (with `prepend`) first."""
        handle = HookHandle(self, (hook, with_kwargs))
        if prepend:
            self.move_to_end(handle.number, last=False)
        return handle

    def before(self, module: Any, inputs: tuple, options: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
        """Call all before `forward`; what they return replaces the inputs."""
        for hook, with_kwargs in list(self.values()):
            changed = hook(module, inputs, options) if with_kwargs else hook(module, inputs)
            if changed is None:
                continue
            if with_kwargs:
                inputs, options = changed
            else:
                inputs = changed if isinstance(changed, tuple) else (changed,)
        return inputs, options

    def after(self, module: Any, inputs: tuple, options: dict[str, Any], output: Any) -> Any:
        """Call all after `forward`; what they return replaces the output."""
        for hook, with_kwargs in list(self.values()):
            told = (inputs, options) if with_kwargs else (inputs,)
            replaced = hook(module, *told, output)
            output = output if replaced is None else replaced
        return output
