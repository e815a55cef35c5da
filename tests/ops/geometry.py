"""Random windows for convolution and pooling, and random arguments for the ops that move elements."""

from __future__ import annotations

from math import prod
from typing import Any

from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from tests.ops.cases import Case, Values, orders, seeds


def _as_argument(draw: Any, sizes: tuple[int | None, ...]) -> Any:
    """A tuple, or one int where all are the same and Hypothesis feels like it."""
    return sizes[0] if len(set(sizes)) == 1 and draw(st.booleans()) else sizes


def _axes(draw: Any, axis: Any, dims: int) -> list[tuple[int, ...]]:
    """Draw `dims` axes, each a tuple of numbers; return one tuple with a number per axis for each."""
    return list(zip(*[axis(draw) for _ in range(dims)], strict=True))


def _batch(draw: Any) -> tuple[int, ...]:
    """The batch dimension, or none."""
    return draw(st.sampled_from(((0,), (1,), (2,), (3,), ())))


def _conv_axis(draw: Any) -> tuple[int, ...]:
    kernel, dilation = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    padding, stride = draw(st.integers(0, 2)), draw(st.integers(1, 3))
    smallest = max(1, dilation * (kernel - 1) + 1 - 2 * padding)
    return draw(st.integers(smallest, smallest + 4)), kernel, stride, padding, dilation


@st.composite
def convolutions(draw: Any, dims: int = 2) -> Case:
    """Input, weight, sometimes a bias; channels are 1 to 3 per group."""
    size, kernel, stride, padding, dilation = _axes(draw, _conv_axis, dims)
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    options = {name: _as_argument(draw, sizes) for name, sizes in options.items()}
    if draw(st.integers(0, 3)) == 0:
        options["padding"] = "valid" if padding == (0,) * dims else "same"
        if options["padding"] == "same":
            del options["stride"]
    return _operands(draw, size, kernel, options, transposed=False)


def _operands(
    draw: Any, size: tuple[int, ...], kernel: tuple[int, ...], options: dict[str, Any], transposed: bool
) -> Case:
    groups, own, other = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    x = Values((*_batch(draw), own * groups, *size), order=draw(orders))
    first, second = (own, other) if transposed else (other, own)
    weight = Values((first * groups, second, *kernel), order=draw(orders))
    bias = [Values((other * groups,))] if draw(st.booleans()) else []
    return Case((x, weight, *bias), {**options, "groups": groups}, seed=draw(seeds))


def _windows(draw: Any) -> tuple[tuple[int, ...], dict[str, Any], tuple[int, int]]:
    """Size of an image, window options, and how many places and positions the window has."""
    size, kernel, stride, padding, dilation = _axes(draw, _conv_axis, 2)
    options = {"kernel_size": kernel, "dilation": dilation, "padding": padding, "stride": stride}
    options = {name: _as_argument(draw, sizes) for name, sizes in options.items()}
    axes = zip(size, kernel, stride, padding, dilation, strict=True)
    positions = [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in axes]
    return size, options, (prod(kernel), prod(positions))


@st.composite
def unfolds(draw: Any) -> Case:
    """An image and a window."""
    size, options, _ = _windows(draw)
    shape = (*_batch(draw), draw(st.integers(1, 3)), *size)
    return Case((Values(shape, order=draw(orders)),), options, seed=draw(seeds))


@st.composite
def folds(draw: Any) -> Case:
    """The columns of an image and a window."""
    size, options, (places, positions) = _windows(draw)
    shape = (*_batch(draw), draw(st.integers(1, 3)) * places, positions)
    options = {"output_size": _as_argument(draw, size), **options}
    return Case((Values(shape, order=draw(orders)),), options, seed=draw(seeds))


