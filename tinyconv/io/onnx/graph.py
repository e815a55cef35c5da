"""A graph of nodes, and how it is run: one node after the other, with tinyconv's ops."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from tinyconv.errors import ArgumentError, CheckpointError, DeviceError, TinyconvError
from tinyconv.io.onnx.node import Node
from tinyconv.tensor import Tensor


class Declared(NamedTuple):
    """An input as the file declares it; None: anything goes, also for a single size.

    The kind is ONNX's name for what it is: ``"tensor_type"``, ``"sequence_type"``, ``"optional_type"``.
    """

    name: str
    dtype: np.dtype[Any] | None
    shape: tuple[int | str | None, ...] | None
    kind: str = "tensor_type"


@dataclass
class Graph:
    """Nodes in an order in which they can be run, and what goes in and out.

    Attributes
    ----------
    inputs : tuple of Declared
    outputs : tuple of str
    nodes : list of Node
    constants : dict of str to Tensor
        Values that the file holds.
    """

    inputs: tuple[Declared, ...]
    outputs: tuple[str, ...]
    nodes: list[Node]
    constants: dict[str, Tensor]
    last_uses: list[list[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.last_uses = self._find_last_uses()

    def captured(self) -> set[str]:
        """The names that this graph takes from the graph around it."""
        own = {declared.name for declared in self.inputs} | self.constants.keys()
        taken: set[str] = set()
        for node in self.nodes:
            taken |= _needs(node) - own
            own |= set(node.outputs)
        return (taken | set(self.outputs) - own) - {""}

    def run(self, values: dict[str, Any]) -> list[Any]:
        """The outputs, for a dictionary of all values that are known; nodes add theirs to it."""
        for node, done_with in zip(self.nodes, self.last_uses, strict=True):
            results = run_node(node, values)
            values.update((name, value) for name, value in zip(node.outputs, results, strict=False) if name)
            for name in done_with:
                values.pop(name, None)
        return [values[name] for name in self.outputs]

    def _find_last_uses(self) -> list[list[str]]:
        """For each node, which of the values made before it no later node needs."""
        made = {name for node in self.nodes for name in node.outputs} - set(self.outputs)
        last_uses: list[list[str]] = []
        for node in reversed(self.nodes):
            done_with = (_needs(node) | set(node.outputs)) & made
            made -= done_with
            last_uses.append(sorted(done_with))
        return last_uses[::-1]

    def check_names(self, where: str, around: frozenset[str] = frozenset()) -> None:
        """Every value is made once, and before it is used."""
        known = set(around) | {declared.name for declared in self.inputs} | self.constants.keys()
        own = known - around
        for node in self.nodes:
            missing = sorted(set(node.inputs) - known - {""})
            if missing:
                expected = "values that are made before they are used"
                raise CheckpointError(where, f"the input of the {node.where}", missing, expected)
            for graph in node.graphs:
                graph.check_names(where, frozenset(known))
            twice = [name for name in node.outputs if name and name in own]
            if twice:
                raise CheckpointError(where, f"the output of the {node.where}", twice, "new names")
            own |= set(node.outputs) - {""}
            known |= own
        missing = sorted(set(self.outputs) - known)
        if missing:
            raise CheckpointError(where, "the graph's output", missing, "the name of a value that is made")


def run_node(node: Node, values: dict[str, Any]) -> tuple[Any, ...]:
    """What one node makes of the values; errors say which node it was."""
    inputs = [values[name] if name else None for name in node.inputs]
    try:
        try:
            result = _compute(node, values, inputs)
        except DeviceError:  # a GPU's tensors meet sizes or constants, which stay on the CPU until then
            result = _compute(node, values, _on_one_device(inputs))
    except TinyconvError as error:
        error.add_note(f"in the {node.where}")
        raise
    except Exception as error:  # a file can ask an op for what no caller would: the message says where
        shapes = [getattr(x, "shape", type(x).__name__) for x in inputs]
        expected = f"inputs and attributes that fit together ({type(error).__name__}: {error})"
        raise ArgumentError(node.where, "the input", f"of shapes {shapes}", expected) from error
    results = result if isinstance(result, tuple) else (result,)
    if len(node.outputs) > len(results):
        expected = f"at most {len(results)}"
        raise ArgumentError(node.where, "the number of outputs", len(node.outputs), expected)
    return results


def _compute(node: Node, values: dict[str, Any], inputs: list[Any]) -> Any:
    from tinyconv.io.onnx.nodes import CONTROL, TABLE

    if node.op in CONTROL:
        return CONTROL[node.op](node, values, *inputs)
    return TABLE[node.op](node, *inputs)


def _on_one_device(inputs: list[Any]) -> list[Any]:
    """The same values, on the GPU if there is one among their devices."""
    parts = [part for x in inputs for part in (x if isinstance(x, list | tuple) else [x])]
    devices = {part.device for part in parts if isinstance(part, Tensor)} - {"cpu"}
    if len(devices) != 1:
        return inputs
    (device,) = devices

    def brought(x: Any) -> Any:
        if isinstance(x, list | tuple):
            return tuple(map(brought, x))
        return x.to(device) if isinstance(x, Tensor) else x

    return list(map(brought, inputs))


def _needs(node: Node) -> set[str]:
    return set(node.inputs).union(*(graph.captured() for graph in node.graphs)) - {""}
