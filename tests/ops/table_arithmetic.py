"""Rows of the tables: functions of one variable, division, extremes, comparison and logic."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

import tinyconv as tc
from tests.ops.cases import Case, Values, broadcast, elementwise, orders, seeds
from tests.ops.op import Op, method
from tinyconv.errors import ArgumentError, DtypeError, ShapeError

limits = st.sampled_from((None, -0.75, 0.25, 1))


@st.composite
def clampings(draw: Any) -> Case:
    """A tensor, and one or two limits that broadcast to its shape (PyTorch refuses larger ones)."""
    shape = draw(array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
    limits = [
        Values(tuple(draw(st.sampled_from((1, n))) for n in shape[draw(st.integers(0, len(shape))) :]))
        for _ in range(draw(st.integers(1, 2)))
    ]
    return Case((Values(shape, order=draw(orders)), *limits), seed=draw(seeds))


def between(clamp: Any) -> Any:
    """Limits that are numbers, not both None."""
    return lambda x, min, max: clamp(x, min=0.5 if min is max is None else min, max=max)


OPS = (
    Op("abs", tc.abs, elementwise("nonzero"), method("abs")),
    Op("sqrt", tc.sqrt, elementwise("positive"), method("sqrt")),
    Op("rsqrt", tc.rsqrt, elementwise("positive"), method("rsqrt")),
    Op("square", tc.square, elementwise(), method("square")),
    Op("reciprocal", tc.reciprocal, elementwise("nonzero"), method("reciprocal")),
    Op("sin", tc.sin, elementwise(), method("sin")),
    Op("cos", tc.cos, elementwise(), method("cos")),
    Op("log1p", tc.log1p, elementwise("positive"), method("log1p")),
    Op("expm1", tc.expm1, elementwise(), method("expm1")),
    Op("sign", tc.sign, elementwise("nonzero"), method("sign")),
    Op("floor", tc.floor, elementwise(), method("floor")),
    Op("ceil", tc.ceil, elementwise(), method("ceil")),
    Op("trunc", tc.trunc, elementwise("nonzero"), method("trunc")),
    Op(
        "round",
        tc.round,
        elementwise(decimals=st.integers(0, 1)),
        lambda torch, x, decimals: torch.round(x, decimals=decimals),
    ),
    Op("maximum", tc.maximum, broadcast("normal", "normal"), method("maximum")),
    Op("minimum", tc.minimum, broadcast("normal", "normal"), method("minimum")),
    Op(
        "clamp",
        between(tc.clamp),
        elementwise(min=limits, max=limits),
        lambda torch, *inputs, **options: between(torch.clamp)(*inputs, **options),
    ),
    Op("clamp", tc.clamp, clampings(), method("clamp")),
    Op(
        "floor_divide",
        tc.floor_divide,
        broadcast("normal", "nonzero"),
        lambda torch, a, b: torch.div(a, b, rounding_mode="floor"),
    ),
    Op("remainder", tc.remainder, broadcast("normal", "nonzero"), method("remainder")),
)

NOT_DIFFERENTIABLE = {
    "all", "allclose", "any", "bitwise_and", "bitwise_not", "bitwise_or", "bitwise_xor", "eq", "equal", "ge",
    "gt", "isclose", "isfinite", "isinf", "isnan", "le", "logical_and", "logical_not", "logical_or",
    "logical_xor", "lt", "ne",
}  # fmt: skip

ROWS, TRUTH, INTS = tc.ones(3, 4), tc.tensor([True, False]), tc.arange(3)

WRONG = [
    ("abs", DtypeError, "input bool", lambda: tc.abs(TRUTH)),
    ("sign", DtypeError, "input list", lambda: tc.sign([1.0])),
    ("sqrt", DtypeError, "input float", lambda: tc.sqrt(2.0)),
    ("rsqrt", DtypeError, "input float", lambda: tc.rsqrt(2.0)),
    ("square", DtypeError, "input int", lambda: tc.square(2)),
    ("reciprocal", DtypeError, "input list", lambda: tc.reciprocal([1.0])),
    ("sin", DtypeError, "input str", lambda: tc.sin("pi")),
    ("cos", DtypeError, "input NoneType", lambda: tc.cos(None)),
    ("log1p", DtypeError, "input float", lambda: tc.log1p(1.0)),
    ("expm1", DtypeError, "input float", lambda: tc.expm1(1.0)),
    ("floor", DtypeError, "input bool", lambda: tc.floor(TRUTH)),
    ("round", ArgumentError, "decimals 1.5", lambda: ROWS.round(1.5)),
    ("maximum", DtypeError, "other float", lambda: tc.maximum(ROWS, 1.0)),
    ("maximum", ShapeError, "(3, 4) and (2,)", lambda: ROWS.maximum(tc.ones(2))),
    ("minimum", DtypeError, "input float", lambda: tc.minimum(1.0, ROWS)),
    ("minimum", ShapeError, "(3, 4) and (4, 3)", lambda: ROWS.minimum(tc.ones(4, 3))),
    ("clamp", ArgumentError, "min max None", lambda: ROWS.clamp()),
    ("clamp", ArgumentError, "'low'", lambda: ROWS.clamp("low")),
    ("clamp", ShapeError, "(3, 4) and (3,)", lambda: ROWS.clamp(0, tc.ones(3))),
    ("clamp", ShapeError, "(1,) and (3,) and (2,)", lambda: tc.ones(1).clamp(tc.ones(3), tc.ones(2))),
    ("clamp", DtypeError, "input list", lambda: tc.clamp([1.0], 0)),
    ("floor_divide", ArgumentError, "other 0", lambda: INTS // 0),
    ("floor_divide", ShapeError, "(3, 4) and (2,)", lambda: ROWS // tc.ones(2)),
    ("remainder", ArgumentError, "other 0", lambda: INTS % INTS),
    ("remainder", ArgumentError, "other 'two'", lambda: ROWS % "two"),
    ("eq", ShapeError, "(3, 4) and (2,)", lambda: tc.eq(ROWS, tc.ones(2))),
    ("ge", DtypeError, "input float", lambda: tc.ge(1.0, 2.0)),
    ("equal", DtypeError, "other list", lambda: tc.equal(ROWS, [1.0])),
    ("allclose", ShapeError, "(3, 4) and (2,)", lambda: tc.allclose(ROWS, tc.ones(2))),
    ("allclose", DtypeError, "other float", lambda: ROWS.allclose(1.0)),
    ("isclose", ArgumentError, "atol -1", lambda: ROWS.isclose(ROWS, atol=-1)),
    ("isclose", ArgumentError, "rtol 'small'", lambda: ROWS.isclose(ROWS, rtol="small")),
    ("isnan", DtypeError, "input float", lambda: tc.isnan(float("nan"))),
    ("isfinite", DtypeError, "input list", lambda: tc.isfinite([1.0])),
    ("bitwise_and", DtypeError, "input float32", lambda: ROWS & ROWS),
    ("bitwise_or", DtypeError, "other float32", lambda: TRUTH | tc.ones(2)),
    ("bitwise_and", DtypeError, "other float64", lambda: TRUTH & np.ones(2)),
    ("bitwise_xor", DtypeError, "other float", lambda: TRUTH ^ 0.5),
    ("bitwise_or", ShapeError, "(2,) and (3,)", lambda: TRUTH | INTS),
    ("bitwise_not", DtypeError, "input float32", lambda: ~ROWS),
    ("logical_and", ShapeError, "(3, 4) and (2,)", lambda: tc.logical_and(ROWS, TRUTH)),
    ("any", ArgumentError, "dim 2", lambda: ROWS.any(2)),
    ("all", DtypeError, "input list", lambda: tc.all([True])),
]
