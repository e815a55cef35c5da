"""How the arrays and values of a step are written in its program."""

from __future__ import annotations

from types import FunctionType
from typing import Any

import numpy as np

from tinyconv.capture.errors import NotCapturable
from tinyconv.capture.kinds import is_own
from tinyconv.capture.program import Program
from tinyconv.capture.running import is_array, twin
from tinyconv.capture.state import State
from tinyconv.capture.statement import Statement
from tinyconv.memory import owner
from tinyconv.tensor import Tensor

Array = Any


class MaskKey(tuple[int, int]):
    """The key of a dropout mask that was drawn during a recording."""

    name: str = ""


class Writer:
    """The program so far, and what everything in it is called.

    Parameters
    ----------
    inputs : list of Tensor
        The tensors among the arguments.
    state : State
        What else the step can read.
    """

    def __init__(self, inputs: list[Tensor], state: State) -> None:
        self.program = Program()
        self.lines = self.program.forward
        self.state, self.inputs = state, inputs
        self.objects = {id(x): f"X{i}" for i, x in enumerate(inputs)}
        self.objects |= {id(x): f"S{i}" for i, x in enumerate(state.tensors)}
        self.arrays: dict[str, Array] = {}
        self._names: dict[int, str] = {}
        self._counts: dict[str, int] = {}
        self._known_names: dict[int, str] = {}
        for kind, tensors in (("x", inputs), ("s", state.tensors)):
            for i, tensor in enumerate(tensors):
                self.call_it(tensor.array, f"{kind}{i}")
                if kind == "s" and tensor.grad is not None:
                    self.call_it(tensor.grad.array, f"g{i}")

    def new(self, kind: str) -> str:
        """A name that was not used yet."""
        count = self._counts[kind] = self._counts.get(kind, -1) + 1
        return f"{kind}{count}"

    def call_it(self, array: Array, name: str | None = None) -> str:
        """Remember the name of an array."""
        name = name or self.new("v")
        self._names[id(array)] = name
        self.arrays[name] = array
        return name

    def name_of(self, array: Array) -> str:
        """Where an array came from."""
        name = self._names.get(id(array))
        if name is None:
            where = "comes from outside the recorded operations"
            raise NotCapturable(f"computes with an array of shape {array.shape} that {where}")
        return name

    def is_known(self, array: Array) -> bool:
        """Whether an array has a name."""
        return id(array) in self._names

    def known_names(self) -> dict[int, str]:
        """What is called how now."""
        return dict(self._names)

    def forget_but(self, names: dict[int, str], lines: list[Statement]) -> None:
        """Go back to these names, and those of constants, and let go of the arrays that `lines` made."""
        constants = {key: name for key, name in self._names.items() if name[0] == "c"}
        self._names = {**constants, **names}
        for line in lines:
            for name in line.makes:
                self.arrays.pop(name, None)

    def constant(self, array: Array) -> None:
        """Give an array a name that stands for these very values."""
        name = self.call_it(array, self.new("c"))
        self.program.constants[name] = twin(array)

    def expression(self, value: Any, takes: list[str], tensors: bool) -> str:
        """`value` as Python text; the names in it are added to `takes`."""
        if isinstance(value, Tensor):
            if not tensors:
                return self._take(value.array, takes)
            text, names = self.as_tensor(value)
            takes += names
            return text
        if is_array(value):
            return self._take(value, takes)
        if isinstance(value, MaskKey):
            takes.append(value.name)
            return value.name
        if type(value) in (bool, int, str, type(None), type(...)):
            return repr(value)
        if isinstance(value, float | np.generic | np.dtype):
            text = repr(value) if isinstance(value, float) else ""
            return text if text and text.strip("-").replace(".", "").isdigit() else self._object(value)
        if type(value) in (tuple, list):
            inner = "".join(f"{self.expression(x, takes, tensors)}, " for x in value)
            return f"({inner})" if isinstance(value, tuple) else f"[{inner}]"
        if isinstance(value, slice):
            parts = (self.expression(x, takes, tensors) for x in (value.start, value.stop, value.step))
            return f"slice({', '.join(parts)})"
        if isinstance(value, type) or id(value) in self.state.known or _is_op(value):
            return self.function(value)
        raise NotCapturable(f"passes a {type(value).__name__} to an operation")

    def own_name(self, array: Array) -> str:
        """The name of an array that will be given away, and may be changed: a constant is copied."""
        name = self.name_of(array)
        if name[0] != "c":
            return name
        if any(owner(other) is owner(array) for n, other in self.arrays.items() if n[0] == "c" and n != name):
            raise NotCapturable("may change a constant that is also seen in another shape")
        copied = self.call_it(array)
        self.lines.append(Statement(f"{copied} = twin({name})", (copied,), (name,)))
        return copied

    def _take(self, array: Array, takes: list[str]) -> str:
        name = self.name_of(array)
        takes.append(name)
        return name

    def as_tensor(self, tensor: Tensor) -> tuple[str, tuple[str, ...]]:
        """A tensor as text, and the names in it."""
        known = self.objects.get(id(tensor))
        if known is not None:
            return known, (known.lower(),)
        name = self.name_of(tensor.array)
        return f"Tensor({name})", (name,)

    def function(self, value: Any) -> str:
        """The name under which the program finds a function, a class, or an object of the state."""
        name = self._known_names.get(id(value))
        if name is None:
            plain = getattr(value, "__name__", type(value).__name__.lower()).strip("<>")
            name = self._known_names[id(value)] = f"{plain}_{len(self.program.names)}"
            self.program.names[name] = value
        return name

    def _object(self, value: Any) -> str:
        """A constant that has no exact text."""
        text = f"{type(value).__name__} {value!r}"
        return f"{self.function(_KEPT.setdefault(text, Kept(text, value)))}.value"


def _is_op(value: Any) -> bool:
    """Whether it is a function of tinyconv's, which remembers nothing."""
    return isinstance(value, FunctionType) and not value.__closure__ and is_own(value.__code__.co_filename)


class Kept:
    """A constant in a program."""

    def __init__(self, text: str, value: Any) -> None:
        self.text, self.value = text, value


_KEPT: dict[str, Kept] = {}
"""One object for all constants that look alike, so that two programs can be compared."""
