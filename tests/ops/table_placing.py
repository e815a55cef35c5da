"""Rows of the tables: diagonals, slices put in place, medians and quantiles, counting."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

import tinyconv as tc
from tests.ops.cases import Case, Values, one_dim, orders, seeds
from tests.ops.op import Op, method
from tinyconv.errors import ArgumentError, DtypeError, ShapeError

offsets = st.integers(-3, 3)


@st.composite
def matrices(draw: Any, vectors: bool = False, name: str = "", most: int = 2) -> Case:
    shape = draw(array_shapes(min_dims=1 if vectors else 2, max_dims=most, min_side=1, max_side=4))
    return Case((Values(shape, order=draw(orders)),), {name: draw(offsets)} if name else {}, seed=draw(seeds))


@st.composite
def diagonals(draw: Any) -> Case:
    case = draw(matrices(name="offset", most=4))
    ndim = len(case.inputs[0].shape)
    first, second = draw(st.permutations(range(ndim)))[:2]
    return replace(case, options={**case.options, "dim1": first, "dim2": second - ndim})


@st.composite
def slices(draw: Any, count: int, repeat: bool = True) -> Case:
    """A tensor, `count` more whose slices go into it, a dimension and places along it."""
    case = draw(one_dim(min_dims=1))
    (x,), dim = case.inputs, case.options["dim"] % len(case.inputs[0].shape)
    n = draw(st.integers(0, 4)) if repeat else min(1, x.shape[dim])
    source = Values((*x.shape[:dim], n, *x.shape[dim + 1 :]), order=draw(orders))
    index = Values((n,), f"classes {x.shape[dim]}")
    return replace(case, inputs=(x, *[source] * count), constants=(index,))


@st.composite
def ranks(draw: Any, name: str) -> Case:
    case = draw(one_dim("distinct"))
    shape, options = case.inputs[0].shape, {**case.options, "keepdim": draw(st.booleans())}
    if name == "k":
        options["k"] = draw(st.integers(1, shape[options["dim"]] if shape else 1))
    if name == "q":
        options["q"] = draw(st.sampled_from((0.0, 0.3, 0.5, 1.0, [0.1, 0.7])))
        options["interpolation"] = draw(st.sampled_from(("linear", "lower", "higher", "midpoint")))
        options["dim"] = draw(st.sampled_from((options["dim"], None)))
    return replace(case, options=options)


@st.composite
def windows(draw: Any) -> Case:
    case = draw(one_dim(min_dims=1))
    dim = case.options["dim"]
    size = draw(st.integers(1, case.inputs[0].shape[dim]))
    return replace(case, options={"dimension": dim, "size": size, "step": draw(st.integers(1, 3))})


def pair(name: str) -> Any:
    return lambda torch, x, **options: tuple(getattr(torch, name)(x, **options))


def quantile(torch: Any, x: Any, q: Any, **options: Any) -> Any:
    return torch.quantile(x, torch.tensor(q, dtype=x.dtype), **options)


OPS = (
    Op("diagonal", tc.diagonal, diagonals(), method("diagonal")),
    Op("diag", tc.diag, matrices(vectors=True, name="diagonal"), method("diag")),
    Op("diag_embed", tc.diag_embed, matrices(vectors=True, name="offset", most=3), method("diag_embed")),
    Op("trace", tc.trace, matrices(), method("trace")),
    Op(
        "index_add",
        lambda x, source, index, dim: tc.index_add(x, dim, index, source, alpha=2),
        slices(1),
        lambda torch, x, source, index, dim: torch.index_add(x, dim, index, source, alpha=2),
    ),
    Op(
        "index_copy",
        lambda x, source, index, dim: tc.index_copy(x, dim, index, source),
        slices(1, repeat=False),
        lambda torch, x, source, index, dim: torch.index_copy(x, dim, index, source),
    ),
    Op(
        "index_fill",
        lambda x, index, dim: tc.index_fill(x, dim, index, -3),
        slices(0),
        lambda torch, x, index, dim: torch.index_fill(x, dim, index, -3),
    ),
    Op("median", tc.median, ranks(""), pair("median")),
    Op("median", tc.median, matrices(), lambda torch, x: torch.median(x)),
    Op("kthvalue", tc.kthvalue, ranks("k"), pair("kthvalue")),
    Op("quantile", lambda x, q, **o: tc.quantile(x, tc.tensor(q, dtype=x.dtype), **o), ranks("q"), quantile),
    Op("unfold", lambda x, **o: x.unfold(**o), windows(), lambda _, x, **o: x.unfold(**o)),
)

NOT_DIFFERENTIABLE = {"bincount", "bucketize", "histc", "isin", "searchsorted", "unique"}

ROWS, POINT, FIRST = tc.ones(3, 4), tc.tensor(1.0), tc.tensor([0])

WRONG = [
    ("diagonal", ShapeError, "input (4,)", lambda: tc.ones(4).diagonal()),
    ("diagonal", ArgumentError, "dim1 dim2 (0, -2)", lambda: ROWS.diagonal(0, 0, -2)),
    ("diagonal", ArgumentError, "offset 0.5", lambda: ROWS.diagonal(0.5)),
    ("diag", ShapeError, "input ()", lambda: POINT.diag()),
    ("diag_embed", ShapeError, "input ()", lambda: POINT.diag_embed()),
    ("trace", ShapeError, "input (4,)", lambda: tc.ones(4).trace()),
    ("index_add", ArgumentError, "index 3 0 to 2", lambda: ROWS.index_add(0, FIRST + 3, ROWS[:1])),
    ("index_add", ShapeError, "source (3, 4) (1, 4)", lambda: ROWS.index_add(0, FIRST, ROWS)),
    ("index_add", DtypeError, "float32 float64", lambda: ROWS.index_add(0, FIRST, ROWS[:1].double())),
    ("index_add", ArgumentError, "alpha None", lambda: ROWS.index_add(0, FIRST, ROWS[:1], alpha=None)),
    ("index_copy", ShapeError, "index (1, 1)", lambda: ROWS.index_copy(0, FIRST[None], ROWS[:1])),
    ("index_copy", DtypeError, "index float32", lambda: ROWS.index_copy(0, ROWS[0], ROWS)),
    ("index_fill", ArgumentError, "value 0.5 int64", lambda: tc.arange(3).index_fill(0, FIRST, 0.5)),
    ("index_fill", ArgumentError, "value 'one'", lambda: ROWS.index_fill(0, FIRST, "one")),
    ("index_fill", ShapeError, "input ()", lambda: POINT.index_fill(0, FIRST, 1)),
    ("index_fill", ShapeError, "value (4,)", lambda: ROWS.index_fill(0, FIRST, ROWS[0])),
    ("median", ShapeError, "input (0, 3)", lambda: tc.zeros(0, 3).median(0)),
    ("median", ArgumentError, "dim 2", lambda: ROWS.median(2)),
    ("kthvalue", ArgumentError, "k 5 1 to 4", lambda: ROWS.kthvalue(5)),
    ("kthvalue", ArgumentError, "k 0", lambda: ROWS.kthvalue(0)),
    ("quantile", ArgumentError, "q 1.5", lambda: ROWS.quantile(1.5)),
    ("quantile", ArgumentError, "interpolation 'cubic'", lambda: ROWS.quantile(0.5, interpolation="cubic")),
    ("quantile", DtypeError, "input int64", lambda: tc.arange(3).quantile(0.5)),
    ("quantile", ShapeError, "input (0,)", lambda: tc.zeros(0).quantile(0.5)),
    ("bincount", DtypeError, "input float32", lambda: tc.ones(2).bincount()),
    ("bincount", ArgumentError, "input -1", lambda: (FIRST - 1).bincount()),
    ("bincount", ShapeError, "input (3, 4)", lambda: ROWS.long().bincount()),
    ("bincount", ShapeError, "weights (3, 4)", lambda: FIRST.bincount(ROWS)),
    ("bincount", ArgumentError, "minlength -1", lambda: FIRST.bincount(minlength=-1)),
    ("histc", ArgumentError, "min max 2.0 1.0", lambda: ROWS.histc(4, 2, 1)),
    ("histc", ArgumentError, "bins 0", lambda: ROWS.histc(0)),
    ("histc", DtypeError, "input int64", lambda: FIRST.histc()),
    ("unique", ArgumentError, "dim 2", lambda: ROWS.unique(dim=2)),
    ("searchsorted", ShapeError, "sorted_sequence (3, 4)", lambda: tc.searchsorted(ROWS, 1.0)),
    ("searchsorted", ArgumentError, "input 'x'", lambda: tc.searchsorted(FIRST, "x")),
    ("bucketize", ShapeError, "boundaries ()", lambda: tc.bucketize(ROWS, POINT)),
    ("isin", DtypeError, "test_elements list", lambda: tc.isin(ROWS, [1.0])),
    ("unfold", ArgumentError, "size 5 1 to 4", lambda: ROWS.unfold(1, 5, 1)),
    ("unfold", ArgumentError, "step 0", lambda: ROWS.unfold(1, 2, 0)),
]
