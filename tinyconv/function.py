"""An op and the graph that its calls leave behind.

Each op is a `Function`. Calling ``Op.apply(*inputs)`` runs its `forward` and, when an input
needs a gradient, keeps the Function object as a node of the graph: its `edges` point to the
nodes that made its inputs. A tensor that no op made, a leaf, has an `AccumulateGrad` node.
The walk back through these nodes is in `autograd.py`.
"""

from __future__ import annotations

import weakref
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from tinyconv.anomaly import calling_line
from tinyconv.device import array_module, matmul_precision, other_gpu, refuse_several_devices
from tinyconv.device_errors import explained
from tinyconv.errors import DtypeError, GraphError
from tinyconv.grad_mode import _grad_mode
from tinyconv.hooks import GradientHooks
from tinyconv.memory import Version, owner, share_version

if TYPE_CHECKING:
    from tinyconv.tensor import Tensor

Edge = tuple["Function", int]
"""Where a gradient goes: a node, and the index of the output of it that is meant."""

_Tensor: type[Tensor]


def use_tensor_class(cls: type[Tensor]) -> None:
    """Called once by `tensor.py`, which imports this file and so cannot be imported by it."""
    global _Tensor
    _Tensor = cls


def is_tensor(value: Any) -> bool:
    """Whether it is a Tensor, for files that `tensor.py` imports."""
    return isinstance(value, _Tensor)


class _SavedOutput:
    """An output kept for backward: without its node, which would be a reference cycle."""

    __slots__ = ("array", "index", "version")

    def __init__(self, output: Tensor, index: int) -> None:
        self.array = output.array
        self.index = index
        self.version = output.version


class Function:
    """An op: how to compute it, and how to send gradients back through it.

    Subclasses define two static methods. ``forward(ctx, *inputs)`` receives the inputs as
    they were passed to `apply` (tensors as `Tensor`) and returns an array or a `Tensor`, or a
    tuple of them. ``backward(ctx, *grads)`` receives one gradient `Tensor` per output and
    returns one gradient (or None) per input, computed with ops. ``ctx`` is the node: store
    tensors with ``ctx.save_for_backward`` and anything else as attributes. A class with
    ``setup_context(ctx, inputs, output)`` does that there, and has a ``forward(*inputs)``.

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
    made_at: str = ""
    setup_context: Any = None
    _constant: tuple[Any, ...] = ()
    _zeros_for_missing: bool = True
    _hooks: dict[int, GradientHooks] | None = None
    _precision: str = "float32"
    _input_shapes: tuple[tuple[int, ...] | None, ...] = ()
    _outputs_like: tuple[tuple[ModuleType, tuple[int, ...], Any], ...] = ()
    _saved: tuple[Any, ...] | None = ()
    _counts: tuple[int, ...] = ()

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Any:
        raise NotImplementedError

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        raise NotImplementedError

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep inputs or outputs (tensors or arrays) for `backward`."""
        self._saved = tensors

    def mark_non_differentiable(self, *outputs: Any) -> None:
        """Name those of the outputs that have no gradient; integers have none anyway."""
        self._constant = tuple([getattr(output, "array", output) for output in outputs])

    def mark_dirty(self, *tensors: Any) -> None:
        """Refused: PyTorch's way to say that forward changed an input in place."""
        raise GraphError(
            f"{self.name}.forward", "ctx.mark_dirty", "called", "a new tensor: no op changes its inputs"
        )

    def set_materialize_grads(self, value: bool) -> None:
        """Whether `backward` gets zeros for an output that was not used (so by default), or None."""
        self._zeros_for_missing = value

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
        for index, (item, count) in enumerate(zip(self._saved, self._counts, strict=False)):
            if count >= 0 and item.version.count != count:
                self._refuse_changed(index, item.array.shape)
        return tuple([self._restore(item) for item in self._saved])

    def _refuse_changed(self, index: int, shape: tuple[int, ...]) -> None:
        made = f" at {self.made_at}" if self.made_at else ""
        raise GraphError(
            f"{self.name}.backward",
            f"saved tensor {index}, of shape {shape}, which the forward of {self.name} kept{made},",
            "changed in place since then",
            "the values that forward saw: change a clone(), or change it only after backward",
        )

    def _restore(self, item: Any) -> Any:
        if item is None or isinstance(item, _Tensor):
            return item
        if not isinstance(item, _SavedOutput):
            return _Tensor(item)
        output = _Tensor(item.array, requires_grad=is_differentiable(item.array))
        output.grad_fn = self if output.requires_grad else None
        output.output_index, output.version = item.index, item.version
        return output

    @property
    def name(self) -> str:
        """The op's name as error messages and graph drawings show it."""
        return type(self).__name__

    @classmethod
    def apply(cls, *inputs: Any) -> Any:
        """Compute the op and, if an input needs a gradient, record it in the graph."""
        if _grad_mode.capture is not None:
            return _grad_mode.capture.apply(cls, inputs)
        tensors = [x for x in inputs if isinstance(x, _Tensor)]
        if tensors and type(tensors[0].array) is not np.ndarray:
            gpu = other_gpu(tensors[0].array)
            if gpu is not None:
                with gpu:
                    return cls.apply(*inputs)
        ctx = cls()
        if len(tensors) > 1:
            _check_same_device(cls.__name__, tensors)
        ctx.needs_input_grad = tuple([isinstance(x, _Tensor) and x.requires_grad for x in inputs])
        enabled = _grad_mode.enabled
        _grad_mode.enabled = False
        try:
            if cls.setup_context is None:
                result = cls.forward(ctx, *inputs)
            else:
                result = cls.forward(*inputs)
                cls.setup_context(ctx, inputs, result)
        except Exception as error:
            clear = explained(cls.__name__, error)
            if clear is None:
                raise
            raise clear from error
        finally:
            _grad_mode.enabled = enabled
        results = result if isinstance(result, tuple) else (result,)
        outputs = tuple([_output(ctx, y) for y in results])
        for output in outputs:
            share_version(output, tensors)
        if enabled and True in ctx.needs_input_grad:
            ctx._record(inputs, outputs)
        if _grad_mode.recorder is not None:
            _grad_mode.recorder(cls, inputs, outputs)
        return outputs if isinstance(result, tuple) else outputs[0]

    def _record(self, inputs: tuple[Any, ...], outputs: tuple[Tensor, ...]) -> None:
        edges: list[Edge | None] = []
        shapes: list[tuple[int, ...] | None] = []
        for x, needed in zip(inputs, self.needs_input_grad, strict=True):
            edges.append(edge_to(x) if needed else None)
            shapes.append(x.array.shape if needed else None)
        self.edges, self._input_shapes = tuple(edges), tuple(shapes)
        self._precision = matmul_precision.get()
        self._outputs_like = tuple([(array_module(y.array), y.array.shape, y.array.dtype) for y in outputs])
        for index, output in enumerate(outputs):
            if is_differentiable(output.array) and not _is_one_of(output.array, self._constant):
                output.requires_grad, output.grad_fn, output.output_index = True, self, index
        if self._saved:
            self._saved = tuple([_without_cycle(item, inputs, outputs) for item in self._saved])
            self._counts = tuple([getattr(item, "version", _NEVER).count for item in self._saved])
        if _grad_mode.anomaly[0]:
            self.made_at = calling_line()

    def hooks_of(self, index: int) -> GradientHooks:
        """What is called with the gradient of output `index`; to add to."""
        if self._hooks is None:
            self._hooks = {}
        return self._hooks.setdefault(index, GradientHooks())

    def release(self) -> None:
        """Drop the saved tensors; a second backward through this node then explains itself."""
        if self._saved:
            self._saved = None


