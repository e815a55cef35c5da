"""Hooks: functions that a module calls before or after its forward."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable
from itertools import count
from typing import Any, NamedTuple

from tinyconv.errors import ArgumentError
from tinyconv.nn.backward_hooks import BackwardWatch

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


class Entry(NamedTuple):
    """A hook; whether it is told the keyword arguments too, and called after an error too."""

    hook: Hook
    with_kwargs: bool
    always_call: bool

    def told(self, module: Any, inputs: tuple, options: dict[str, Any], *output: Any) -> Any:
        """Call it."""
        return self.hook(module, inputs, *([options] if self.with_kwargs else []), *output)


class Hooks(OrderedDict[int, Entry]):
    """The hooks of one kind, in the order in which they are called."""

    def add(
        self, hook: Hook, prepend: bool, with_kwargs: bool = False, always_call: bool = False
    ) -> HookHandle:
        """Register a hook, last or (with `prepend`) first."""
        if not callable(hook):
            raise ArgumentError("register hook", "hook", repr(hook), "a function")
        handle = HookHandle(self, Entry(hook, bool(with_kwargs), bool(always_call)))
        if prepend:
            self.move_to_end(handle.number, last=False)
        return handle

    def before(self, module: Any, inputs: tuple, options: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
        """Call all before `forward`; what they return replaces the inputs."""
        for entry in list(self.values()):
            changed = entry.told(module, inputs, options)
            if changed is None:
                continue
            if not entry.with_kwargs:
                inputs = changed if isinstance(changed, tuple) else (changed,)
            elif isinstance(changed, tuple) and len(changed) == 2:
                inputs, options = changed
            else:
                where = f"{type(module).__name__}'s forward pre-hook"
                raise ArgumentError(where, "the result", repr(changed), "None or (inputs, options)")
        return inputs, options


class _NoHooks(Hooks):
    """Stays empty: it is shared by all modules without hooks."""

    def __setitem__(self, number: int, entry: Entry) -> None:
        raise ArgumentError("hooks of a module", "a new entry", repr(entry), "register_forward_hook(hook)")


NO_HOOKS = _NoHooks()


def call_with_hooks(module: Any, inputs: tuple, options: dict[str, Any]) -> Any:
    """`forward` with all that is to happen before and after it, and on the way back."""
    output, called = None, set()
    try:
        inputs, options = module._forward_pre_hooks.before(module, inputs, options)
        watch = BackwardWatch.of(module)
        if watch is not None:
            inputs = watch.enter(inputs)
        output = module.forward(*inputs, **options)
        for number, entry in list(module._forward_hooks.items()):
            called.add(number)
            replaced = entry.told(module, inputs, options, output)
            output = output if replaced is None else replaced
        return output if watch is None else watch.leave(output)
    except Exception:
        for number, entry in list(module._forward_hooks.items()):
            if entry.always_call and number not in called:
                _call_after_error(entry, module, inputs, options, output)
        raise


def _call_after_error(entry: Entry, module: Any, inputs: tuple, options: dict[str, Any], output: Any) -> None:
    """Call a hook; an error of its own must not hide the one that is on its way."""
    try:
        entry.told(module, inputs, options, output)
    except Exception as error:
        message = f"a forward hook with always_call=True failed after an error in forward: {error}"
        warnings.warn(message, UserWarning, stacklevel=4)
