"""Writing the nodes of an ONNX graph, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tinyconv.errors import UnsupportedError
from tinyconv.io.onnx.package import onnx_package
from tinyconv.io.onnx.pairing import Changed, leaves
from tinyconv.io.onnx.recording import Call, Value
from tinyconv.io.onnx.sizes import Size, same, size
from tinyconv.io.onnx.table import translate

Given = Any
"""An input of a node: a Value, the name of another node's output, numbers, or None."""

LARGEST = 2**63 - 1


class Builder:
    """The nodes and constants of a graph that is being written.

    Attributes
    ----------
    nodes : list of onnx.NodeProto
    constants : dict of str to array
        What becomes an initializer.
    call : Call
        The call that is being translated.
    """

    def __init__(self, inputs: Sequence[Value]) -> None:
        self._onnx = onnx_package("export")
        self.nodes: list[Any] = []
        self.constants: dict[str, np.ndarray[Any, Any]] = {}
        self.call: Call
        self._names: dict[Value, str] = {value: value.name for value in inputs}
        self._taken = set(self._names.values())
        self._finished: set[str] = set()
        self._sizes: dict[tuple[str, int], str] = {}

    def add(self, call: Call) -> None:
        """Translate a call.

        Raises
        ------
        UnsupportedError
            If ONNX has no counterpart, naming the op and the layer that called it.
        """
        self.call = call
        self._check(call)
        names = translate(call.op, self, call.arguments)
        if names is None:
            raise UnsupportedError("export", "the model", f"using {call.where}", "ops that ONNX has")
        for value, name in zip(call.outputs, (names,) if isinstance(names, str) else names, strict=True):
            self._names[value] = name

    def _check(self, call: Call) -> None:
        for item in leaves(call.arguments):
            if isinstance(item, Changed):
                self.refuse("arguments that depend on the input", "arguments that are the same every time")
            if isinstance(item, Value) and item.looked_up:
                self.refuse("numbers that were made by looking at values", "ops that ONNX has")
            unknown = isinstance(item, Value) and item.varies and item not in self._names
            if unknown and self._as_size(item) is None:
                self.refuse(
                    "a tensor that depends on the input, but was not made by ops",
                    "ops of tinyconv alone (no .array, .numpy() or .item()) to make it",
                )

    def refuse(self, found: str, expected: str) -> None:
        """Raise the UnsupportedError that names the call."""
        raise UnsupportedError("export", self.call.where, f"called with {found}", expected)

    def node(self, kind: str, inputs: Sequence[Given], outputs: int = 1, **attributes: Any) -> Any:
        """Write a node; the name of its output, or a tuple of names if there are several.

        Attributes that are None are left out.
        """
        names = [self.name(item) for item in inputs]
        while names and not names[-1]:
            names.pop()
        layer = self.call.layer.partition(" ")[0] if " " in self.call.layer else ""
        name = self._unique(f"{layer}/{kind}" if layer else kind)
        results = [name] + [self._unique(f"{name}.{i}") for i in range(1, outputs)]
        given = {key: value for key, value in attributes.items() if value is not None}
        self.nodes.append(self._onnx.helper.make_node(kind, names, results, name, **given))
        return name if outputs == 1 else tuple(results)

    def name(self, item: Given) -> str:
        """The name of an input of a node; numbers become constants."""
        if item is None or isinstance(item, str):
            return item or ""
        if not isinstance(item, Value):
            return self.constant(item)
        if item not in self._names:
            size = self._as_size(item) if item.varies else None
            self._names[item] = (
                self.constant(item.array, item.name)
                if size is None
                else self.node("Cast", [self._squeezed(size)], to=self.dtype(item.dtype))
            )
        return self._names[item]

    def _squeezed(self, size: Size) -> str:
        return self.node("Squeeze", [self.ints([size]), np.array([0])])

    def _as_size(self, value: Value) -> Size | None:
        """A number, made of a Python number that is a size."""
        if value.ndim or value.maker is not None or any(float(x) != int(x) for x in value.arrays):
            return None
        number = size(int(x) for x in value.arrays)
        return number if isinstance(number, Size) else None

    def constant(self, numbers: Any, name: str = "") -> str:
        """The name of an initializer with these numbers."""
        array = np.ascontiguousarray(numbers).reshape(np.shape(numbers))
        if not name:
            for known, other in self.constants.items():
                if known.startswith("constant") and array.nbytes < 128 and _identical(array, other):
                    return known
        name = self._unique(name or "constant")
        self.constants[name] = array
        return name

    def like(self, number: Any, value: Value) -> str:
        """A constant of the dtype of `value`."""
        return self.constant(np.asarray(number, value.dtype))

    def cast(self, item: Value, dtype: Any) -> str:
        """`item` in another dtype."""
        if item.dtype == np.dtype(dtype):
            return self.name(item)
        return self.node("Cast", [item], to=self.dtype(dtype))

    def dtype(self, dtype: Any) -> int:
        """ONNX's number for a dtype."""
        return int(self._onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def ints(self, numbers: Sequence[int]) -> str:
        """The name of an int64 vector, computed from the shapes of tensors where numbers are Sizes."""
        if not any(isinstance(n, Size) for n in numbers):
            return self.constant(np.array([int(n) for n in numbers], np.int64))
        parts: list[str] = []
        for n in numbers:
            parts.append(self._size(n) if isinstance(n, Size) else self.constant(np.array([n], np.int64)))
        return parts[0] if len(parts) == 1 else self.node("Concat", parts, axis=0)

    def reshape(self, item: Given, before: Sequence[int], after: Sequence[int]) -> str:
        """`item`, whose sizes are `before`, in the shape `after`."""
        if any(n == 0 for n in after):
            return self.node("Reshape", [item, self.ints(after)], allowzero=1)
        sizes = [
            0 if isinstance(n, Size) and i < len(before) and same(n, before[i]) else n
            for i, n in enumerate(after)
        ]
        free = [i for i, n in enumerate(sizes) if isinstance(n, Size)]
        if free:
            hard = [i for i in free if not self._is_known(sizes[i])]
            sizes[(hard or free)[0]] = -1
        return self.node("Reshape", [item, self.ints(sizes)])

    def _is_known(self, number: int) -> bool:
        return any(same(n, number) for _, _, n in self._dimensions())

    def _dimensions(self) -> Iterator[tuple[Value, int, Size]]:
        """All sizes in the graph that vary: first those of the call's own inputs, the latest last."""
        own = [x for x in leaves(self.call.arguments) if isinstance(x, Value) and x in self._names]
        for value in dict.fromkeys((*own, *self._names)):
            if value.varies:
                yield from ((value, i, n) for i, n in enumerate(value.shape) if isinstance(n, Size))

    def _size(self, number: Size) -> str:
        """A vector of one number, which is found among the sizes of tensors or computed from one."""
        found = list(self._dimensions())
        for value, axis, n in found:
            if same(n, number):
                return self._dimension(value, axis)
        for value, axis, n in found:
            large, small = max(number.values), max(n.values)
            for kind, factor in (("Mul", large // max(small, 1)), ("Div", small // max(large, 1))):
                if factor > 1 and same(n * factor if kind == "Mul" else n // factor, number):
                    return self.node(kind, [self._dimension(value, axis), np.array([factor])])
        for value, axis, n in found:
            if not isinstance(number - n, Size):
                return self.node("Add", [self._dimension(value, axis), np.array([int(number - n)])])
        for i, (value, axis, n) in enumerate(found):
            for other, place, m in found[i + 1 :]:
                if same(n * m, number):
                    return self.node("Mul", [self._dimension(value, axis), self._dimension(other, place)])
        self.refuse(
            f"a size that is {' or '.join(map(str, number.values))}",
            "sizes that follow from a tensor's shape",
        )
        raise AssertionError

    def _dimension(self, value: Value, axis: int) -> str:
        key = (self._names[value], axis)
        if key not in self._sizes:
            self._sizes[key] = self.node("Shape", [value], start=axis, end=axis + 1)
        return self._sizes[key]

    def output(self, value: Value, name: str) -> None:
        """Make `value` the output of the graph that is called `name`."""
        self.call = Call(_output, (value,), "")
        self._check(self.call)
        own = self.name(value)
        if own in self._finished or not any(own in node.output for node in self.nodes):
            self.nodes.append(self._onnx.helper.make_node("Identity", [own], [name], name))
            return
        self._finished.add(name)
        self._names[value] = name
        for node in self.nodes:
            for names in (node.input, node.output):
                for i, used in enumerate(names):
                    if used == own:
                        names[i] = name

    def _unique(self, name: str) -> str:
        unique, number = name, 1
        while unique in self._taken:
            number += 1
            unique = f"{name}_{number}"
        self._taken.add(unique)
        return unique

    def reserve(self, names: Sequence[str]) -> None:
        """Names that nothing else may have."""
        self._taken.update(names)


def _identical(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def _output() -> None:
    """The op of what the model returns."""


_output.__name__ = "the model's output"