def _output(node: Function, value: Any) -> Tensor:
    """What `forward` returned as a new tensor."""
    array = value.array if isinstance(value, _Tensor) else value
    if type(array) is not np.ndarray and not hasattr(array, "dtype"):
        expected = "a Tensor or an array; what only backward needs is kept as an attribute of ctx"
        raise DtypeError(f"{node.name}.forward", "an output", value, expected)
    return _Tensor(array)


class _Never(Version):
    """The version of what is saved but belongs to no tensor: it cannot change."""

    count = -1


_NEVER = _Never()


def _without_cycle(item: Any, inputs: tuple[Any, ...], outputs: tuple[Tensor, ...]) -> Any:
    """What to keep of a saved item: outputs lose their node, which is this one."""
    if item is None or _is_one_of(item, inputs):
        return item
    array = getattr(item, "array", item)
    for index, output in enumerate(outputs):
        if output.array is array:
            return _SavedOutput(output, index)
    return item


def _is_one_of(item: Any, others: tuple[Any, ...]) -> bool:
    """Whether it is the same object; `in` would compare the values of tensors."""
    for other in others:  # noqa: SIM110 - any() takes three times as long here, and this runs for each op
        if item is other:
            return True
    return False


def is_differentiable(array: Any) -> bool:
    """Whether gradients flow through arrays of this dtype: floating point only."""
    return array.dtype.kind == "f"


class AccumulateGrad(Function):
    """The node of a leaf tensor: gradients that arrive here are added to its ``.grad``."""

    def __init__(self, leaf: Tensor) -> None:
        self.leaf = leaf
        self._hooks = leaf.hooks
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
    memory = owner(array)
    met = id(memory) in arrays_in_use
    arrays_in_use.add(id(memory))
    return met or 0 in array.strides


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
    if {type(x.array) for x in tensors} == {np.ndarray}:
        return
    refuse_several_devices(op, [x.array for x in tensors])
