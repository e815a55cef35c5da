"""Reverse-mode automatic differentiation: the graph, and the walk back through it.

Each op is a `Function`. Calling ``Op.apply(*inputs)`` runs its `forward` and, when an input
needs a gradient, keeps the Function object as a node of the graph: its `edges` point to the
nodes that made its inputs. A tensor that no op made, a leaf, has an `AccumulateGrad` node.
`backward` visits the nodes in topological order, the last one first, and hands each the
gradient of its outputs; what the node returns is added up along its edges.

`backward` of an op is itself written with ops. With ``create_graph=True`` these ops are
recorded like any others, so higher derivatives come from the same lines.

`tensor.py` and this file are one subject in two files; read them together.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from tinyconv.device import array_module, device_of
from tinyconv.errors import DeviceError, GraphError
from tinyconv.grad_mode import enable_grad, is_grad_enabled, no_grad

if TYPE_CHECKING:
    from tinyconv.tensor import Tensor

Edge = tuple["Function", int]
"""Where a gradient goes: a node, and the index of the output of it that is meant."""


class _SavedOutput:
    """An output kept for backward: without its node, which would be a reference cycle."""

    __slots__ = ("array", "index")

    def __init__(self, array: Any, index: int) -> None:
        self.array = array
        self.index = index


class Function:
    """An op: how to compute it, and how to send gradients back through it.

    Subclasses define two static methods. ``forward(ctx, *inputs)`` receives the inputs as
    they were passed to `apply` (tensors as `Tensor`) and returns an array or a `Tensor`, or a
    tuple of them. ``backward(ctx, *grads)`` receives one gradient `Tensor` per output and
    returns one gradient (or None) per input, computed with ops. ``ctx`` is the node: store
    tensors with ``ctx.save_for_backward`` and anything else as attributes.

    Examples
    --------
    >>> import tinyconv as tc
    >>> class Square(tc.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x
    ...     @staticmethod
    ...     def backward(ctx, grad):
    ...         (x,) = ctx.saved_tensors
    ...         return 2 * x * grad
    >>> x = tc.tensor([3.0], requires_grad=True)
    >>> Square.apply(x).sum().backward()
    >>> x.grad.tolist()
    [6.0]
    """

    edges: tuple[Edge | None, ...] = ()
    needs_input_grad: tuple[bool, ...] = ()
    _input_shapes: tuple[tuple[int, ...] | None, ...] = ()
    _outputs_like: tuple[tuple[ModuleType, tuple[int, ...], Any], ...] = ()
    _saved: tuple[Any, ...] | None = ()

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Any:
        raise NotImplementedError

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        raise NotImplementedError

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep inputs or outputs (tensors or arrays) for `backward`."""
        self._saved = tensors

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What `save_for_backward` kept, as tensors that are still part of the graph."""
        if self._saved is None:
            raise GraphError(
                "backward",
                f"the graph of {self.name}",
                "already freed",
                "one backward per graph, or retain_graph=True in the first",
            )
        return tuple(self._restore(item) for item in self._saved)

    def _restore(self, item: Any) -> Any:
        from tinyconv.tensor import Tensor

        if item is None or isinstance(item, Tensor):
            return item
        if isinstance(item, _SavedOutput):
            output = Tensor(item.array, requires_grad=is_differentiable(item.array))
            output.grad_fn, output.output_index = self, item.index
            return output
        return Tensor(item)

    @property
    def name(self) -> str:
        """The op's name as error messages and graph drawings show it."""
        return type(self).__name__

    @classmethod
    def apply(cls, *inputs: Any) -> Any:
        """Compute the op and, if an input needs a gradient, record it in the graph."""
        from tinyconv.tensor import Tensor

        ctx = cls()
        tensors = [x for x in inputs if isinstance(x, Tensor)]
        _check_same_device(cls.__name__, tensors)
        ctx.needs_input_grad = tuple(isinstance(x, Tensor) and x.requires_grad for x in inputs)
        recording = is_grad_enabled() and any(ctx.needs_input_grad)
        with no_grad():
            result = cls.forward(ctx, *inputs)
        results = result if isinstance(result, tuple) else (result,)
        arrays = [y.array if isinstance(y, Tensor) else y for y in results]
        given = {id(x.array) for x in tensors}
        outputs = tuple(Tensor(array.view() if id(array) in given else array) for array in arrays)
        if recording:
            ctx._record(inputs, outputs)
        return outputs if isinstance(result, tuple) else outputs[0]

    def _record(self, inputs: tuple[Any, ...], outputs: tuple[Tensor, ...]) -> None:
        self.edges = tuple(
            edge_to(x) if needed else None for x, needed in zip(inputs, self.needs_input_grad, strict=True)
        )
        self._input_shapes = tuple(
            x.shape if needed else None for x, needed in zip(inputs, self.needs_input_grad, strict=True)
        )
        self._outputs_like = tuple((array_module(y.array), y.shape, y.dtype) for y in outputs)
        for index, output in enumerate(outputs):
            if is_differentiable(output.array):
                output.requires_grad, output.grad_fn, output.output_index = True, self, index
        self._saved = tuple(self._without_cycle(item, outputs) for item in self._saved or ())

    @staticmethod
    def _without_cycle(item: Any, outputs: tuple[Tensor, ...]) -> Any:
        array = getattr(item, "array", item)
        for index, output in enumerate(outputs):
            if output.array is array:
                return _SavedOutput(array, index)
        return item

    def release(self) -> None:
        """Drop the saved tensors; a second backward through this node then explains itself."""
        if self._saved:
            self._saved = None


def is_differentiable(array: Any) -> bool:
    """Whether gradients flow through arrays of this dtype: floating point only."""
    return array.dtype.kind == "f"


class AccumulateGrad(Function):
    """The node of a leaf tensor: gradients that arrive here are added to its ``.grad``."""

    def __init__(self, leaf: Tensor) -> None:
        self.leaf = leaf
        self._outputs_like = ((array_module(leaf.array), leaf.shape, leaf.dtype),)

    def accumulate(self, grad: Tensor, arrays_in_use: set[int]) -> None:
        """Add `grad` to ``leaf.grad``, which never shares memory with another gradient."""
        if self.leaf.grad is not None:
            self.leaf.grad = self.leaf.grad + grad
        elif _is_shared(grad.array, arrays_in_use):
            self.leaf.grad = grad.clone()
        else:
            self.leaf.grad = grad


def _is_shared(array: Any, arrays_in_use: set[int]) -> bool:
    """Whether `array` is a broadcast view, or its memory was met before in this pass."""
    owner = id(_owner(array))
    met = owner in arrays_in_use
    arrays_in_use.add(owner)
    return met or 0 in array.strides


def _owner(array: Any) -> Any:
    """The array that `array` is a view of."""
    while getattr(array, "base", None) is not None and hasattr(array.base, "shape"):
        array = array.base
    return array


def edge_to(tensor: Tensor) -> Edge:
    """The node and output index that `tensor` is in the graph."""
    if tensor.grad_fn is not None:
        return (tensor.grad_fn, tensor.output_index)
    node = tensor.accumulator() if tensor.accumulator is not None else None
    if node is None:
        node = AccumulateGrad(tensor)
        tensor.accumulator = weakref.ref(node)
    return (node, 0)


def _check_same_device(op: str, tensors: list[Tensor]) -> None:
    if len(tensors) > 1 and any(type(x.array) is not type(tensors[0].array) for x in tensors[1:]):
        devices = ", ".join(device_of(x.array) for x in tensors)
        raise DeviceError(op, "the inputs' devices", f"({devices})", "all tensors on one device")


def topological_order(roots: Sequence[Function]) -> list[Function]:
    """All nodes that `roots` depend on, each before the nodes that made its inputs.

    Depth-first with an explicit stack: a graph of any depth works, Python's recursion limit
    plays no part.
    """
    finished: list[Function] = []
    seen: set[Function] = set()
    stack: list[tuple[Function, bool]] = [(node, False) for node in roots]
    while stack:
        node, inputs_done = stack.pop()
        if inputs_done:
            finished.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((edge[0], False) for edge in node.edges if edge is not None and edge[0] not in seen)
    finished.reverse()
    return finished


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
    arrays_in_use = {id(_owner(grad.array)) for grad in grads}
    with enable_grad() if create_graph else no_grad():
        for root, grad in zip(roots, grads, strict=True):
            _collect(collected, root, grad)
        for node in topological_order([node for node, _ in roots]):
            arrived = {edge: collected.pop(edge) for edge in _outputs_of(node) if edge in collected}
            kept.update((edge, grad) for edge, grad in arrived.items() if edge in targets)
            if isinstance(node, AccumulateGrad):
                if wanted is None and arrived:
                    node.accumulate(arrived[node, 0], arrays_in_use)
            elif arrived:
                _send_back(node, arrived, collected)
                if not retain_graph:
                    node.release()
    return [kept.get(target) for target in targets]


def _outputs_of(node: Function) -> list[Edge]:
    return [(node, index) for index in range(len(node._outputs_like))]


def _send_back(node: Function, arrived: dict[Edge, Tensor], collected: dict[Edge, Tensor]) -> None:
    """Run ``node.backward`` on the gradients of its outputs and add the results along its edges."""
    grads = [
        arrived[edge] if edge in arrived else _zeros(*like)
        for edge, like in zip(_outputs_of(node), node._outputs_like, strict=True)
    ]
    result = node.backward(node, *grads)
    for edge, grad in zip(node.edges, _checked(node, result), strict=True):
        if edge is not None and grad is not None:
            _collect(collected, edge, grad)


def _collect(collected: dict[Edge, Tensor], edge: Edge, grad: Tensor) -> None:
    before = collected.get(edge)
    collected[edge] = grad if before is None else before + grad


def _checked(node: Function, result: Any) -> tuple[Any, ...]:
    """The gradients that `node.backward` returned: one per input, each of its input's shape."""
    from tinyconv.tensor import Tensor

    grads = result if isinstance(result, tuple) else (result,)
    where = f"{node.name}.backward"
    if len(grads) != len(node.edges):
        count = len(node.edges)
        raise GraphError(where, "the number of gradients", len(grads), f"{count}, one per input of forward")
    for index, (grad, shape) in enumerate(zip(grads, node._input_shapes, strict=True)):
        if grad is not None and not isinstance(grad, Tensor):
            raise GraphError(where, f"gradient {index}", f"a {type(grad).__name__}", "a Tensor or None")
        if grad is not None and shape is not None and grad.shape != shape:
            raise GraphError(where, f"the shape of gradient {index}", grad.shape, f"its input's, {shape}")
    return grads


def _zeros(module: ModuleType, shape: tuple[int, ...], dtype: Any) -> Tensor:
    from tinyconv.tensor import Tensor

    return Tensor(module.zeros(shape, dtype))


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
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
    allow_unused : bool
        Return None, instead of an error, for inputs that the outputs do not depend on.

    Examples
    --------
    >>> import tinyconv as tc
    >>> x = tc.tensor(2.0, requires_grad=True)
    >>> (first,) = tc.autograd.grad(x * x * x, x, create_graph=True)
    >>> (second,) = tc.autograd.grad(first, x)
    >>> first.item(), second.item()
    (12.0, 12.0)
    """
    output_list, input_list = _as_list(outputs), _as_list(inputs)
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
        if gradient is None and not allow_unused:
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

    if not output.requires_grad:
        raise GraphError(
            where, "the output", "not connected to a graph", "a result of tensors that require grad"
        )
    if gradient is None:
        if output.array.size != 1:
            raise GraphError(where, "the output's shape", output.shape, "a scalar, or an explicit gradient")
        return Tensor(array_module(output.array).ones_like(output.array))
    if gradient.shape != output.shape:
        raise GraphError(where, "the gradient's shape", gradient.shape, f"the output's, {output.shape}")
    return gradient


def _as_list(tensors: Any) -> list[Any]:
    return list(tensors) if isinstance(tensors, list | tuple) else [tensors]
