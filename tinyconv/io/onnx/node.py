"""One node of an ONNX graph, and its attributes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tinyconv.errors import ArgumentError, DtypeError

if TYPE_CHECKING:
    from tinyconv.io.onnx.graph import Graph

REQUIRED: Any = object()
"""The default of an attribute that a node must have."""


@dataclass
class Node:
    """One node: which op, from which values to which, with which attributes.

    Attributes
    ----------
    op : str
        The node type, e.g. ``"Conv"``; with its domain in front where that is not ONNX's own.
    name : str
        The node's own name, which may be empty.
    inputs, outputs : tuple of str
        Names of values; an input that is left out is ``""``.
    opset : int
        The version of ONNX's operators that the file was written for.
    attributes : dict
        Numbers, texts, tuples of these, Tensors and Graphs by name.
    """

    op: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    opset: int
    attributes: dict[str, Any] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """How messages name this node."""
        return f"{self.op} node {self.name!r}" if self.name else f"{self.op} node that makes {self.outputs}"

    @property
    def graphs(self) -> list[Graph]:
        """The graphs among the attributes, such as the branches of an If."""
        from tinyconv.io.onnx.graph import Graph

        return [value for value in self.attributes.values() if isinstance(value, Graph)]

    def has(self, name: str) -> bool:
        """Whether the node says anything about this attribute."""
        return name in self.attributes

    def integer(self, name: str, default: Any = REQUIRED) -> int:
        """A whole number."""
        return self._get(name, default, int, "a whole number")

    def flag(self, name: str, default: bool = False) -> bool:
        """A whole number that means yes or no."""
        return bool(self._get(name, int(default), int, "0 or 1"))

    def number(self, name: str, default: Any = REQUIRED) -> float:
        """A number."""
        return float(self._get(name, default, (int, float), "a number"))

    def integers(self, name: str, default: Any = REQUIRED) -> tuple[int, ...]:
        """Whole numbers."""
        return self._list(name, default, int, "whole numbers")

    def numbers(self, name: str, default: Any = REQUIRED) -> tuple[float, ...]:
        """Numbers."""
        return self._list(name, default, (int, float), "numbers")

    def text(self, name: str, default: Any = REQUIRED, choices: tuple[str, ...] = ()) -> str:
        """A text, which must be one of `choices` if there are any."""
        value = self._get(name, default, str, "a text")
        if choices and value not in choices:
            raise ArgumentError(self.where, name, repr(value), "one of " + ", ".join(map(repr, choices)))
        return value

    def graph(self, name: str) -> Graph:
        """A graph, such as the branch of an If."""
        from tinyconv.io.onnx.graph import Graph

        return self._get(name, REQUIRED, Graph, "a graph")

    def _get(self, name: str, default: Any, kind: Any, expected: str) -> Any:
        value = self.attributes.get(name, default)
        if value is REQUIRED:
            raise ArgumentError(self.where, f"attribute {name}", "missing", expected)
        if value is not default and not isinstance(value, kind):
            raise DtypeError(self.where, f"attribute {name}", repr(value), expected)
        return value

    def _list(self, name: str, default: Any, kind: Any, expected: str) -> Any:
        value = self._get(name, default, tuple, expected)
        if value is not default and not all(isinstance(item, kind) for item in value):
            raise DtypeError(self.where, f"attribute {name}", repr(value), expected)
        return value
