"""Receptive fields: which pixels of the input an element can depend on, read off the graph.

Each node changes the field of its inputs along each spatial axis as `axis.Axis` says; nodes that
work element by element join those of their inputs. The borders of the image do not count.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, floor, prod
from typing import Any

from tinyconv.autograd import edge_to
from tinyconv.nn.axis import Axis
from tinyconv.tensor import Tensor

Field = tuple[Axis | None, ...]
"""One `Axis` for each spatial dimension, the last ones of the tensor; None where it is not known."""


class ReceptiveFields:
    """The receptive fields of the nodes of a graph, and the multiply-adds of the nodes.

    Parameters
    ----------
    input : Tensor
        The leaf that everything is computed from.
    size : tuple of int
        The input's spatial size.
    """

    def __init__(self, input: Tensor, size: tuple[int, ...]) -> None:
        self.size = size
        root, _ = edge_to(input)
        self.fields: dict[Any, Field | None] = {root: tuple(Axis.identity() for _ in size)}

    def visit(self, tensors: Iterable[Any]) -> int:
        """Look at the nodes that made some tensors; the multiply-adds of those not seen before."""
        stack = [(tensor.grad_fn, False) for tensor in tensors if tensor.grad_fn is not None]
        total = 0
        while stack:
            node, inputs_done = stack.pop()
            if node in self.fields:
                continue
            if inputs_done:
                self.fields[node] = self._field(node)
                total += multiply_adds(node)
            else:
                stack.append((node, True))
                stack.extend((edge[0], False) for edge in node.edges if edge is not None)
        return total

    def of(self, tensor: Any) -> tuple[int, ...] | None:
        """The extent along each axis; None where it is not known, or nothing comes from the input."""
        axes = self.axes(tensor)
        return None if axes is None else tuple(axis.extent for axis in axes)

    def axes(self, tensor: Any) -> tuple[Axis, ...] | None:
        """The field along each axis; None where it is not known, or nothing comes from the input."""
        field = self.fields.get(tensor.grad_fn)
        if not field or any(axis is None for axis in field):
            return None
        return tuple(axis for axis in field if axis is not None)

    def _field(self, node: Any) -> Field | None:
        """The field of a node; None if the input does not reach it."""
        reached: list[tuple[Field, Any]] = [
            (found, shape)
            for edge, shape in zip(node.edges, node._input_shapes, strict=True)
            if edge is not None and (found := self.fields.get(edge[0])) is not None
        ]
        if not reached:
            return None
        (field, shape), out = reached[0], node._outputs_like[0][1]
        count = len(self.size)
        if type(node).__name__ in ("Linear", "MatMul"):
            return tuple(Axis.constant(n) for n in self.size)
        if len(out) <= count:  # (N, features): positions are gone
            reduced = type(node).__name__ in REDUCTIONS
            return tuple(
                Axis.constant(n if reduced else axis.extent) if axis else None
                for n, axis in zip(self.size, field, strict=True)
            )
        result: list[Axis | None] = []
        for index in range(count):
            axes = [one[index] for one, _ in reached]
            if any(axis is None for axis in axes):
                result.append(None)
            elif type(node).__name__ in RULES:
                result.append(RULES[type(node).__name__](node, axes[0], index, shape, out, count, self.size))
            else:
                sizes = [one[index - count] if len(one) > count else 0 for _, one in reached]
                kept = all(n in (out[index - count], 1) for n in sizes)
                result.append(_joined(axes) if kept else None)
        return tuple(result)


def multiply_adds(node: Any) -> int:
    """Multiplications of an input with a weight that a node makes."""
    name, out = type(node).__name__, node._outputs_like[0][1]
    if name not in ("Conv", "ConvTranspose", "Linear", "MatMul"):
        return 0
    x, weight = (tensor.shape for tensor in node.saved_tensors[:2])
    if name == "MatMul":
        return prod(out) * x[-1]
    return prod(x if name == "ConvTranspose" else out) * prod(weight[1:])


def _joined(axes: list[Any]) -> Axis | None:
    result = axes[0]
    for axis in axes[1:]:
        result = result.joined(axis) if result is not None else None
    return result


def _conv(node: Any, axis: Axis, i: int, *_: Any) -> Axis:
    stride, padding, dilation, _groups = node.geometry
    return axis.windowed(node.saved_tensors[1].shape[2 + i], stride[i], padding[i], dilation[i])


def _conv_transpose(node: Any, axis: Axis, i: int, *_: Any) -> Axis:
    stride, padding, dilation, _groups = node.geometry
    return axis.spread(node.saved_tensors[1].shape[2 + i], stride[i], padding[i], dilation[i])


def _max_pool(node: Any, axis: Axis, i: int, *_: Any) -> Axis:
    return axis.windowed(*(values[i] for values in node.geometry[:4]))


def _avg_pool(node: Any, axis: Axis, i: int, *_: Any) -> Axis:
    kernel, stride, padding = (values[i] for values in node.geometry[:3])
    return axis.windowed(kernel, stride, padding, 1)


def _adaptive(
    node: Any, axis: Axis, i: int, shape: Any, out: Any, count: int, size: tuple[int, ...]
) -> Axis | None:
    taken, given = shape[i - count], out[i - count]
    if given == 1:
        return Axis.constant(size[i])
    if taken % given == 0:
        return axis.windowed(taken // given, taken // given, 0, 1)
    first = [floor(p * taken / given) for p in range(given)]
    return axis.resampled(first, [ceil((p + 1) * taken / given) - 1 for p in range(given)])


def _unpool(node: Any, axis: Axis, i: int, shape: Any, out: Any, count: int, *_: Any) -> Axis | None:
    n, size = shape[i - count], out[i - count]
    factor, rest = divmod(size, n)
    if rest and size // (factor - 1 or size) == n:  # as many windows of another size, or a border of another
        return None
    return axis.spread(factor, factor, 0, 1) if rest < factor else None


def _reduction(
    node: Any, axis: Axis, i: int, shape: Any, out: Any, count: int, size: tuple[int, ...]
) -> Axis | None:
    if len(shape) != len(out):
        return None
    kept = shape[i - count] == out[i - count]
    return axis if kept else Axis.constant(size[i])


def _pad(node: Any, axis: Axis, i: int, shape: Any, out: Any, count: int, *_: Any) -> Axis:
    return axis.windowed(1, 1, -node.back[i - count][0], 1)


def _resample(node: Any, axis: Axis, i: int, shape: Any, out: Any, count: int, *_: Any) -> Axis | None:
    positions, weights, dim = node.map
    if dim % len(out) != len(out) - count + i:
        return axis
    rows = zip(positions.tolist(), weights.tolist(), strict=True)
    used = [[p for p, weight in zip(*row, strict=True) if weight] for row in rows]
    if not all(used):
        return None
    return axis.resampled([min(row) for row in used], [max(row) for row in used])


def _index(node: Any, axis: Axis, i: int, shape: Any, out: Any, count: int, *_: Any) -> Axis | None:
    index = node.index if isinstance(node.index, tuple) else (node.index,)
    if len(shape) != len(out) or not all(isinstance(one, slice) for one in index):
        return None
    dim = len(shape) - count + i
    key: Any = index[dim] if dim < len(index) else slice(None)
    start, _, step = key.indices(shape[dim])
    return axis.windowed(1, step, -start, 1) if step > 0 else None


def _index_scatter(node: Any, axis: Axis, *_: Any) -> Axis | None:
    index = node.index if isinstance(node.index, tuple) else (node.index,)
    from_0 = all(isinstance(key, slice) and not key.start and key.step in (None, 1) for key in index)
    return axis if from_0 else None


def _reshape(
    node: Any, axis: Axis, i: int, shape: Any, out: Any, count: int, size: tuple[int, ...]
) -> Axis | None:
    sees_all = axis == Axis.constant(size[i])  # wherever it is moved to
    return axis if sees_all or tuple(shape[-count:]) == tuple(out[-count:]) else None


def _permute(node: Any, axis: Axis, i: int, shape: Any, out: Any, count: int, *_: Any) -> Axis | None:
    last = tuple(range(len(out) - count, len(out)))
    return axis if tuple(node.inverse[-count:]) == last else None


def _unknown(*_: Any) -> None:
    return None


REDUCTIONS = ("Sum", "Max", "Min", "Amax", "Amin", "Prod")

RULES: dict[str, Any] = {
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "MaxPool": _max_pool,
    "AvgPool": _avg_pool,
    "AdaptiveAvgPool": _adaptive,
    "AdaptiveMaxPool": _adaptive,
    "Unpool": _unpool,
    **dict.fromkeys(REDUCTIONS, _reduction),
    "Pad": _pad,
    "Resample": _resample,
    "Index": _index,
    "IndexScatter": _index_scatter,
    "Reshape": _reshape,
    "Permute": _permute,
    **dict.fromkeys(("Unfold", "Fold", "CumSum", "ConvWeightGrad", "ConvParameterGrads"), _unknown),
}
"""How an op that is not elementwise changes an axis; by the name of its node."""
