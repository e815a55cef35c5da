"""The place of a replay in the graph: one node for all that the step did."""

from __future__ import annotations

from typing import Any

from tinyconv.autograd import Function
from tinyconv.capture.program import Code
from tinyconv.errors import GraphError
from tinyconv.function import edge_to
from tinyconv.grad_mode import _grad_mode, is_grad_enabled
from tinyconv.tensor import Tensor


class CapturedStep(Function):
    """What a replay computed; its backward replays the backward that was recorded with it."""

    code: Code
    needed: tuple[list[Tensor], list[Tensor], Any] | None
    versions: list[tuple[Tensor, int]]

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        given = tuple([grad is not None for grad in grads])
        if ctx.needed is None:
            raise GraphError(
                "backward",
                "the graph of a captured step",
                "already freed",
                "one backward per graph, or retain_graph=True in the first",
            )
        if is_grad_enabled():
            raise GraphError("backward", "create_graph", True, "False for what tc.compile has captured")
        if any(tensor.version.count != count for tensor, count in ctx.versions):
            raise GraphError(
                "backward",
                "a tensor that the captured step kept",
                "changed in place since then",
                "the values that it saw: change a clone(), or change it only after backward",
            )
        inputs, state, saved = ctx.needed
        if not _grad_mode.retain_graph:
            ctx.needed = None  # so that the arrays are dropped one by one, each after its last use
        needed = list(saved)
        del saved
        found = ctx.code.backward[given](inputs, state, needed, grads)
        return tuple([None if array is None else Tensor(array) for array in found])

    def release(self) -> None:
        self.needed = None


def attach(code: Code, leaves: list[Tensor], outputs: list[Tensor], needed: Any, kept: list[Tensor]) -> None:
    """Make `outputs` those of one node, with an edge to each of `leaves`.

    With ``needed=None`` the step itself went back through its graph, and the node says so.
    """
    node = CapturedStep()
    node.code, node.needed = code, needed
    node.set_materialize_grads(False)
    node.versions = [(tensor, tensor.version.count) for tensor in kept]
    node.edges = tuple([edge_to(leaf) for leaf in leaves])
    node.needs_input_grad = (True,) * len(leaves)
    node._input_shapes = tuple([leaf.array.shape for leaf in leaves])
    node._outputs_like = tuple([_like(output) for output in outputs])
    for index, output in enumerate(outputs):
        output.requires_grad, output.grad_fn, output.output_index = True, node, index


def _like(tensor: Tensor) -> Any:
    from tinyconv.device import array_module

    return array_module(tensor.array), tensor.array.shape, tensor.array.dtype
