"""Rows of the tables: cutting up, putting together, rearranging."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

import tinyconv as tc
from tests.ops.cases import Case, Values, one_dim, orders, seeds
from tests.ops.op import Op, method
from tinyconv.errors import ArgumentError, DtypeError, ShapeError


@st.composite
def stacks(draw: Any) -> Case:
    shape = draw(array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))
    values = tuple(Values(shape, order=draw(orders)) for _ in range(draw(st.integers(1, 3))))
    return Case(values, {"dim": draw(st.integers(-len(shape) - 1, len(shape)))}, seed=draw(seeds))


@st.composite
def splits(draw: Any) -> Case:
    case = draw(one_dim(min_dims=1))
    length = case.inputs[0].shape[case.options["dim"]]
    cut = draw(st.integers(0, length))
    sizes = draw(st.sampled_from((1, 2, 3, (cut, length - cut), [length])))
    return Case(case.inputs, {"split_size_or_sections": sizes, **case.options}, seed=case.seed)


@st.composite
def chunks(draw: Any) -> Case:
    case = draw(one_dim(min_dims=1))
    return Case(case.inputs, {"chunks": draw(st.integers(1, 6)), **case.options}, seed=case.seed)


@st.composite
def narrows(draw: Any) -> Case:
    case = draw(one_dim(min_dims=1))
    length = case.inputs[0].shape[case.options["dim"]]
    start = draw(st.integers(-length, length - 1))
    count = draw(st.integers(0, length - start % length))
    return Case(case.inputs, {**case.options, "start": start, "length": count}, seed=case.seed)


@st.composite
def with_dims(draw: Any, name: str = "dims", shifts: bool = False) -> Case:
    """Some dimensions, each once, as a tuple; with `shifts` one int for each, or one for all."""
    shape = draw(array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4))
    dims = tuple(draw(st.sets(st.integers(-len(shape), -1))))
    options: dict[str, Any] = {name: dims}
    if shifts:
        options["shifts"] = tuple(draw(st.integers(-5, 5)) for _ in dims)
        if not dims or draw(st.integers(0, 4)) == 0:
            options = {"shifts": draw(st.integers(-9, 9))}
    return Case((Values(shape, order=draw(orders)),), options, seed=draw(seeds))


@st.composite
def triangles(draw: Any) -> Case:
    shape = draw(array_shapes(min_dims=2, max_dims=4, min_side=0, max_side=4))
    return Case(
        (Values(shape, order=draw(orders)),), {"diagonal": draw(st.integers(-4, 4))}, seed=draw(seeds)
    )


@st.composite
def repeats(draw: Any, fewer: bool = False) -> Case:
    shape = draw(array_shapes(min_dims=0, max_dims=3, min_side=1, max_side=3))
    count = draw(st.integers(0 if fewer else len(shape), len(shape) + 1))
    options = {"counts": tuple(draw(st.integers(0, 2)) for _ in range(count))}
    return Case((Values(shape, order=draw(orders)),), options, seed=draw(seeds))


@st.composite
def moves(draw: Any) -> Case:
    shape = draw(array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=3))
    count = draw(st.integers(1, len(shape)))
    source, destination = (draw(st.permutations(range(len(shape))))[:count] for _ in range(2))
    options = {"source": tuple(source), "destination": tuple(d - len(shape) for d in destination)}
    if count == 1 and draw(st.booleans()):
        options = {name: dims[0] for name, dims in options.items()}
    return Case((Values(shape, order=draw(orders)),), options, seed=draw(seeds))


@st.composite
def like(draw: Any, other: str) -> Case:
    """A tensor, and a constant of a shape that it can be expanded or viewed as."""
    shape = draw(array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3))
    if other == "view":
        target = tuple(reversed(shape))
    else:
        target = (2, *(3 if n == 1 else n for n in shape))
    return Case((Values(shape, order=draw(orders)),), {}, (Values(target),), draw(seeds))


@st.composite
def grids(draw: Any) -> Case:
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    values = tuple(Values((n,), order=draw(orders)) for n in sizes)
    return Case(values, {"indexing": draw(st.sampled_from(("ij", "xy")))}, seed=draw(seeds))


@st.composite
def any_shape(draw: Any) -> Case:
    shape = draw(array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3))
    return Case((Values(shape, order=draw(orders)),), seed=draw(seeds))


@st.composite
def few_dims(draw: Any) -> Case:
    shape = draw(array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=4))
    return Case((Values(shape, order=draw(orders)),), seed=draw(seeds))


def keywords(name: str) -> Any:
    return lambda torch, x, **options: getattr(torch, name)(x, **options)


OPS = (
    Op(
        "stack",
        lambda *xs, dim: tc.stack(xs, dim),
        stacks(),
        lambda torch, *xs, dim: torch.stack(xs, dim),
    ),
    Op(
        "split",
        tc.split,
        splits(),
        lambda _, x, split_size_or_sections, dim: x.split(split_size_or_sections, dim),
    ),
    Op("chunk", tc.chunk, chunks(), method("chunk")),
    Op("unbind", tc.unbind, one_dim(min_dims=1), method("unbind")),
    Op("narrow", tc.narrow, narrows(), method("narrow")),
    Op("flip", lambda x, dims: tc.flip(x, dims=dims), with_dims(), method("flip")),
    Op("roll", tc.roll, with_dims(shifts=True), keywords("roll")),
    Op("tril", tc.tril, triangles(), method("tril")),
    Op("triu", tc.triu, triangles(), method("triu")),
    Op("repeat", lambda x, counts: x.repeat(counts), repeats(), lambda _, x, counts: x.repeat(counts)),
    Op(
        "tile", lambda x, counts: tc.tile(x, counts), repeats(fewer=True), lambda _, x, counts: x.tile(counts)
    ),
    Op(
        "repeat_interleave",
        lambda x, chunks, dim: tc.repeat_interleave(x, chunks, dim),
        chunks(),
        lambda torch, x, chunks, dim: torch.repeat_interleave(x, chunks, dim),
    ),
    Op(
        "select",
        lambda x, start, length, dim: tc.select(x, dim, start),
        narrows(),
        lambda torch, x, start, length, dim: torch.select(x, dim, start),
    ),
    Op("movedim", tc.movedim, moves(), method("movedim")),
    Op("t", tc.t, few_dims(), method("t")),
    Op("ravel", tc.ravel, any_shape(), method("ravel")),
    Op("expand_as", tc.Tensor.expand_as, like("expand"), lambda _, x, other: x.expand_as(other)),
    Op("view_as", tc.Tensor.view_as, like("view"), lambda _, x, other: x.reshape(other.shape)),
    Op(
        "meshgrid",
        lambda *xs, indexing: tc.stack(tc.meshgrid(*xs, indexing=indexing)),
        grids(),
        lambda torch, *xs, indexing: torch.stack(torch.meshgrid(*xs, indexing=indexing)),
    ),
)

ROWS, POINT = tc.ones(3, 4), tc.tensor(1.0)

WRONG = [
    ("stack", ArgumentError, "tensors []", lambda: tc.stack([])),
    ("stack", ShapeError, "tensors[1] (4,) (3, 4)", lambda: tc.stack([ROWS, tc.ones(4)])),
    ("stack", DtypeError, "tensors[1] ndarray", lambda: tc.stack([ROWS, ROWS.numpy()])),
    ("stack", ArgumentError, "dim 3", lambda: tc.stack([ROWS, ROWS], 3)),
    ("split", ArgumentError, "split_size_or_sections 0", lambda: ROWS.split(0)),
    ("split", ArgumentError, "(1, 1) 3", lambda: ROWS.split((1, 1))),
    ("split", ArgumentError, "(4, -1)", lambda: ROWS.split([4, -1])),
    ("split", ArgumentError, "dim 2", lambda: ROWS.split(1, 2)),
    ("split", ShapeError, "input ()", lambda: POINT.split(1)),
    ("chunk", ArgumentError, "chunks 0", lambda: ROWS.chunk(0)),
    ("chunk", ArgumentError, "chunks 1.5", lambda: ROWS.chunk(1.5)),
    ("unbind", ArgumentError, "dim -3", lambda: ROWS.unbind(-3)),
    ("unbind", ShapeError, "input ()", lambda: POINT.unbind()),
    ("narrow", ArgumentError, "start 4", lambda: ROWS.narrow(0, 4, 1)),
    ("narrow", ArgumentError, "length 3 2", lambda: ROWS.narrow(0, 1, 3)),
    ("narrow", ArgumentError, "length -1", lambda: ROWS.narrow(1, 1, -1)),
    ("narrow", ArgumentError, "start 0.5", lambda: ROWS.narrow(1, 0.5, 1)),
    ("flip", ArgumentError, "dim 2", lambda: ROWS.flip(2)),
    ("flip", ArgumentError, "dim (0, 0) once", lambda: ROWS.flip(0, 0)),
    ("flip", ArgumentError, "dims (1,) once", lambda: ROWS.flip(0, dims=(1,))),
    ("flip", DtypeError, "input list", lambda: tc.flip([1], 0)),
    ("roll", ArgumentError, "shifts (1, 2)", lambda: ROWS.roll((1, 2), 0)),
    ("roll", ArgumentError, "shifts (1, 2)", lambda: ROWS.roll((1, 2))),
    ("roll", ArgumentError, "shifts 0.5", lambda: ROWS.roll(0.5, 0)),
    ("roll", ArgumentError, "dim 2", lambda: ROWS.roll(1, 2)),
    ("tril", ShapeError, "input (4,) H", lambda: tc.ones(4).tril()),
    ("triu", ArgumentError, "diagonal 1.5", lambda: ROWS.triu(1.5)),
    ("repeat", ArgumentError, "repeats (2,)", lambda: ROWS.repeat(2)),
    ("repeat", ArgumentError, "repeats (2, -1)", lambda: ROWS.repeat(2, -1)),
    ("tile", ArgumentError, "dims 1.5", lambda: ROWS.tile(1.5)),
    ("repeat_interleave", ArgumentError, "repeats -1", lambda: ROWS.repeat_interleave(-1)),
    ("repeat_interleave", ArgumentError, "dim 2", lambda: ROWS.repeat_interleave(2, 2)),
    ("repeat_interleave", ArgumentError, "repeats 1.5", lambda: ROWS.repeat_interleave(1.5)),
    ("select", ArgumentError, "index 3 -3 to 2", lambda: ROWS.select(0, 3)),
    ("select", ShapeError, "input ()", lambda: POINT.select(0, 0)),
    ("movedim", ArgumentError, "destination (0, 1)", lambda: ROWS.movedim(0, (0, 1))),
    ("movedim", ArgumentError, "dim 2", lambda: ROWS.movedim(2, 0)),
    ("movedim", ArgumentError, "(0, 0) once", lambda: ROWS.movedim((0, 0), (0, 1))),
    ("t", ShapeError, "input (1, 3, 4)", lambda: ROWS[None].t()),
    ("ravel", DtypeError, "input list", lambda: tc.ravel([1.0])),
    ("expand_as", DtypeError, "other tuple", lambda: ROWS.expand_as((3, 4))),
    ("expand_as", ShapeError, "(3, 4) and (3,)", lambda: ROWS.expand_as(tc.ones(3))),
    ("view_as", DtypeError, "other tuple", lambda: ROWS.view_as((12,))),
    ("view_as", ShapeError, "other (5,) 12", lambda: ROWS.view_as(tc.ones(5))),
    ("meshgrid", ShapeError, "tensors[0] (3, 4)", lambda: tc.meshgrid(ROWS, tc.ones(2))),
    ("meshgrid", ArgumentError, "indexing 'yx'", lambda: tc.meshgrid(tc.ones(2), indexing="yx")),
    ("meshgrid", ArgumentError, "tensors ()", lambda: tc.meshgrid()),
    ("meshgrid", DtypeError, "tensors[1] int", lambda: tc.meshgrid(tc.ones(2), 3)),
]
