"""A reader of the pickles inside PyTorch's files that runs nothing: tensors, containers and numbers only.

A pickle is a program for a small stack machine, and one of its instructions calls any function by
name. Here that instruction knows a few names, all of which stand for plain data; every other
name, and every instruction that is not needed, is refused. Nothing is ever imported or called.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO, NamedTuple

ORDERED_DICT = "collections OrderedDict"
TENSORS = ("torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_tensor")
"""The second is in files from 2017, such as VGG-16's; both begin with storage, offset, shape and strides."""
PARAMETER = "torch._utils _rebuild_parameter"
STORAGES = {
    **{"FloatStorage": "<f4", "DoubleStorage": "<f8", "HalfStorage": "<f2", "BoolStorage": "|b1"},
    **{"ByteStorage": "|u1", "CharStorage": "|i1", "ShortStorage": "<i2"},
    **{"IntStorage": "<i4", "LongStorage": "<i8"},
}
"""The dtype of each kind of storage; those of NumPy only."""
MOST_INSTRUCTIONS = 5_000_000
LARGEST, MOST_AXES = 2**63 - 1, 64
KEYS = (str, int, float, bool, type(None))
"""What a dict may be looked up by. A tuple's hash visits all that is in it: of few instructions can be made
one that takes for ever, or more stack than there is."""


class Refused(ValueError):
    """The pickle does something other than describe tensors."""


class Name(NamedTuple):
    """A name that the pickle may mention; it stands for nothing but itself."""

    text: str


class Storage(NamedTuple):
    """Where the numbers of tensors are: an entry of the file."""

    dtype: str
    key: str
    length: int


class TensorPlace(NamedTuple):
    """A tensor as a part of a storage, in elements."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
LITERALS = {
    *("BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT"),
    *("BINUNICODE", "SHORT_BINUNICODE", "BINSTRING", "SHORT_BINSTRING"),
}
MARK = object()


def read_pickle(file: BinaryIO, tensor: Callable[[TensorPlace], Any]) -> Any:
    """Read one pickle from where `file` stands; `file` stands behind it then.

    Parameters
    ----------
    file : binary file
    tensor : callable
        Makes what is returned in the place of each tensor.

    Raises
    ------
    Refused
        If the pickle mentions anything but tensors, dicts, lists, tuples, numbers and texts.
    ValueError, TypeError, IndexError, KeyError
        If it is damaged.
    """
    machine = _Machine(tensor)
    for number, (instruction, argument, _) in enumerate(pickletools.genops(file)):
        if number > MOST_INSTRUCTIONS:
            raise Refused(f"more than {MOST_INSTRUCTIONS} instructions")
        if instruction.name == "STOP":
            (result,) = machine.stack
            return result
        machine.step(instruction.name, argument)
    raise ValueError("cut short")


class _Machine:
    """The stack and the memory of values to be used again."""

    def __init__(self, tensor: Callable[[TensorPlace], Any]) -> None:
        self.stack: list[Any] = []
        self.memory: dict[int, Any] = {}
        self.tensor = tensor

    def step(self, name: str, argument: Any) -> None:
        """Carry out one instruction."""
        stack = self.stack
        if name in CONSTANTS:
            stack.append(CONSTANTS[name])
        elif name in LITERALS:
            stack.append(argument)
        elif name in ("EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE"):
            stack.append({"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}[name]())
        elif name == "MARK":
            stack.append(MARK)
        elif name in ("BINPUT", "LONG_BINPUT"):
            self.memory[argument] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(self.memory[argument])
        elif name in ("TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"):
            self._tuple(name)
        elif name == "GLOBAL":
            stack.append(_name(argument))
        elif name in ("APPEND", "APPENDS"):
            values = [stack.pop()] if name == "APPEND" else self._to_mark()
            _checked(stack[-1], list).extend(values)
        elif name in ("SETITEM", "SETITEMS"):
            values = [stack.pop(), stack.pop()][::-1] if name == "SETITEM" else self._to_mark()
            _checked(stack[-1], dict).update(_pairs(zip(values[::2], values[1::2], strict=True)))
        elif name == "BINPERSID":
            stack.append(_storage(stack.pop()))
        elif name == "REDUCE":
            arguments = _checked(stack.pop(), tuple)
            stack.append(self._called(stack.pop(), arguments))
        elif name == "BUILD":  # a state dict carries the versions of its modules
            stack.pop()
            _checked(stack[-1], dict)
        elif name != "PROTO":
            raise Refused(f"an instruction {name}")

    def _to_mark(self) -> list[Any]:
        values = []
        while (value := self.stack.pop()) is not MARK:
            values.append(value)
        return values[::-1]

    def _tuple(self, name: str) -> None:
        if name == "TUPLE":
            self.stack.append(tuple(self._to_mark()))
            return
        count = int(name[-1])
        values = tuple(self.stack.pop() for _ in range(count))
        self.stack.append(values[::-1])

    def _called(self, function: Any, arguments: tuple[Any, ...]) -> Any:
        """What the names that are known stand for."""
        if function == Name(ORDERED_DICT):
            return dict(_pairs(*arguments)) if arguments else {}
        if function == Name(PARAMETER):
            return arguments[0]
        if not isinstance(function, Name) or function.text not in TENSORS:
            raise Refused(f"a call of {getattr(function, 'text', 'something made')}")
        storage, offset, shape, strides = arguments[:4]
        place = TensorPlace(_checked(storage, Storage), offset, shape, strides)
        for number in (offset, *_checked(shape, tuple), *_checked(strides, tuple)):
            if type(number) is not int or not 0 <= number <= LARGEST:
                raise ValueError(f"a tensor with a size, stride or offset of {_shown(number)}")
        if len(shape) > MOST_AXES:
            raise ValueError(f"a tensor of {len(shape)} axes")
        return self.tensor(place)


def _name(argument: str) -> Name:
    module, _, name = argument.partition(" ")
    known = argument in (ORDERED_DICT, PARAMETER, *TENSORS) or (module == "torch" and name in STORAGES)
    if not known:
        raise Refused(f"the name {module}.{name}")
    return Name(argument)


def _storage(description: Any) -> Storage:
    """A storage from its description: ("storage", kind, key, device, number of elements, …)."""
    word, kind, key, _, count = _checked(description, tuple)[:5]
    if word != "storage" or not isinstance(kind, Name) or kind.text.partition(" ")[2] not in STORAGES:
        raise Refused("a reference to something else than a storage")
    if type(count) is not int or not 0 <= count <= LARGEST or not isinstance(key, str):
        raise ValueError(f"a storage {_shown(key)} of {_shown(count)} elements")
    if len(description) > 5 and description[5] is not None:
        raise Refused("a storage that is a part of another")
    return Storage(STORAGES[kind.text.partition(" ")[2]], key, count)


def _pairs(pairs: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    """Keys and values, of which no key is a container."""
    for key, value in pairs:
        if type(key) not in KEYS:
            raise Refused(f"a {type(key).__name__} as a key")
        yield key, value


def _shown(value: Any) -> str:
    """A number or text for a message; of a container its type, for it may be as large as it likes."""
    return repr(value) if type(value) in KEYS else f"a {type(value).__name__}"


def _checked(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise ValueError(f"a {type(value).__name__} where a {kind.__name__} belongs")
    return value
