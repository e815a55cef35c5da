"""What a step can read besides its arguments, and whether that is still as it was.

A replay repeats the ops of a recording. It is right only while everything that the Python code of the
step could look at is the same: the attributes of modules (``training``, for one), the variables of
the functions around it, global names, lists and dictionaries. `State` walks through all that can
be reached, keeps a note of each value, and compares. What changes by design, the arrays of parameters
and buffers and their gradients, is not compared: a replay reads the arrays anew each time.
"""

from __future__ import annotations

import dis
import functools
import sys
from collections.abc import Iterator
from operator import call, is_
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from tinyconv.capture.errors import NotCapturable
from tinyconv.capture.kinds import (
    SIMPLE,
    TRANSPARENT,
    UNWATCHED,
    is_in_c,
    is_library,
    is_own,
    is_scheduler,
    is_users,
)
from tinyconv.capture.places import Cell, Items, Names, Slots, Watched
from tinyconv.device import device_of
from tinyconv.optim import Optimizer
from tinyconv.tensor import Tensor


class State:
    """All that can be reached from `function`, and from `arguments` but for the tensors among them.

    Attributes
    ----------
    tensors : list of Tensor
        Parameters, buffers and any other tensors, in the order in which they were met.
    codes : set
        The code of the functions that were met, with the functions inside them.

    Raises
    ------
    NotCapturable
        If something is met whose changes cannot be seen, such as a NumPy array or an open file.
    """

    def __init__(self, function: Any, arguments: Any = ()) -> None:
        self.tensors: list[Tensor] = []
        self.codes: set[CodeType] = set()
        self.known: set[int] = set()
        self._module_names: set[tuple[int, str]] = set()
        self._watched: list[Watched] = []
        self._sizes: list[tuple[Any, int, str]] = []
        self._orders: list[tuple[Any, list[Any], str]] = []
        self._sets: list[tuple[Any, Any, str]] = []
        self._alive: list[Any] = []
        self._arrays: set[int] | None = None
        self._to_do = [(function, "the step")]
        self._walk()
        known = list(self.tensors)
        self._to_do = [(arguments, "the arguments")]
        self._walk()
        self.tensors = known + [x for x in self.tensors[len(known) :] if not _is_among(x, arguments)]
        self._forms, self._arrays = [_form(tensor) for tensor in self.tensors], None

    def changed(self) -> str | None:
        """The name of something that is not as it was; None if all is."""
        now = list(map(call, self._getters, self._keys))
        if not all(map(is_, now, self._values)):
            for found, value, entry in zip(now, self._values, self._watched, strict=True):
                if found is not value and not _alike(found, value):
                    return entry[3]
        if list(map(len, self._sized)) != self._lengths:
            return next(name for items, size, name in self._sizes if len(items) != size)
        for items, keys, name in self._orders:
            if not all(map(is_, items, keys)):
                return name
        for items, before, name in self._sets:
            if items != before:
                return name
        for tensor, form in zip(self.tensors, self._forms, strict=True):
            is_leaf = tensor.grad_fn is None and not tensor.hooks
            if is_leaf and tensor.requires_grad is form[5] and tensor.array is form[0]:
                continue
            array = tensor.array
            if not is_leaf or tensor.requires_grad is not form[5] or _shape_of(array) != form[1:5]:
                return f"the form of a tensor of shape {tensor.shape}"
            form[0], self._arrays = array, None
        return None

    def arrays(self) -> set[int]:
        """The ids of the tensors' arrays."""
        if self._arrays is None:
            self._arrays = {id(form[0]) for form in self._forms}
        return self._arrays

    def gradients(self) -> tuple[bool, ...]:
        """Which of the tensors have a gradient."""
        return tuple([tensor.grad is not None for tensor in self.tensors])

    def add_code(self, code: CodeType, names: dict[str, Any]) -> None:
        """Watch the global names that a piece of code uses; `names` are those of its module."""
        if code in self.codes:
            return
        if code.co_freevars:
            raise NotCapturable(f"calls {code.co_name}, whose variables cannot be watched")
        self._code(code, names)
        self._walk()
        self._forms, self._arrays = [_form(tensor) for tensor in self.tensors], None

    def _walk(self) -> None:
        while self._to_do:
            value, name = self._to_do.pop()
            if isinstance(value, SIMPLE) or id(value) in self.known:
                continue
            self.known.add(id(value))
            self._alive.append(value)
            self._to_do += list(self._parts(value, name))[::-1]
        self._getters = [owner.get for owner, _, _, _ in self._watched]
        self._keys = [key for _, key, _, _ in self._watched]
        self._values = [value for _, _, value, _ in self._watched]
        self._sized = [items for items, _, _ in self._sizes]
        self._lengths = [size for _, size, _ in self._sizes]

    def _parts(self, value: Any, name: str) -> Iterator[tuple[Any, str]]:
        if isinstance(value, Tensor):
            self.tensors.append(value)
        elif isinstance(value, UNWATCHED) or hasattr(type(value), "__next__"):
            raise NotCapturable(f"can read {name}, a {type(value).__name__}, whose changes cannot be seen")
        elif isinstance(value, FunctionType):
            yield from self._function(value, name)
        elif isinstance(value, MethodType):
            yield from ((value.__func__, name), (value.__self__, name))
        elif isinstance(value, functools.partial):
            yield from ((value.func, name), (value.args, name), (value.keywords, name))
        elif isinstance(value, dict):
            self._sizes.append((value, len(value), name))
            if len(value) > 1:
                self._orders.append((value, list(value), name))
            yield from self._watch((value, key, item, f"{name}[{key!r}]") for key, item in value.items())
        elif isinstance(value, list | tuple):
            self._sizes.append((value, len(value), name))
            items = Items(value)
            yield from self._watch((items, i, item, f"{name}[{i}]") for i, item in enumerate(value))
        elif isinstance(value, set | frozenset):
            self._sets.append((value, frozenset(value), name))
        elif isinstance(value, type):
            yield from self._class(value)
        elif isinstance(value, Optimizer):
            yield from ((tensor, name) for tensor in value._parameters())
            own = ("param_groups", "state")
            yield from self._watch(
                (vars(value), key, item, f"{type(value).__name__}.{key}")
                for key, item in vars(value).items()
                if key not in own and not key.startswith("_")
            )
        elif isinstance(value, ModuleType):
            if is_users(value):
                self._module(value, tuple([key for key in vars(value) if not key.startswith("__")]))
        elif not isinstance(value, BuiltinFunctionType) and not is_scheduler(value):
            yield from self._object(value, name)

    def _watch(self, entries: Iterator[Watched]) -> Iterator[tuple[Any, str]]:
        for entry in entries:
            self._watched.append(entry)
            yield entry[2], entry[3]

    def _object(self, value: Any, name: str) -> Iterator[tuple[Any, str]]:
        if getattr(type(value), "is_compiled", False):
            yield value.function, name
            return
        yield type(value), type(value).__name__
        hidden = next((cls for cls in type(value).__mro__ if is_in_c(cls) and cls not in TRANSPARENT), None)
        if hidden is not None:
            raise NotCapturable(f"can read {name}, a {hidden.__name__}, whose changes cannot be seen")
        slots = [slot for cls in type(value).__mro__ for slot in _names(vars(cls).get("__slots__", ()))]
        items = Slots(value)
        yield from self._watch((items, slot, items.get(slot), slot) for slot in slots)
        attributes = getattr(value, "__dict__", None)
        if isinstance(attributes, dict):
            self._sizes.append((attributes, len(attributes), type(value).__name__))
            owner = type(value).__name__
            yield from self._watch(
                (attributes, key, item, f"{owner}.{key}") for key, item in attributes.items()
            )
        if isinstance(value, dict | list):  # a subclass
            yield from self._parts(list(value), name)

    def _class(self, value: type) -> Iterator[tuple[Any, str]]:
        module = sys.modules.get(value.__module__)
        file = getattr(module, "__file__", None) or "<frozen"
        if is_own(file) or is_library(file):
            return
        self._sizes.append((vars(value), len(vars(value)), value.__name__))
        yield from ((base, base.__name__) for base in value.__bases__)
        for key, item in list(vars(value).items()):
            if isinstance(item, property):
                yield from ((part, key) for part in (item.fget, item.fset) if part is not None)
            elif isinstance(item, staticmethod | classmethod):
                yield item.__func__, key
            elif not key.startswith("__") or isinstance(item, FunctionType):
                yield from self._watch(iter([(vars(value), key, item, f"{value.__name__}.{key}")]))

    def _function(self, function: FunctionType, name: str) -> Iterator[tuple[Any, str]]:
        code = function.__code__
        yield from ((value, name) for value in function.__defaults__ or ())
        yield from ((value, name) for value in (function.__kwdefaults__ or {}).values())
        for variable, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            box = Cell(cell)
            held = box.get()
            self._watched.append((box, None, held, variable))
            if isinstance(held, ModuleType):
                self._module(held, _used(code))
            else:
                yield held, variable
        if not is_own(code.co_filename) and not is_library(code.co_filename):
            yield vars(function), name
        elif hasattr(function, "__wrapped__"):
            yield function.__wrapped__, name
        if not is_own(code.co_filename):
            self._code(code, function.__globals__)

    def _code(self, code: CodeType, names: dict[str, Any]) -> None:
        if code in self.codes or is_library(code.co_filename):
            return
        self.codes.add(code)
        missing = [name for name in _globals_of(code) if name not in names]
        self._watched += [(Names(names), name, False, name) for name in missing]
        for name in code.co_names:
            value = names.get(name, sys.modules.get(name))  # it may import the module itself
            if name in names:
                self._watched.append((names, name, value, name))
            if isinstance(value, ModuleType):
                self._module(value, code.co_names)
            elif name in names:
                self._to_do.append((value, name))
        for part in code.co_consts:
            if isinstance(part, CodeType):
                self._code(part, names)

    def _module(self, module: ModuleType, used: tuple[str, ...]) -> None:
        if not is_users(module):
            return
        for name in used:
            if name in vars(module) and (id(module), name) not in self._module_names:
                self._module_names.add((id(module), name))
                value = vars(module)[name]
                self._watched.append((vars(module), name, value, f"{module.__name__}.{name}"))
                if isinstance(value, ModuleType):
                    self._module(value, used)
                else:
                    self._to_do.append((value, name))


