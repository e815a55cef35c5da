"""Reverse-mode automatic differentiation: the walk back through the graph.

`function.py` says what the graph is. `run_backward` visits its nodes in topological order, the
last one first, and hands each the gradient of its outputs; what the node returns is added up
along its edges.

`backward` of an op is itself written with ops. With ``create_graph=True`` these ops are
recorded like any others, so higher derivatives come from the same lines.

`tensor.py`, `function.py` and this file are one subject in three files; read them together.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from tinyconv.anomaly import (
    check_finite,
    detect_anomaly,
    is_anomaly_check_nan_enabled,
    is_anomaly_enabled,
    set_detect_anomaly,
)
from tinyconv.device import array_module, matmul_precision, other_gpu
from tinyconv.device_errors import explained
from tinyconv.errors import DtypeError, GraphError, missing_name
from tinyconv.function import AccumulateGrad, Edge, Function, edge_to, is_tensor
from tinyconv.grad_mode import _grad_mode, enable_grad, no_grad
from tinyconv.graph import Graph, graph, topological_order
from tinyconv.memory import owner
from tinyconv.recorder import constant

if TYPE_CHECKING:
    from tinyconv.tensor import Tensor

__all__ = [
    "Function",
    "Graph",
    "backward",
    "detect_anomaly",
    "grad",
    "graph",
    "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled",
    "set_detect_anomaly",
]


def run_backward(
    outputs: Sequence[Tensor],
    grads: Sequence[Tensor],
    wanted: Sequence[Tensor] | None,
    retain_graph: bool,
    create_graph: bool,
) -> list[Tensor | None]:
    """Walk the graph from `outputs` back; return the gradients of the tensors in `wanted`.

    With ``wanted=None`` the gradients are added to ``.grad`` of every leaf instead.
    """
    roots = [edge_to(output) for output in outputs]
    targets = [edge_to(tensor) for tensor in wanted or ()]
    collected: dict[Edge, Tensor] = {}
    kept: dict[Edge, Tensor] = {}
    arrays_in_use = {id(owner(grad.array)) for grad in grads}
    _grad_mode.retain_graph = retain_graph
    with enable_grad() if create_graph else no_grad():
        for root, grad in zip(roots, grads, strict=True):
            _collect(collected, root, grad)
        for node in topological_order([node for node, _ in roots]):
            edges = _outputs_of(node)
            arrived = {edge: collected.pop(edge) for edge in edges if edge in collected}
            if node._hooks:
                arrived = _hooked(node, arrived, targets if wanted is not None else None)
            if targets:
                kept.update((edge, grad) for edge, grad in arrived.items() if edge in targets)
            if isinstance(node, AccumulateGrad):
                if wanted is None and arrived:
                    node.accumulate(arrived[node, 0], arrays_in_use)
            elif arrived:
                _send_back(node, edges, arrived, collected)
                if not retain_graph:
                    node.release()
    return [kept.get(target) for target in targets]


def _hooked(node: Function, arrived: dict[Edge, Tensor], targets: list[Edge] | None) -> dict[Edge, Tensor]:
    """The gradients after the tensors' hooks; those of leaves that nobody asked for are left alone."""
    hooks = node._hooks or {}
    if isinstance(node, AccumulateGrad) and targets is not None and (node, 0) not in targets:
        return arrived
    return {edge: hooks[edge[1]](grad) if edge[1] in hooks else grad for edge, grad in arrived.items()}


def _outputs_of(node: Function) -> list[Edge]:
    return [(node, index) for index in range(len(node._outputs_like))]


def _send_back(
    node: Function, edges: list[Edge], arrived: dict[Edge, Tensor], collected: dict[Edge, Tensor]
) -> None:
    """Run ``node.backward`` on the gradients of its outputs and add the results along its edges."""
    gpu = other_gpu(next(iter(arrived.values())).array)
    if gpu is not None:
        with gpu:
            return _send_back(node, edges, arrived, collected)
    grads = [
        arrived[edge] if edge in arrived else _zeros(*like) if node._zeros_for_missing else None
        for edge, like in zip(edges, node._outputs_like, strict=True)
    ]
    found = _checked(node, _backward_of(node, grads))
    if is_anomaly_check_nan_enabled():
        check_finite(node, found, grads)
    for edge, grad in zip(node.edges, found, strict=True):
        if edge is not None and grad is not None:
            _collect(collected, edge, grad)


