"""The table of ops: what each is called, its twin in PyTorch, and which calls of it to try.

The first ops are listed here; each further family has a file ``table_<family>.py`` beside this one,
with its own `OPS` and, if need be, `NOT_DIFFERENTIABLE`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays, basic_indices, integer_array_indices

import tinyconv as tc
import tinyconv.nn.functional as F
from tests.ops import geometry
from tests.ops.cases import (
    Case,
    Values,
    along_dim,
    broadcast,
    elementwise,
    images,
    one_dim,
    orders,
    seeds,
    with_reduction,
)
from tests.ops.op import Op, functional, method


@st.composite
def reshapes(draw: Any) -> Case:
    sizes = draw(st.lists(st.integers(1, 3), min_size=1, max_size=4))
    target = draw(st.permutations([prod(sizes[:2]), *sizes[2:]]))
    if draw(st.booleans()):
        target[draw(st.integers(0, len(target) - 1))] = -1
    return Case((Values(tuple(sizes), order=draw(orders)),), {"shape": tuple(target)}, seed=draw(seeds))


@st.composite
def permutations(draw: Any) -> Case:
    shape = draw(array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3))
    dims = tuple(d - draw(st.sampled_from((0, len(shape)))) for d in draw(st.permutations(range(len(shape)))))
    return Case((Values(shape, order=draw(orders)),), {"dims": dims}, seed=draw(seeds))


@st.composite
def dim_pairs(draw: Any, *names: str, increasing: bool = False) -> Case:
    shape = draw(array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=3))
    pair = [draw(st.integers(0, len(shape) - 1)) for _ in names]
    pair = [d - draw(st.sampled_from((0, len(shape)))) for d in (sorted(pair) if increasing else pair)]
    options = dict(zip(names, pair, strict=True))
    return Case((Values(shape, order=draw(orders)),), options, seed=draw(seeds))


@st.composite
def expansions(draw: Any) -> Case:
    shape = draw(array_shapes(min_dims=0, max_dims=3, min_side=1, max_side=3))
    sizes = [draw(st.integers(0, 3)) if n == 1 else draw(st.sampled_from((n, -1))) for n in shape]
    lead = draw(st.lists(st.integers(1, 3), max_size=2))
    return Case((Values(shape, order=draw(orders)),), {"size": (*lead, *sizes)}, seed=draw(seeds))


@st.composite
def squeezes(draw: Any, insert: bool) -> Case:
    shape = tuple(draw(st.lists(st.sampled_from((1, 1, 2, 3)), max_size=4)))
    places = len(shape) + 1 if insert else max(len(shape), 1)
    dim: st.SearchStrategy[Any] = st.integers(-places, places - 1)
    if not insert and shape:
        dim = st.one_of(dim, st.sets(st.integers(0, len(shape) - 1)).map(tuple))
    options = {"dim": draw(dim)} if insert or draw(st.booleans()) else {}
    return Case((Values(shape, order=draw(orders)),), options, seed=draw(seeds))


@st.composite
def indexings(draw: Any) -> Case:
    shape = draw(array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4))
    keys = [
        basic_indices(shape, allow_newaxis=True, max_dims=5),
        integer_array_indices(shape),
        arrays(np.bool_, shape),
    ]
    return Case((Values(shape, order=draw(orders)),), {"key": draw(st.one_of(keys))}, seed=draw(seeds))


def take(torch: Any, x: Any, key: Any) -> Any:
    """x[key], with NumPy saying which element goes where."""
    positions = np.arange(x.numel()).reshape(tuple(x.shape))[key]
    return x.reshape(-1)[torch.from_numpy(np.array(positions))]


def seeded_dropout(x: Any, p: float, training: bool = True) -> Any:
    tc.manual_seed(3)
    return F.dropout(x, p, training)


def dice(torch: Any, p: Any, t: Any, smooth: float, reduction: str) -> Any:
    """The formula of the docstring."""
    over = tuple(range(2, p.ndim))
    loss = 1 - (2 * (p * t).sum(over) + smooth) / (p.sum(over) + t.sum(over) + smooth)
    return {"mean": loss.mean, "sum": loss.sum, "none": lambda: loss}[reduction]()


@st.composite
def dices(draw: Any) -> Case:
    shape = draw(array_shapes(min_dims=3, max_dims=5, min_side=1, max_side=3))
    reduction = draw(st.sampled_from(("mean", "sum", "none")))
    options = {"smooth": draw(st.sampled_from((1.0, 0.1))), "reduction": reduction}
    pair = Values(shape, "probability", draw(orders)), Values(shape, "probability", draw(orders))
    return Case(pair, options, seed=draw(seeds))


def weighted(loss: Callable[..., Any]) -> Callable[..., Any]:
    """Weights as positional tensors: ``weight``, then ``pos_weight``."""

    def call(x: Any, t: Any, weight: Any = None, pos_weight: Any = None, **options: Any) -> Any:
        more = {} if pos_weight is None else {"pos_weight": pos_weight}
        return loss(x, t, weight=weight, **more, **options)

    return call


def weighted_twin(name: str) -> Callable[..., Any]:
    return lambda torch, *inputs, **options: weighted(getattr(torch.nn.functional, name))(*inputs, **options)


slopes = st.sampled_from((0.01, 0.1, 0.0, 1.0))
alphas = st.sampled_from((1.0, 0.5, 2.0))
probabilities = st.sampled_from((0.0, 0.1, 0.5, 1.0))

FIRST = (
    Op("add", tc.add, broadcast("normal", "normal"), method("add")),
    Op("sub", tc.sub, broadcast("normal", "normal"), method("sub")),
    Op("mul", tc.mul, broadcast("normal", "normal"), method("mul")),
    Op("div", tc.div, broadcast("normal", "nonzero"), method("div")),
    Op("pow", tc.pow, broadcast("positive", "normal"), method("pow")),
    Op("neg", tc.neg, elementwise(), method("neg")),
    Op("exp", tc.exp, elementwise(), method("exp")),
    Op("log", tc.log, elementwise("positive"), method("log")),
    Op(
        "where",
        lambda a, b, condition: tc.where(condition, a, b),
        broadcast("normal", "normal", constants=("bool",)),
        lambda torch, a, b, condition: torch.where(condition, a, b),
    ),
    Op("matmul", tc.matmul, geometry.matrices(), method("matmul")),
    Op("linear", F.linear, geometry.linears(), functional("linear")),
    Op("sum", tc.sum, along_dim(), method("sum")),
    Op("mean", tc.mean, along_dim(min_side=1), method("mean")),
    Op(
        "amax",
        tc.amax,
        along_dim("distinct", min_side=1),
        lambda torch, x, dim, keepdim: torch.amax(x, tuple(range(x.ndim)) if dim is None else dim, keepdim),
    ),
    Op(
        "max",
        tc.max,
        one_dim("distinct"),
        lambda torch, x, dim: tuple(torch.max(x, dim)),
    ),
    Op("reshape", lambda x, shape: tc.reshape(x, shape), reshapes(), method("reshape")),
    Op("permute", lambda x, dims: tc.permute(x, dims=dims), permutations(), method("permute")),
    Op("transpose", tc.transpose, dim_pairs("dim0", "dim1"), method("transpose")),
    Op("expand", lambda x, size: tc.expand(x, size), expansions(), lambda _, x, size: x.expand(size)),
    Op("flatten", tc.flatten, dim_pairs("start_dim", "end_dim", increasing=True), method("flatten")),
    Op("squeeze", tc.squeeze, squeezes(insert=False), method("squeeze")),
    Op("unsqueeze", tc.unsqueeze, squeezes(insert=True), method("unsqueeze")),
    Op("clone", tc.Tensor.clone, elementwise(), method("clone")),
    Op("contiguous", tc.Tensor.contiguous, elementwise(), lambda _, x: x.contiguous()),
    Op("cat", lambda *xs, dim: tc.cat(xs, dim), geometry.joins(), lambda torch, *xs, dim: torch.cat(xs, dim)),
    Op("index", lambda x, key: x[key], indexings(), take),
    Op("relu", F.relu, images("nonzero"), functional("relu")),
    Op("leaky_relu", F.leaky_relu, images("nonzero", negative_slope=slopes), functional("leaky_relu")),
    Op("elu", F.elu, images("nonzero", alpha=alphas), functional("elu")),
    Op("sigmoid", F.sigmoid, elementwise(), method("sigmoid")),
    Op("tanh", F.tanh, elementwise(), method("tanh")),
    Op("softmax", F.softmax, one_dim(), functional("softmax")),
    Op("log_softmax", F.log_softmax, one_dim(), functional("log_softmax")),
    Op("conv2d", F.conv2d, geometry.convolutions(), functional("conv2d")),
    Op(
        "conv_transpose2d",
        F.conv_transpose2d,
        geometry.transposed_convolutions(),
        functional("conv_transpose2d"),
    ),
    Op("max_pool2d", F.max_pool2d, geometry.pools("distinct"), functional("max_pool2d")),
    Op("avg_pool2d", F.avg_pool2d, geometry.pools("normal"), functional("avg_pool2d")),
    Op(
        "max_unpool2d",
        lambda x, i, **options: F.max_unpool2d(x, i, **options),
        geometry.unpools(),
        (lambda torch, x, i, **options: torch.nn.functional.max_unpool2d(x, i, **options)),
    ),
    Op("dropout", seeded_dropout, images(p=probabilities, training=st.booleans()), None),
    Op("cross_entropy", weighted(F.cross_entropy), geometry.class_losses(), weighted_twin("cross_entropy")),
    Op(
        "binary_cross_entropy",
        weighted(F.binary_cross_entropy),
        with_reduction("probability", "probability", weights=1),
        weighted_twin("binary_cross_entropy"),
    ),
    Op(
        "binary_cross_entropy_with_logits",
        weighted(F.binary_cross_entropy_with_logits),
        with_reduction("normal", "probability", weights=2),
        weighted_twin("binary_cross_entropy_with_logits"),
    ),
    Op("mse_loss", F.mse_loss, with_reduction("normal", "normal"), functional("mse_loss")),
    Op("dice_loss", F.dice_loss, dices(), dice),
    Op("astype", lambda x: x.astype("float64"), elementwise(), lambda _, x: x.double()),
    Op("to", lambda x: (2 * x).to("cpu"), elementwise(), lambda _, x: (2 * x).to("cpu")),
)

FIRST_NOT_DIFFERENTIABLE = {
    "arange", "argmax", "as_tensor", "eye", "from_numpy", "full", "ones", "ones_like", "rand", "randint",
    "randn", "tensor", "zeros", "zeros_like",
}  # fmt: skip
"""What `tinyconv.ops` exports besides differentiable functions."""

FAMILIES = [
    import_module(f"tests.ops.{file.stem}") for file in sorted(Path(__file__).parent.glob("table_*.py"))
]
OPS = (*FIRST, *(op for family in FAMILIES for op in family.OPS))
NOT_DIFFERENTIABLE = FIRST_NOT_DIFFERENTIABLE.union(
    *(getattr(family, "NOT_DIFFERENTIABLE", set()) for family in FAMILIES)
)
