"""Nodes that contain graphs: choices and repetitions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinyconv import ops
from tinyconv.errors import ArgumentError, DtypeError, ShapeError, UnsupportedError
from tinyconv.io.onnx.graph import Graph
from tinyconv.io.onnx.node import Node
from tinyconv.io.onnx.nodes._arguments import from_front, single
from tinyconv.tensor import Tensor

Values = dict[str, Any]

LONGEST = 10_000_000
"""Rounds after which a Loop without end is given up."""


def run_inside(graph: Graph, around: Values, *inputs: Any) -> list[Any]:
    """The outputs of an inner graph, which sees the values around it."""
    if len(inputs) != len(graph.inputs):
        raise ArgumentError("an inner graph", "the number of inputs", len(graph.inputs), str(len(inputs)))
    values: Values = {name: around[name] for name in graph.captured()}
    values.update(graph.constants)
    values.update(zip((declared.name for declared in graph.inputs), inputs, strict=True))
    return graph.run(values)


def if_(node: Node, values: Values, condition: Tensor) -> tuple[Any, ...]:
    """The outputs of one of two graphs."""
    branch = "then_branch" if single(node, "cond", condition) else "else_branch"
    return tuple(run_inside(node.graph(branch), values))


def loop(
    node: Node, values: Values, count: Tensor | None, condition: Tensor | None, *carried: Any
) -> tuple[Any, ...]:
    """A graph again and again, which hands values on to itself and leaves others behind at each step."""
    body, state = node.graph("body"), list(carried)
    rounds = LONGEST if count is None else int(single(node, "M", count))
    going = condition is None or bool(single(node, "cond", condition))
    left: list[list[Tensor]] = [[] for _ in range(len(body.outputs) - 1 - len(state))]
    step = 0
    while going and step < rounds:
        again, *results = run_inside(
            body, values, Tensor(np.array(step, np.int64)), Tensor(np.array(going)), *state
        )
        state = results[: len(state)]
        for kept, value in zip(left, results[len(state) :], strict=True):
            kept.append(value)
        going, step = bool(single(node, "the body's condition", again)), step + 1
    if count is None and going and step >= LONGEST:
        raise ArgumentError(node.where, "the number of rounds", f"{step} and more", "an end")
    return (*state, *(_stacked(node, kept, 0) for kept in left))


def scan(node: Node, values: Values, *inputs: Tensor) -> tuple[Any, ...]:
    """A graph for each slice of the last inputs, which hands values on to itself."""
    if node.opset < 9:
        raise UnsupportedError(node.where, "the operator set", node.opset, "9 or later")
    body, scanned = node.graph("body"), node.integer("num_scan_inputs")
    if not 1 <= scanned <= len(inputs):
        raise ArgumentError(node.where, "num_scan_inputs", scanned, f"an int from 1 to {len(inputs)}")
    state, rows = list(inputs[: len(inputs) - scanned]), inputs[len(inputs) - scanned :]
    axes = node.integers("scan_input_axes", (0,) * scanned)
    backwards = node.integers("scan_input_directions", (0,) * scanned)
    slices = [_slices(node, x, axis, reverse) for x, axis, reverse in zip(rows, axes, backwards, strict=True)]
    if len({len(parts) for parts in slices}) != 1:
        raise ShapeError(node.op, "the inputs", [len(s) for s in slices], "as many slices of each")
    left: list[list[Tensor]] = [[] for _ in range(len(body.outputs) - len(state))]
    for parts in zip(*slices, strict=True):
        results = run_inside(body, values, *state, *parts)
        state = results[: len(state)]
        for kept, value in zip(left, results[len(state) :], strict=True):
            kept.append(value)
    out_axes = node.integers("scan_output_axes", (0,) * len(left))
    directions = node.integers("scan_output_directions", (0,) * len(left))
    stacked = [
        _stacked(node, kept[::-1] if reverse else kept, axis)
        for kept, axis, reverse in zip(left, out_axes, directions, strict=True)
    ]
    return (*state, *stacked)


def sequence_map(node: Node, values: Values, sequence: Any, *others: Any) -> tuple[Any, ...]:
    """A graph for each tensor of a sequence, and for those of others beside it; tensors stay the same."""
    body = node.graph("body")
    if not isinstance(sequence, list | tuple):
        raise DtypeError(node.op, "input_sequence", f"a {type(sequence).__name__}", "a sequence of tensors")
    results = [
        run_inside(body, values, x, *(y[i] if isinstance(y, list | tuple) else y for y in others))
        for i, x in enumerate(sequence)
    ]
    return tuple(tuple(result[i] for result in results) for i in range(len(body.outputs)))


def _slices(node: Node, x: Tensor, axis: int, reverse: int) -> list[Tensor]:
    parts = list(ops.unbind(x, from_front(node, (axis,), x.ndim)[0]))
    return parts[::-1] if reverse else parts


def _stacked(node: Node, parts: list[Tensor], axis: int) -> Tensor:
    if not parts:
        raise UnsupportedError(node.where, "the number of rounds", 0, "one at least: no rounds have no shape")
    return ops.stack(parts, axis)


CONTROL: dict[str, Callable[..., Any]] = {"If": if_, "Loop": loop, "Scan": scan, "SequenceMap": sequence_map}
"""As `TABLE`, but the functions also get all values that are known."""