def _transposed_axis(draw: Any) -> tuple[int, ...]:
    kernel, dilation, stride = draw(st.integers(1, 3)), draw(st.integers(1, 2)), draw(st.integers(1, 3))
    size, extra = draw(st.integers(1, 4)), draw(st.integers(0, max(stride, dilation) - 1))
    whole = (size - 1) * stride + dilation * (kernel - 1) + extra + 1
    padding = draw(st.integers(0, min(2, (whole - 1) // 2)))
    return size, kernel, stride, padding, dilation, extra


@st.composite
def transposed_convolutions(draw: Any, dims: int = 2) -> Case:
    """Input, weight, sometimes a bias, with output_padding."""
    size, kernel, stride, padding, dilation, extra = _axes(draw, _transposed_axis, dims)
    options = {"stride": stride, "padding": padding, "dilation": dilation, "output_padding": extra}
    options = {name: _as_argument(draw, sizes) for name, sizes in options.items()}
    return _operands(draw, size, kernel, options, transposed=True)


def _pool_axis(draw: Any) -> tuple[int, ...]:
    kernel, stride = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    padding, dilation = draw(st.integers(0, kernel // 2)), draw(st.integers(1, 2))
    smallest = max(dilation, dilation * (kernel - 1) + 1 - 2 * padding)
    return draw(st.integers(smallest, smallest + 4)), kernel, stride, padding, dilation


def _planes(draw: Any, size: tuple[int, ...]) -> tuple[int, ...]:
    """Some planes of this size, with enough channels for the fast kernels' inner loops."""
    return (*_batch(draw), draw(st.integers(1, 9 if len(size) < 3 else 3)), *size)


@st.composite
def pools(draw: Any, kind: str, dims: int = 2) -> Case:
    """One image with a window; ``dilation`` for max pooling, how to divide for the mean."""
    size, kernel, stride, padding, dilation = _axes(draw, _pool_axis, dims)
    options = {"kernel_size": kernel, "stride": stride, "padding": padding}
    if kind == "distinct":
        options["dilation"] = dilation
    options = {name: _as_argument(draw, sizes) for name, sizes in options.items()}
    if draw(st.booleans()) and stride == kernel:
        del options["stride"]
    options["ceil_mode"] = draw(st.booleans())
    if kind == "distinct":
        options["return_indices"] = draw(st.booleans())
    else:
        options["count_include_pad"] = draw(st.booleans())
        if dims == 3:  # PyTorch has no gradient for a volume smaller than the window
            size = tuple(max(n, k) for n, k in zip(size, kernel, strict=True))
        if dims > 1:
            options["divisor_override"] = draw(st.sampled_from((None, 1, 5, -2)))
    return Case((Values(_planes(draw, size), kind, draw(orders)),), options, seed=draw(seeds))


@st.composite
def adaptive_pools(draw: Any, kind: str, dims: int) -> Case:
    """One image and the size of the output: smaller, equal, larger or left as it is (None)."""
    size = tuple(draw(st.integers(1, 7 if dims < 3 else 4)) for _ in range(dims))
    wanted = tuple(draw(st.integers(1, n + 2)) for n in size)
    if dims > 1 and draw(st.booleans()):
        wanted = (None, *wanted[1:])
    options: dict[str, Any] = {"output_size": _as_argument(draw, wanted)}
    if kind == "distinct":
        options["return_indices"] = draw(st.booleans())
    return Case((Values(_planes(draw, size), kind, draw(orders)),), options, seed=draw(seeds))


@st.composite
def power_pools(draw: Any, dims: int) -> Case:
    """One image of positive numbers, a window and a power."""
    axes = [(draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(0, 3))) for _ in range(dims)]
    kernel, stride, more = (tuple(sizes) for sizes in zip(*axes, strict=True))
    size = tuple(k + m for k, m in zip(kernel, more, strict=True))
    options = {"kernel_size": _as_argument(draw, kernel), "stride": _as_argument(draw, stride)}
    if dims == 1:  # PyTorch takes no tuples here
        options = {"kernel_size": kernel[0], "stride": stride[0]}
    if draw(st.booleans()):
        del options["stride"]
    options = {"norm_type": draw(st.sampled_from((1, 2, 3.0, 2.5, 0.5))), **options}
    options["ceil_mode"] = draw(st.booleans())
    return Case((Values(_planes(draw, size), "positive", draw(orders)),), options, seed=draw(seeds))


@st.composite
def unpools(draw: Any, dims: int = 2) -> Case:
    """Values and different positions in a plane of the default size, or of one more each way."""
    kernel, size = draw(st.integers(2, 3)), tuple(draw(st.integers(1, 4)) for _ in range(dims))
    extra = draw(st.integers(0, 1))
    plane = tuple(n * kernel + extra for n in size)
    shape = _planes(draw, size)
    kind = f"positions {prod(plane)} {dims}"
    indices = Values(shape, kind, draw(st.sampled_from(("C", "channels_last"))))
    options: dict[str, Any] = {"kernel_size": kernel}
    if extra:
        whole = (*shape[:2], *plane) if len(shape) > dims + 1 else plane
        options["output_size"] = draw(st.sampled_from((plane, whole)))
    return Case((Values(shape, order=draw(orders)),), options, (indices,), draw(seeds))


@st.composite
def matrices(draw: Any) -> Case:
    """Matrices, stacks of them that broadcast, and vectors."""
    n, m, p = (draw(st.integers(1, 4)) for _ in range(3))
    stack = draw(
        st.sampled_from((((), ()), ((2,), (2,)), ((2,), ()), ((), (3,)), ((2, 1), (3,)), ((0,), ())))
    )
    a = (*stack[0], n, m) if stack[0] or draw(st.booleans()) else (m,)
    b = (*stack[1], m, p) if stack[1] or draw(st.booleans()) else (m,)
    return Case((Values(a, order=draw(orders)), Values(b, order=draw(orders))), seed=draw(seeds))


@st.composite
def linears(draw: Any) -> Case:
    """Input of any rank, weight, sometimes a bias."""
    lead = draw(array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)) if draw(st.booleans()) else (5,)
    n, m = draw(st.integers(1, 6)), draw(st.integers(1, 20))
    bias = [Values((m,))] if draw(st.booleans()) else []
    weight = Values((m, n), order=draw(orders))
    return Case((Values((*lead, n), order=draw(orders)), weight, *bias), seed=draw(seeds))


@st.composite
def class_losses(draw: Any) -> Case:
    """Logits with class numbers or probabilities, sometimes class weights."""
    classes, batch = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    spatial = draw(st.sampled_from(((), (), (3,), (2, 3))))
    plain = not spatial and draw(st.integers(0, 4)) == 0
    shape = (classes,) if plain else (batch, classes, *spatial)
    options = {
        "reduction": draw(st.sampled_from(("mean", "sum", "none"))),
        "label_smoothing": draw(st.sampled_from((0.0, 0.0, 0.1, 1.0))),
    }
    logits = Values(shape, order=draw(orders))
    weight = [Values((classes,), "positive")] if draw(st.booleans()) else []
    if draw(st.booleans()):
        return Case((logits, Values(shape, "probability", draw(orders))), options, tuple(weight), draw(seeds))
    target = Values(() if plain else (batch, *spatial), f"classes {classes}")
    if options["reduction"] != "mean" and draw(st.booleans()):
        options["ignore_index"] = draw(st.integers(0, classes - 1))
    return Case((logits,), options, (target, *weight), draw(seeds))


@st.composite
def joins(draw: Any) -> Case:
    """One to three tensors that agree but for one dimension."""
    shape = draw(array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4))
    dim = draw(st.integers(-len(shape), len(shape) - 1))
    sizes = draw(st.lists(st.integers(0, 9), min_size=1, max_size=3))
    shapes = [tuple(n if i == dim % len(shape) else m for i, m in enumerate(shape)) for n in sizes]
    return Case(tuple(Values(s, order=draw(orders)) for s in shapes), {"dim": dim}, seed=draw(seeds))
