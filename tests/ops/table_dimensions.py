"""Rows of the tables: dimensions divided, joined, widened and turned."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

import tinyconv as tc
from tests.ops.cases import Case, Values, broadcast, one_dim, orders, seeds
from tests.ops.op import Op, method
from tinyconv.errors import ArgumentError, DtypeError, ShapeError


@st.composite
def divisions(draw: Any) -> Case:
    sizes = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    around = draw(array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3))
    axis = draw(st.integers(0, len(around) - 1))
    length = 1
    for n in sizes:
        length *= n
    if draw(st.booleans()):
        sizes[draw(st.integers(0, len(sizes) - 1))] = -1
    shape = (*around[:axis], length, *around[axis + 1 :])
    return Case((Values(shape, order=draw(orders)),), {"dim": axis, "sizes": tuple(sizes)}, seed=draw(seeds))


@st.composite
def cuts(draw: Any) -> Case:
    case = draw(one_dim(min_dims=1))
    places = st.lists(st.integers(-6, 6), max_size=3)
    options = {**case.options, "indices_or_sections": draw(st.one_of(st.integers(1, 6), places.map(tuple)))}
    return Case(case.inputs, options, seed=case.seed)


@st.composite
def turns(draw: Any) -> Case:
    shape = draw(array_shapes(min_dims=2, max_dims=4, min_side=1, max_side=3))
    dims = tuple(draw(st.permutations(range(len(shape)))))[:2]
    return Case((Values(shape, order=draw(orders)),), {"k": draw(st.integers(-3, 5)), "dims": dims}, (), 1)


@st.composite
def joins(draw: Any, axis: int, vectors: bool = True) -> Case:
    """Tensors that differ along `axis` only, or vectors."""
    shape = draw(array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=3))
    shapes = [(*shape[:axis], draw(st.integers(0, 3)), *shape[axis + 1 :]) for _ in range(3)]
    if draw(st.booleans()):
        shapes = [(draw(st.integers(1, 3)),) if vectors else (2,) for _ in range(2)]
    return Case(tuple(Values(s, order=draw(orders)) for s in shapes), seed=draw(seeds))


def listed(function: Any) -> Any:
    return lambda *xs: function(xs)


def listed_twin(name: str) -> Any:
    return lambda torch, *xs: getattr(torch, name)(xs)


def multiplied(x: Any, y: Any) -> Any:
    assert x.shape == y.shape
    return x * y


pictures = one_dim(min_dims=2).map(lambda case: Case(case.inputs, seed=case.seed))

OPS = (
    Op("unflatten", tc.unflatten, divisions(), method("unflatten")),
    Op(
        "tensor_split",
        tc.tensor_split,
        cuts(),
        lambda torch, x, dim, indices_or_sections: torch.tensor_split(x, indices_or_sections, dim),
    ),
    Op("hstack", listed(tc.hstack), joins(1), listed_twin("hstack")),
    Op("vstack", listed(tc.vstack), joins(0, vectors=False), listed_twin("vstack")),
    Op("column_stack", listed(tc.column_stack), joins(1, vectors=False), listed_twin("column_stack")),
    Op(
        "broadcast_to",
        lambda x, y: tc.broadcast_to(x, (x + y).shape) * y,
        broadcast("normal", "normal"),
        lambda torch, x, y: torch.broadcast_to(x, (x + y).shape) * y,
    ),
    Op(
        "broadcast_tensors",
        lambda x, y: multiplied(*tc.broadcast_tensors(x, y)),
        broadcast("normal", "normal"),
        lambda torch, x, y: multiplied(*torch.broadcast_tensors(x, y)),
    ),
    Op("fliplr", tc.fliplr, pictures, method("fliplr")),
    Op("flipud", tc.flipud, pictures, method("flipud")),
    Op("rot90", tc.rot90, turns(), method("rot90")),
)

NOT_DIFFERENTIABLE = {"is_floating_point", "is_tensor", "numel"}

ROWS, POINT = tc.ones(3, 4), tc.tensor(1.0)

WRONG = [
    ("unflatten", ShapeError, "sizes (3, 3) 4", lambda: ROWS.unflatten(1, (3, 3))),
    ("unflatten", ShapeError, "sizes (-1, -1)", lambda: ROWS.unflatten(1, (-1, -1))),
    ("unflatten", ArgumentError, "dim 2", lambda: ROWS.unflatten(2, (2, 2))),
    ("unflatten", ArgumentError, "sizes 1.5", lambda: ROWS.unflatten(1, (1.5, 2))),
    ("tensor_split", ArgumentError, "indices_or_sections 0", lambda: ROWS.tensor_split(0)),
    ("tensor_split", ShapeError, "input ()", lambda: POINT.tensor_split(1)),
    ("hstack", ArgumentError, "tensors []", lambda: tc.hstack([])),
    ("hstack", DtypeError, "tensors[1] int", lambda: tc.hstack([ROWS, 3])),
    ("cat", ShapeError, "tensors[1] (2,)", lambda: tc.hstack([ROWS, tc.ones(2)])),
    ("vstack", ArgumentError, "tensors Tensor", lambda: tc.vstack(tc.tensor([1.0]))),
    ("column_stack", DtypeError, "tensors[0] list", lambda: tc.column_stack([[1.0]])),
    ("broadcast_to", ShapeError, "size (3, 5) (3, 4)", lambda: ROWS.broadcast_to((3, 5))),
    ("broadcast_to", DtypeError, "input list", lambda: tc.broadcast_to([1.0], (2,))),
    ("broadcast_tensors", ShapeError, "(3, 4) and (2,)", lambda: tc.broadcast_tensors(ROWS, tc.ones(2))),
    ("fliplr", ShapeError, "input (4,)", lambda: tc.ones(4).fliplr()),
    ("flipud", ShapeError, "input ()", lambda: POINT.flipud()),
    ("rot90", ArgumentError, "dims (0, 0)", lambda: ROWS.rot90(1, (0, 0))),
    ("rot90", ArgumentError, "k 0.5", lambda: ROWS.rot90(0.5)),
]
