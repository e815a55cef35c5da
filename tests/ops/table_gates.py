"""Rows of the tables: gates, shrinking functions, and functions that draw random numbers."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

import tinyconv as tc
import tinyconv.nn.functional as F
from tests.ops.cases import Case, Values, elementwise, images, one_dim, orders, seeds
from tests.ops.op import Op, functional
from tinyconv.errors import ArgumentError, DtypeError, ShapeError


@st.composite
def halves(draw: Any) -> Case:
    shape = list(draw(array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=3)))
    dim = draw(st.integers(0, len(shape) - 1))
    shape[dim] *= 2
    options = {"dim": dim - draw(st.sampled_from((0, len(shape))))}
    return Case((Values(tuple(shape), order=draw(orders)),), options, seed=draw(seeds))


def hardsigmoid(torch: Any, x: Any) -> Any:
    """PyTorch's value; its gradient is that of 1/6 in float32, also for float64."""
    exact = torch.nn.functional.relu6(x * 4 + 3) / 6
    return exact + (torch.nn.functional.hardsigmoid(x * 4) - exact).detach()


def seeded(function: Any) -> Any:
    def call(*inputs: Any, **options: Any) -> Any:
        tc.manual_seed(3)
        return function(*inputs, **options)

    return call


widths = st.sampled_from((0.05, 0.0, 0.07))
slopes = {"lower": st.sampled_from((0.125, -0.5)), "upper": st.sampled_from((0.125, 0.4))}

OPS = (
    Op("hardsigmoid", lambda x: F.hardsigmoid(x * 4), images("nonzero"), hardsigmoid),
    Op(
        "hardswish",
        lambda x: F.hardswish(x * 4),
        images("nonzero"),
        lambda torch, x: torch.nn.functional.hardswish(x * 4),
    ),
    Op("mish", F.mish, elementwise(), functional("mish")),
    Op("glu", F.glu, halves(), functional("glu")),
    Op(
        "threshold",
        F.threshold,
        images("nonzero", threshold=widths, value=st.sampled_from((2.5, -1))),
        functional("threshold"),
    ),
    Op("hardshrink", F.hardshrink, images("nonzero", lambd=widths), functional("hardshrink")),
    Op("softshrink", F.softshrink, images("nonzero", lambd=widths), functional("softshrink")),
    Op("tanhshrink", F.tanhshrink, elementwise(), functional("tanhshrink")),
    Op("softsign", F.softsign, images("nonzero"), functional("softsign")),
    Op("rrelu", seeded(F.rrelu), images("nonzero", training=st.booleans(), **slopes), None),
    Op("gumbel_softmax", seeded(F.gumbel_softmax), one_dim(), None),
)

IMAGE, ROWS, INTS = tc.ones(2, 4, 5, 6), tc.ones(3, 5), tc.ones(2, 4, 5, 6, dtype="int64")

WRONG = [
    ("hardsigmoid", DtypeError, "input int64", lambda: F.hardsigmoid(INTS)),
    ("hardswish", DtypeError, "input list", lambda: F.hardswish([1.0])),
    ("mish", DtypeError, "input int64", lambda: F.mish(INTS)),
    ("glu", ShapeError, "input (3, 5) even -1", lambda: F.glu(ROWS)),
    ("glu", ShapeError, "input ()", lambda: F.glu(tc.tensor(1.0))),
    ("glu", ArgumentError, "dim 2", lambda: F.glu(ROWS, 2)),
    ("glu", DtypeError, "input int64", lambda: F.glu(INTS)),
    ("threshold", DtypeError, "input int64", lambda: F.threshold(INTS, 0.5, 0.0)),
    ("threshold", ArgumentError, "threshold None", lambda: F.threshold(IMAGE, None, 0.0)),
    ("threshold", ArgumentError, "value '0'", lambda: F.threshold(IMAGE, 0.5, "0")),
    ("hardshrink", ArgumentError, "lambd '1'", lambda: F.hardshrink(IMAGE, "1")),
    ("hardshrink", DtypeError, "input int64", lambda: F.hardshrink(INTS)),
    ("softshrink", ArgumentError, "lambd -0.5 0", lambda: F.softshrink(IMAGE, -0.5)),
    ("softshrink", ArgumentError, "lambd nan", lambda: F.softshrink(IMAGE, float("nan"))),
    ("softshrink", DtypeError, "input int64", lambda: F.softshrink(INTS)),
    ("tanhshrink", DtypeError, "input int64", lambda: F.tanhshrink(INTS)),
    ("softsign", DtypeError, "input int64", lambda: F.softsign(INTS)),
    ("rrelu", DtypeError, "input int64", lambda: F.rrelu(INTS)),
    ("rrelu", ArgumentError, "lower 0.5 0.25", lambda: F.rrelu(IMAGE, 0.5, 0.25)),
    ("rrelu", ArgumentError, "upper None", lambda: F.rrelu(IMAGE, 0.5, None)),
    ("gumbel_softmax", DtypeError, "logits int64", lambda: F.gumbel_softmax(INTS)),
    ("gumbel_softmax", ArgumentError, "tau 0", lambda: F.gumbel_softmax(ROWS, 0)),
    ("gumbel_softmax", ArgumentError, "dim 2", lambda: F.gumbel_softmax(ROWS, dim=2)),
]