def _globals_of(code: CodeType) -> list[str]:
    """The global names that a piece of code reads, Python's own functions among them."""
    return sorted({line.argval for line in dis.get_instructions(code) if line.opname == "LOAD_GLOBAL"})


def _used(code: CodeType) -> tuple[str, ...]:
    """The names in a piece of code, and in the functions inside it."""
    inside = (_used(part) for part in code.co_consts if isinstance(part, CodeType))
    return sum(inside, code.co_names)


def _is_among(tensor: Tensor, arguments: Any) -> bool:
    """Whether it is one of the arguments, not something that belongs to one."""
    if isinstance(arguments, tuple | list):
        return any(_is_among(tensor, argument) for argument in arguments)
    if isinstance(arguments, dict):
        return any(_is_among(tensor, argument) for argument in arguments.values())
    return arguments is tensor


def _alike(now: Any, value: Any) -> bool:
    """Whether two numbers, texts and the like are the same to the bit."""
    return type(now) is type(value) and isinstance(value, SIMPLE) and repr(now) == repr(value)


def _names(slots: Any) -> tuple[str, ...]:
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _form(tensor: Tensor) -> list[Any]:
    return [tensor.array, *_shape_of(tensor.array), tensor.requires_grad]


def _shape_of(array: Any) -> list[Any]:
    return [array.shape, array.dtype, array.strides, device_of(array)]