def _backward_of(node: Function, grads: list[Tensor | None]) -> Any:
    try:
        if node._precision == matmul_precision.get():
            return node.backward(node, *grads)
        with matmul_precision(node._precision):  # multiply as the forward did
            return node.backward(node, *grads)
    except Exception as error:
        clear = explained(f"{node.name}.backward", error)
        if clear is None:
            raise
        raise clear from error


def _collect(collected: dict[Edge, Tensor], edge: Edge, grad: Tensor) -> None:
    before = collected.get(edge)
    collected[edge] = grad if before is None else before + grad


def _checked(node: Function, result: Any) -> tuple[Any, ...]:
    """The gradients that `node.backward` returned: one per input, each of its input's shape."""
    grads = result if isinstance(result, tuple) else (result,)
    count = len(node.edges)
    if len(grads) > count and all(grad is None for grad in grads[count:]):
        grads = grads[:count]  # for arguments of forward that were left at their defaults
    if len(grads) != count:
        expected = f"{count}, one per input of forward"
        raise GraphError(f"{node.name}.backward", "the number of gradients", len(grads), expected)
    for grad, shape in zip(grads, node._input_shapes, strict=True):
        if grad is not None and (not is_tensor(grad) or (shape is not None and grad.array.shape != shape)):
            _refuse(node, grads)
    return grads


def _refuse(node: Function, grads: tuple[Any, ...]) -> None:
    """Say which gradient is no Tensor, or has another shape than its input."""
    where = f"{node.name}.backward"
    for index, (grad, shape) in enumerate(zip(grads, node._input_shapes, strict=True)):
        if grad is not None and not is_tensor(grad):
            raise GraphError(where, f"gradient {index}", f"a {type(grad).__name__}", "a Tensor or None")
        if grad is not None and shape is not None and grad.shape != shape:
            raise GraphError(where, f"the shape of gradient {index}", grad.shape, f"its input's, {shape}")


@constant
def _zeros(module: ModuleType, shape: tuple[int, ...], dtype: Any) -> Tensor:
    from tinyconv.tensor import Tensor

    return Tensor(module.zeros(shape, dtype))


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool = False,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """Gradients of the sum of `outputs` with respect to `inputs`; ``.grad`` stays as it is.

    Parameters
    ----------
    outputs, inputs : Tensor or sequence of Tensor
    grad_outputs : Tensor or sequence of Tensor, optional
        The vector that the Jacobian is multiplied with; may be left out for scalars.
    retain_graph : bool, optional
        Keep the graph for another pass; by default what `create_graph` is.
    create_graph : bool
        Record the gradient computation, so that it can be differentiated again.
    only_inputs : bool
        Only True makes sense: ``.grad`` of other leaves stays as it is.
    allow_unused : bool
        Return None, instead of an error, for inputs that the outputs do not depend on.
    is_grads_batched : bool
        Only False: call `grad` once per row of `grad_outputs` instead.
    materialize_grads : bool
        Return zeros, instead of None or an error, for inputs that the outputs do not depend on.

    Examples
    --------
    >>> import tinyconv as tc
    >>> x = tc.tensor(2.0, requires_grad=True)
    >>> (first,) = tc.autograd.grad(x * x * x, x, create_graph=True)
    >>> (second,) = tc.autograd.grad(first, x)
    >>> first.item(), second.item()
    (12.0, 12.0)
    """
    if not only_inputs:
        raise GraphError("grad", "only_inputs", only_inputs, "True; backward() adds to .grad of all leaves")
    if is_grads_batched:
        raise GraphError("grad", "is_grads_batched", is_grads_batched, "False; call grad once per row")
    output_list = _tensors("grad", "outputs", outputs)
    input_list = _tensors("grad", "inputs", inputs)
    given = [None] * len(output_list) if grad_outputs is None else _as_list(grad_outputs)
    if len(given) != len(output_list):
        raise GraphError("grad", "the number of grad_outputs", len(given), f"{len(output_list)}, as outputs")
    for index, tensor in enumerate(input_list):
        if not tensor.requires_grad:
            raise GraphError(
                "grad", f"inputs[{index}]", "a tensor without requires_grad", "requires_grad=True"
            )
    starts = [start_gradient("grad", y, g) for y, g in zip(output_list, given, strict=True)]
    retain = create_graph if retain_graph is None else retain_graph
    result = run_backward(output_list, starts, input_list, retain, create_graph)
    for index, gradient in enumerate(result):
        if gradient is None and materialize_grads:
            result[index] = _zeros(*_like(input_list[index]))
        elif gradient is None and not allow_unused:
            raise GraphError(
                "grad",
                f"inputs[{index}]",
                "not used by the outputs",
                "an input of them, or allow_unused=True",
            )
    return tuple(result)


