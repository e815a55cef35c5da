"""Rows of the tables: taking elements by number or mask, and sorting."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

import tinyconv as tc
from tests.ops.cases import Case, Values, broadcast, one_dim, orders, seeds
from tests.ops.op import Op
from tinyconv.errors import ArgumentError, DtypeError, ShapeError


@st.composite
def places(draw: Any, src: bool = False, repeat: bool = True) -> Case:
    """A tensor, with `src` a second one, a dimension and numbers along it; one only if none may `repeat`."""
    shape = draw(array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4))
    axis = draw(st.integers(0, len(shape) - 1))
    sizes = tuple(draw(st.integers(1, (5 if repeat else 1) if d == axis else n)) for d, n in enumerate(shape))
    inputs = [Values(shape, order=draw(orders))]
    if src:
        inputs.append(Values(tuple(n + draw(st.integers(0, 1)) for n in sizes), order=draw(orders)))
    options = {"dim": axis - draw(st.sampled_from((0, len(shape))))}
    return Case(tuple(inputs), options, (Values(sizes, f"classes {shape[axis]}", draw(orders)),), draw(seeds))


@st.composite
def selections(draw: Any) -> Case:
    case = draw(one_dim(min_dims=1))
    length = case.inputs[0].shape[case.options["dim"]]
    index = Values((draw(st.integers(0, 5)),), f"classes {length}")
    return Case(case.inputs, case.options, (index,), case.seed)


@st.composite
def along(draw: Any) -> Case:
    """Dimensions other than ``dim`` broadcast both ways."""
    sizes = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    axis = draw(st.integers(0, len(sizes) - 1))
    shapes = [
        tuple(
            draw(st.integers(1, 4)) if d == axis else draw(st.sampled_from((1, n)))
            for d, n in enumerate(sizes)
        )
        for _ in range(2)
    ]
    index = Values(shapes[1], f"classes {shapes[0][axis]}")
    return Case((Values(shapes[0], order=draw(orders)),), {"dim": axis}, (index,), draw(seeds))


@st.composite
def sorts(draw: Any, name: str) -> Case:
    case = draw(one_dim("distinct"))
    shape = case.inputs[0].shape
    options = {**case.options, name: draw(st.booleans())}
    if name == "largest":
        options["k"] = draw(st.integers(1, shape[case.options["dim"]] if shape else 1))
    return Case(case.inputs, options, seed=case.seed)


@st.composite
def masked(draw: Any, value: bool) -> Case:
    """A tensor and a mask that broadcast; with `value` a third, one number."""
    case = draw(broadcast("normal", constants=("bool",)))
    inputs = (*case.inputs, Values(())) if value else case.inputs
    return Case(inputs, {}, case.constants, case.seed)


def first(src: Any, index: Any) -> Any:
    """What scatter_add uses of src; PyTorch's gradient needs it cut to size."""
    return src[tuple(slice(n) for n in index.shape)]


def pair(name: str) -> Any:
    return lambda torch, x, **options: tuple(getattr(torch, name)(x, **options))


OPS = (
    Op(
        "gather",
        lambda x, index, dim: tc.gather(x, dim, index),
        places(),
        lambda torch, x, index, dim: torch.gather(x, dim, index),
    ),
    Op(
        "scatter_add",
        lambda x, src, index, dim: tc.scatter_add(x, dim, index, src),
        places(src=True),
        lambda torch, x, src, index, dim: torch.scatter_add(x, dim, index, first(src, index)),
    ),
    Op(
        "scatter",
        lambda x, src, index, dim: tc.scatter(x, dim, index, src),
        places(src=True, repeat=False),
        lambda torch, x, src, index, dim: torch.scatter(x, dim, index, first(src, index)),
    ),
    Op(
        "index_select",
        lambda x, index, dim: tc.index_select(x, dim, index),
        selections(),
        lambda torch, x, index, dim: torch.index_select(x, dim, index),
    ),
    Op(
        "take_along_dim",
        tc.take_along_dim,
        along(),
        lambda torch, x, index, dim: torch.take_along_dim(x, index, dim),
    ),
    Op(
        "masked_fill",
        lambda x, value, mask: tc.masked_fill(x, mask, value),
        masked(value=True),
        lambda torch, x, value, mask: torch.masked_fill(x, mask, value),
    ),
    Op(
        "masked_select",
        tc.masked_select,
        masked(value=False),
        lambda torch, x, mask: torch.masked_select(x, mask),
    ),
    Op("sort", tc.sort, sorts("descending"), pair("sort")),
    Op("topk", tc.topk, sorts("largest"), pair("topk")),
)

NOT_DIFFERENTIABLE = {"argsort", "nonzero"}

