"""Rows of the tables: angles, logarithms to other bases, and small formulas."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import Any

from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

import tinyconv as tc
from tests.ops.cases import Case, Values, broadcast, elementwise, one_dim, orders, seeds
from tests.ops.op import Op, method
from tests.ops.table_products import products
from tests.ops.table_reduction import with_option
from tinyconv.errors import ArgumentError, DtypeError, ShapeError

values = st.sampled_from((1, 0.5, -2))


def keyword(name: str) -> Any:
    """PyTorch's function with its options by name."""
    return lambda torch, *xs, **options: getattr(torch, name)(*xs, **options)


@st.composite
def sums_of_products(draw: Any, batch: str) -> Case:
    case = draw(products(batch + "nm", batch + "mp"))
    (*lead, n, _), p = case.inputs[0].shape, case.inputs[1].shape[-1]
    shape = draw(st.sampled_from(((*lead, n, p), (1, p), (n, 1), (p,), ())))
    options = {"beta": draw(values), "alpha": draw(values)}
    return replace(case, inputs=(Values(shape, order=draw(orders)), *case.inputs), options=options)


@st.composite
def differences(draw: Any) -> Case:
    case = draw(one_dim(min_dims=1))
    return replace(case, options={**case.options, "n": draw(st.integers(0, 3))})


@st.composite
def rows(draw: Any) -> Case:
    lead = draw(array_shapes(min_dims=1, max_dims=1, min_side=1, max_side=2)) if draw(st.booleans()) else ()
    n, m, features = (draw(st.integers(1, 3)) for _ in range(3))
    inputs = (Values((*lead, n, features), order=draw(orders)), Values((*lead, m, features)))
    return Case(inputs, {"p": draw(st.sampled_from((1.0, 2.0, 3.0, inf)))}, seed=draw(seeds))


OPS = (
    Op("tan", tc.tan, elementwise("probability"), method("tan")),
    Op("atan", tc.atan, elementwise(), method("atan")),
    Op("asin", tc.asin, elementwise("probability"), method("asin")),
    Op("acos", tc.acos, elementwise("probability"), method("acos")),
    Op("sinh", tc.sinh, elementwise(), method("sinh")),
    Op("cosh", tc.cosh, elementwise(), method("cosh")),
    Op("log2", tc.log2, elementwise("positive"), method("log2")),
    Op("log10", tc.log10, elementwise("positive"), method("log10")),
    Op("exp2", tc.exp2, elementwise(), method("exp2")),
    Op("atan2", tc.atan2, broadcast("nonzero", "nonzero"), method("atan2")),
    Op("fmod", tc.fmod, broadcast("normal", "nonzero"), method("fmod")),
    Op("frac", tc.frac, elementwise("nonzero"), method("frac")),
    Op("addcmul", tc.addcmul, with_option(broadcast(*["normal"] * 3), value=values), keyword("addcmul")),
    Op(
        "addcdiv",
        tc.addcdiv,
        with_option(broadcast("normal", "normal", "nonzero"), value=values),
        keyword("addcdiv"),
    ),
    Op("lerp", tc.lerp, broadcast("normal", "normal", "probability"), method("lerp")),
    Op("lerp", tc.lerp, with_option(broadcast("normal", "normal"), weight=values), keyword("lerp")),
    Op("addmm", tc.addmm, sums_of_products(""), keyword("addmm")),
    Op("baddbmm", tc.baddbmm, sums_of_products("b"), keyword("baddbmm")),
    Op("nan_to_num", tc.nan_to_num, elementwise(nan=values), keyword("nan_to_num")),
    Op("cumprod", tc.cumprod, one_dim(), method("cumprod")),
    Op("diff", tc.diff, differences(), keyword("diff")),
    Op("cdist", tc.cdist, rows(), keyword("cdist")),
    Op("nansum", tc.nansum, elementwise(), method("nansum")),
    Op("add", tc.add, with_option(broadcast("normal", "normal"), alpha=values), keyword("add")),
    Op("sub", tc.sub, with_option(broadcast("normal", "normal"), alpha=values), keyword("sub")),
    Op(
        "div",
        tc.div,
        with_option(broadcast("nonzero", "nonzero"), rounding_mode=st.sampled_from(("trunc", "floor", None))),
        keyword("div"),
    ),
)