def start_gradient(where: str, output: Tensor, gradient: Tensor | None) -> Tensor:
    """The gradient that the walk back starts with: `gradient`, or 1 for a scalar output."""
    from tinyconv.tensor import Tensor

    if gradient is not None and not isinstance(gradient, Tensor):
        raise DtypeError(
            where, "the gradient", f"a {type(gradient).__name__}", "a Tensor, or None for a scalar"
        )
    if not output.requires_grad:
        raise GraphError(
            where, "the output", "not connected to a graph", "a result of tensors that require grad"
        )
    if gradient is None:
        if output.array.size != 1:
            raise GraphError(where, "the output's shape", output.shape, "a scalar, or an explicit gradient")
        return _one_like(output)
    if gradient.shape != output.shape:
        raise GraphError(where, "the gradient's shape", gradient.shape, f"the output's, {output.shape}")
    return gradient


@constant
def _one_like(output: Tensor) -> Tensor:
    from tinyconv.tensor import Tensor

    return Tensor(array_module(output.array).ones_like(output.array))


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Tensor | Sequence[Tensor] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Add the gradient of the sum of `tensors` to ``.grad`` of every leaf they depend on.

    Parameters
    ----------
    tensors, grad_tensors, retain_graph, create_graph
        As `outputs`, `grad_outputs` and so on of `grad`.
    inputs : Tensor or sequence of Tensor, optional
        Leaves: only these get their gradient.

    Examples
    --------
    >>> import tinyconv as tc
    >>> x = tc.tensor(2.0, requires_grad=True)
    >>> tc.autograd.backward([x * x, 3 * x])
    >>> x.grad.item()
    7.0
    """
    roots = _tensors("backward", "tensors", tensors)
    given = [None] * len(roots) if grad_tensors is None else _as_list(grad_tensors)
    if len(given) != len(roots):
        raise GraphError("backward", "the number of grad_tensors", len(given), f"{len(roots)}, as tensors")
    starts = [start_gradient("backward", y, g) for y, g in zip(roots, given, strict=True)]
    retain = create_graph if retain_graph is None else retain_graph
    if inputs is None:
        run_backward(roots, starts, None, retain, create_graph)
        return
    leaves = _tensors("backward", "inputs", inputs)
    for index, leaf in enumerate(leaves):
        if not leaf.requires_grad or leaf.grad_fn is not None:
            raise GraphError("backward", f"inputs[{index}]", "not a leaf that requires grad", "such a leaf")
    found = run_backward(roots, starts, leaves, retain, create_graph)
    in_use = {id(owner(start.array)) for start in starts}
    for leaf, gradient in zip(leaves, found, strict=True):
        node, _ = edge_to(leaf)
        if gradient is not None and isinstance(node, AccumulateGrad):
            node.accumulate(gradient, in_use)


def _tensors(where: str, name: str, given: Any) -> list[Any]:
    """`given`, one Tensor or several, as a list."""
    from tinyconv.tensor import Tensor

    tensors = _as_list(given)
    for index, tensor in enumerate(tensors):
        if not isinstance(tensor, Tensor):
            raise DtypeError(where, f"{name}[{index}]", f"a {type(tensor).__name__}", "a Tensor")
    return tensors


def _like(tensor: Tensor) -> tuple[ModuleType, tuple[int, ...], Any]:
    return array_module(tensor.array), tensor.shape, tensor.dtype


def _as_list(tensors: Any) -> list[Any]:
    return list(tensors) if isinstance(tensors, list | tuple) else [tensors]


def __getattr__(name: str) -> Any:
    """`gradcheck` and `gradgradcheck`, whose file imports this one."""
    checks = ("gradcheck", "gradgradcheck")
    if name in checks:
        return getattr(import_module("tinyconv.gradcheck"), name)
    raise missing_name("tinyconv.autograd", name, (*__all__, *checks))