ROWS, TRUTH = tc.ones(3, 4), tc.tensor([True, False])
FIRST = tc.zeros(3, 1, dtype="int64")

WRONG = [
    ("gather", DtypeError, "index float32", lambda: ROWS.gather(1, ROWS)),
    ("gather", ArgumentError, "index 4 0 to 3", lambda: ROWS.gather(1, FIRST + 4)),
    ("gather", ArgumentError, "index -1", lambda: ROWS.gather(1, FIRST - 1)),
    ("gather", ShapeError, "index (3,) (3, 4)", lambda: ROWS.gather(1, FIRST[:, 0])),
    ("gather", ShapeError, "index (4, 1) (3, 4)", lambda: ROWS.gather(1, tc.zeros(4, 1, dtype="int64"))),
    ("gather", ArgumentError, "dim 2", lambda: ROWS.gather(2, FIRST)),
    ("gather", DtypeError, "index list", lambda: ROWS.gather(1, [[0]])),
    ("scatter_add", ShapeError, "src (3,) (3, 1)", lambda: ROWS.scatter_add(1, FIRST, tc.ones(3))),
    ("scatter_add", DtypeError, "float32 float64", lambda: ROWS.scatter_add(1, FIRST, ROWS.double())),
    ("scatter_add", ArgumentError, "index 7", lambda: ROWS.scatter_add(1, FIRST + 7, ROWS)),
    ("scatter_add", DtypeError, "src float", lambda: ROWS.scatter_add(1, FIRST, 1.0)),
    ("scatter", ArgumentError, "index 4 0 to 3", lambda: ROWS.scatter(1, FIRST + 4, 1)),
    ("scatter", ArgumentError, "src 'one'", lambda: ROWS.scatter(1, FIRST, "one")),
    ("scatter", ArgumentError, "src 0.5 int64", lambda: tc.arange(3).scatter(0, FIRST[:, 0], 0.5)),
    ("scatter", ShapeError, "src (3,) (3, 1)", lambda: ROWS.scatter(1, FIRST, tc.ones(3))),
    ("scatter", DtypeError, "float32 float64", lambda: ROWS.scatter(1, FIRST, ROWS.double())),
    ("where", DtypeError, "condition float32", lambda: tc.where(ROWS, 1.0)),
    ("index_select", ArgumentError, "index 3 0 to 2", lambda: ROWS.index_select(0, tc.tensor([3]))),
    ("index_select", ShapeError, "index (3, 1)", lambda: ROWS.index_select(0, FIRST)),
    ("index_select", ShapeError, "input ()", lambda: tc.tensor(1.0).index_select(0, FIRST[0])),
    ("index_select", DtypeError, "index bool", lambda: ROWS.index_select(0, TRUTH)),
    ("take_along_dim", ShapeError, "(3, 4) and (3,)", lambda: ROWS.take_along_dim(FIRST[:, 0], 1)),
    ("take_along_dim", ShapeError, "(2, 1)", lambda: ROWS.take_along_dim(FIRST[:2], 1)),
    ("take_along_dim", ArgumentError, "indices 12", lambda: ROWS.take_along_dim(FIRST + 12)),
    ("masked_fill", DtypeError, "mask float32", lambda: ROWS.masked_fill(ROWS, 0)),
    ("masked_fill", ShapeError, "(3, 4) and (2,)", lambda: ROWS.masked_fill(TRUTH, 0)),
    ("masked_fill", ShapeError, "value (4,)", lambda: ROWS.masked_fill(ROWS > 0, tc.ones(4))),
    ("masked_fill", ArgumentError, "value 'x'", lambda: ROWS.masked_fill(ROWS > 0, "x")),
    ("masked_fill", ArgumentError, "value 0.5 int64", lambda: tc.arange(2).masked_fill(TRUTH, 0.5)),
    ("masked_fill", ArgumentError, "value nan", lambda: tc.arange(2).masked_fill(TRUTH, float("nan"))),
    ("masked_select", DtypeError, "mask int64", lambda: ROWS.masked_select(FIRST)),
    ("masked_select", ShapeError, "(3, 4) and (2,)", lambda: ROWS.masked_select(TRUTH)),
    ("nonzero", DtypeError, "input list", lambda: tc.nonzero([1])),
    ("sort", ArgumentError, "dim 2", lambda: ROWS.sort(2)),
    ("argsort", DtypeError, "input list", lambda: tc.argsort([1.0])),
    ("topk", ArgumentError, "k 5 0 to 4", lambda: ROWS.topk(5)),
    ("topk", ArgumentError, "k 1.5", lambda: ROWS.topk(1.5)),
    ("topk", ArgumentError, "dim -3", lambda: ROWS.topk(1, -3)),
]