ROWS, STACK, TRUTH = tc.ones(3, 4), tc.ones(2, 3, 4), tc.tensor([True])

WRONG = [
    *(
        (name, DtypeError, "input float", lambda name=name: getattr(tc, name)(1.0))
        for name in (
            "tan",
            "atan",
            "asin",
            "acos",
            "sinh",
            "cosh",
            "log2",
            "log10",
            "exp2",
        )
    ),
    ("atan2", DtypeError, "input list", lambda: tc.atan2([1.0], ROWS)),
    ("atan2", ShapeError, "(3, 4) and (2,)", lambda: ROWS.atan2(tc.ones(2))),
    ("fmod", ArgumentError, "other 0", lambda: tc.arange(3).fmod(0)),
    ("frac", DtypeError, "input int64", lambda: tc.arange(3).frac()),
    ("addcmul", DtypeError, "tensor2 float", lambda: ROWS.addcmul(ROWS, 2.0)),
    ("addcmul", ArgumentError, "value 'two'", lambda: ROWS.addcmul(ROWS, ROWS, "two")),
    ("addcmul", ShapeError, "(3, 4) and (2,)", lambda: ROWS.addcmul(ROWS, tc.ones(2))),
    ("addcdiv", DtypeError, "tensor1 list", lambda: ROWS.addcdiv([1.0], ROWS)),
    ("lerp", DtypeError, "end float", lambda: ROWS.lerp(1.0, 0.5)),
    ("lerp", ArgumentError, "weight None", lambda: ROWS.lerp(ROWS, None)),
    ("addmm", ShapeError, "mat2 (4,)", lambda: tc.addmm(ROWS, ROWS, tc.ones(4))),
    ("addmm", ShapeError, "input (2, 3, 3) (3, 3)", lambda: tc.addmm(tc.ones(2, 3, 3), ROWS, ROWS.t())),
    ("addmm", ArgumentError, "beta None", lambda: tc.addmm(tc.ones(3), ROWS, ROWS.t(), beta=None)),
    ("baddbmm", ShapeError, "batch1 (3, 4)", lambda: tc.baddbmm(ROWS, ROWS, STACK)),
    ("baddbmm", DtypeError, "input int64", lambda: tc.baddbmm(tc.arange(3), STACK, STACK.transpose(1, 2))),
    ("nan_to_num", ArgumentError, "nan 'zero'", lambda: ROWS.nan_to_num("zero")),
    ("cumprod", ArgumentError, "dim 2", lambda: ROWS.cumprod(2)),
    ("diff", ArgumentError, "n -1", lambda: ROWS.diff(-1)),
    ("diff", ShapeError, "input ()", lambda: tc.tensor(1.0).diff()),
    ("cdist", ShapeError, "(3, 4) and (2, 3, 3)", lambda: tc.cdist(ROWS, STACK[..., :3])),
    ("cdist", ArgumentError, "p -1", lambda: tc.cdist(ROWS, ROWS, -1)),
    ("nansum", ArgumentError, "dim 2", lambda: ROWS.nansum(2)),
    ("add", ArgumentError, "alpha 'two'", lambda: ROWS.add(ROWS, alpha="two")),
    ("sub", ArgumentError, "alpha 0.5 int64", lambda: tc.arange(3).sub(1, alpha=0.5)),
    ("div", ArgumentError, "rounding_mode 'up'", lambda: ROWS.div(2, rounding_mode="up")),
    ("div", ArgumentError, "other 0", lambda: tc.arange(3).div(0, rounding_mode="floor")),
    ("cumsum", DtypeError, "dtype 'float1'", lambda: ROWS.cumsum(0, dtype="float1")),
    ("sum", DtypeError, "dtype 'float1'", lambda: ROWS.sum(dtype="float1")),
    ("mean", DtypeError, "dtype complex64", lambda: ROWS.mean(dtype="complex64")),
]
