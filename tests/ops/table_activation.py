"""Rows of the tables: activation functions besides those of the first table."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

import tinyconv as tc
import tinyconv.nn.functional as F
from tests.ops.cases import Case, Values, elementwise, images, one_dim, orders, seeds
from tests.ops.op import Op, functional
from tinyconv.errors import ArgumentError, DtypeError, ShapeError


@st.composite
def with_slopes(draw: Any) -> Case:
    """An input without zeros, and one slope or one per channel."""
    shape = tuple(draw(st.lists(st.integers(1, 3), max_size=4)))
    channels = shape[1] if len(shape) > 1 else 1
    slope = draw(st.sampled_from(((), (1,), (channels,))))
    return Case((Values(shape, "nonzero", draw(orders)), Values(slope)), seed=draw(seeds))


@st.composite
def pieces(draw: Any) -> Case:
    shape = draw(st.lists(st.integers(1, 3), min_size=1, max_size=4))
    dim, count = draw(st.integers(0, len(shape) - 1)), draw(st.integers(1, 3))
    shape[dim] *= count
    options = {"pieces": count, "dim": dim - draw(st.sampled_from((0, len(shape))))}
    return Case((Values(tuple(shape), "distinct", draw(orders)),), options, seed=draw(seeds))


def largest_piece(torch: Any, x: Any, pieces: int, dim: int) -> Any:
    parts = [torch.stack(part.unbind(dim)).amax(0) for part in x.split(pieces, dim)]
    return torch.stack(parts, dim)


alphas = st.sampled_from((1.0, 0.5, 2.0))
approximations = st.sampled_from(("none", "tanh"))
limits = {"min_val": st.sampled_from((-1.0, -2, 0.05)), "max_val": st.sampled_from((1.0, 0.5))}
betas = {"beta": st.sampled_from((1.0, 0.5, 3.0)), "threshold": st.sampled_from((20.0, 1.0))}

OPS = (
    Op("hardtanh", F.hardtanh, images("nonzero", **limits), functional("hardtanh")),
    Op(
        "relu6",
        lambda x: F.relu6(x * 4),
        images("nonzero"),
        lambda torch, x: torch.nn.functional.relu6(x * 4),
    ),
    Op("prelu", F.prelu, with_slopes(), functional("prelu")),
    Op("maxout", F.maxout, pieces(), largest_piece),
    Op("selu", F.selu, images("nonzero"), functional("selu")),
    Op("celu", F.celu, images("nonzero", alpha=alphas), functional("celu")),
    Op("gelu", F.gelu, elementwise(approximate=approximations), functional("gelu")),
    Op("silu", F.silu, elementwise(), functional("silu")),
    Op("softplus", F.softplus, elementwise(**betas), functional("softplus")),
    Op("logsigmoid", F.logsigmoid, elementwise(), functional("logsigmoid")),
    Op("softmin", F.softmin, one_dim(), functional("softmin")),
)

IMAGE, ROWS, INTS = tc.ones(2, 4, 5, 6), tc.ones(3, 4), tc.ones(2, 4, 5, 6, dtype="int64")

WRONG = [
    ("hardtanh", DtypeError, "input int64", lambda: F.hardtanh(INTS)),
    ("hardtanh", ArgumentError, "min_val 2 at most 1", lambda: F.hardtanh(IMAGE, 2)),
    ("hardtanh", ArgumentError, "min_val nan", lambda: F.hardtanh(IMAGE, float("nan"))),
    ("hardtanh", ArgumentError, "max_val '1'", lambda: F.hardtanh(IMAGE, 0, "1")),
    ("relu6", DtypeError, "input int64", lambda: F.relu6(INTS)),
    ("prelu", DtypeError, "input int64", lambda: F.prelu(INTS, tc.ones(1))),
    ("prelu", DtypeError, "weight float", lambda: F.prelu(IMAGE, 0.25)),
    ("prelu", DtypeError, "float32 float64", lambda: F.prelu(IMAGE, tc.ones(1, dtype="float64"))),
    ("prelu", ShapeError, "weight (3,) (4,)", lambda: F.prelu(IMAGE, tc.ones(3))),
    ("prelu", ShapeError, "weight (3,) (1,)", lambda: F.prelu(tc.ones(3), tc.ones(3))),
    ("prelu", ShapeError, "weight (4, 1)", lambda: F.prelu(IMAGE, tc.ones(4, 1))),
    ("maxout", ShapeError, "input (2, 4, 5, 6) pieces 3", lambda: F.maxout(IMAGE, 3)),
    ("maxout", ShapeError, "input ()", lambda: F.maxout(tc.tensor(1.0), 1, 0)),
    ("maxout", ArgumentError, "pieces 0", lambda: F.maxout(IMAGE, 0)),
    ("maxout", ArgumentError, "pieces 2.0", lambda: F.maxout(IMAGE, 2.0)),
    ("maxout", ArgumentError, "dim 4", lambda: F.maxout(IMAGE, 2, 4)),
    ("maxout", DtypeError, "input int64", lambda: F.maxout(INTS, 2)),
    ("selu", DtypeError, "input int64", lambda: F.selu(INTS)),
    ("celu", DtypeError, "input int64", lambda: F.celu(INTS)),
    ("celu", ArgumentError, "alpha 0", lambda: F.celu(IMAGE, 0)),
    ("celu", ArgumentError, "alpha None", lambda: F.celu(IMAGE, None)),
    ("gelu", ArgumentError, "approximate 'erf' 'tanh'", lambda: F.gelu(IMAGE, "erf")),
    ("gelu", DtypeError, "input int64", lambda: F.gelu(INTS)),
    ("silu", DtypeError, "input list", lambda: F.silu([1.0])),
    ("softplus", DtypeError, "input int64", lambda: F.softplus(INTS)),
    ("softplus", ArgumentError, "beta 0", lambda: F.softplus(IMAGE, 0)),
    ("softplus", ArgumentError, "threshold '20'", lambda: F.softplus(IMAGE, 1, "20")),
    ("logsigmoid", DtypeError, "input bool", lambda: F.logsigmoid(tc.tensor([True]))),
    ("softmin", ArgumentError, "dim 2", lambda: F.softmin(ROWS, 2)),
    ("softmin", DtypeError, "input int64", lambda: F.softmin(INTS, 1)),
]
