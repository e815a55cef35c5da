"""What each type of node computes, in terms of tinyconv's ops.

`TABLE` has one small function per node type. It gets the node, for its attributes, and the
node's inputs, None for one that is left out, and returns a Tensor or a tuple of them. What a
node type meant in older operator sets is in the same function, which looks at ``node.opset``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from tinyconv.errors import CheckpointError
from tinyconv.io.onnx.node import Node
from tinyconv.io.onnx.nodes import (
    activation,
    arithmetic,
    attention,
    control,
    convolution,
    creation,
    indexing,
    logic,
    loss,
    normalization,
    pooling,
    recurrent,
    reduction,
    resize,
    sequence,
    shape,
)

TABLE: dict[str, Callable[..., Any]] = {
    **activation.TABLE,
    **arithmetic.TABLE,
    **attention.TABLE,
    **convolution.TABLE,
    **creation.TABLE,
    **indexing.TABLE,
    **logic.TABLE,
    **loss.TABLE,
    **normalization.TABLE,
    **pooling.TABLE,
    **recurrent.TABLE,
    **reduction.TABLE,
    **resize.TABLE,
    **sequence.TABLE,
    **shape.TABLE,
}
"""The function of every node type."""

CONTROL: dict[str, Callable[..., Any]] = control.CONTROL
"""As `TABLE`, for nodes that contain graphs; they also get all values that are known."""


def check_inputs(where: str, node: Node) -> None:
    """The node has as many inputs as its function takes, and those that it needs."""
    function, first = (CONTROL[node.op], 2) if node.op in CONTROL else (TABLE[node.op], 1)
    parameters = list(inspect.signature(function).parameters.values())[first:]
    many = any(p.kind == p.VAR_POSITIONAL for p in parameters)
    parameters = [p for p in parameters if p.kind != p.VAR_POSITIONAL]
    needed = [p.default is p.empty for p in parameters]
    if len(node.inputs) < sum(needed) or (len(node.inputs) > len(parameters) and not many):
        most = "or more" if many else f"to {len(parameters)}"
        expected = f"{sum(needed)} {most}"
        raise CheckpointError(where, f"the number of inputs of the {node.where}", len(node.inputs), expected)
    for name, parameter, need in zip(node.inputs, parameters, needed, strict=False):
        if need and not name:
            what = f"input {parameter.name} of the {node.where}"
            raise CheckpointError(where, what, "left out", "a value")
