"""Rows of the tables: dropout of whole channels, and dropout that keeps mean and variance."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

import tinyconv as tc
import tinyconv.nn.functional as F
from tests.ops.cases import Case, Values, elementwise, orders, seeds
from tests.ops.op import Op
from tinyconv.errors import ArgumentError, DtypeError, ShapeError

probabilities = st.sampled_from((0.0, 0.1, 0.5, 1.0))


@st.composite
def maps(draw: Any, *ndims: int) -> Case:
    ndim = draw(st.sampled_from(ndims))
    shape = tuple(draw(st.lists(st.integers(0, 4), min_size=ndim, max_size=ndim)))
    options = {"p": draw(probabilities), "training": draw(st.booleans())}
    return Case((Values(shape, order=draw(orders)),), options, seed=draw(seeds))


def _op(name: str, cases: st.SearchStrategy[Case]) -> Op:
    def call(x: Any, p: float, training: bool) -> Any:
        tc.manual_seed(3)
        return getattr(F, name)(x, p, training)

    return Op(name, call, cases, None)


OPS = (
    _op("dropout1d", maps(2, 3)),
    _op("dropout2d", maps(3, 4)),
    _op("dropout3d", maps(4, 5)),
    _op("alpha_dropout", elementwise(p=probabilities, training=st.booleans())),
    _op("feature_alpha_dropout", maps(2, 3, 4)),
)

IMAGE, ROWS, INTS = tc.ones(2, 4, 5, 6), tc.ones(3, 4), tc.ones(2, 4, 5, 6, dtype="int64")

WRONG = [
    ("feature_alpha_dropout", ShapeError, "input (4,) (N, C", lambda: F.feature_alpha_dropout(ROWS[0])),
    ("feature_alpha_dropout", ArgumentError, "p 2", lambda: F.feature_alpha_dropout(IMAGE, 2)),
    ("feature_alpha_dropout", DtypeError, "input int64", lambda: F.feature_alpha_dropout(INTS)),
    ("dropout1d", ShapeError, "input (2, 4, 5, 6) (N, C, L)", lambda: F.dropout1d(IMAGE)),
    ("dropout1d", DtypeError, "input list", lambda: F.dropout1d([1.0])),
    ("dropout2d", ShapeError, "input (3, 4) (N, C, H, W)", lambda: F.dropout2d(ROWS)),
    ("dropout2d", ArgumentError, "p 1.5", lambda: F.dropout2d(IMAGE, 1.5)),
    ("dropout2d", ArgumentError, "p nan", lambda: F.dropout2d(IMAGE, float("nan"))),
    ("dropout2d", DtypeError, "input int64", lambda: F.dropout2d(INTS)),
    ("dropout3d", ShapeError, "input (3, 4) (N, C, D, H, W)", lambda: F.dropout3d(ROWS, training=False)),
    ("dropout3d", ArgumentError, "p -0.1", lambda: F.dropout3d(IMAGE, -0.1)),
    ("alpha_dropout", ArgumentError, "p 2", lambda: F.alpha_dropout(IMAGE, 2)),
    ("alpha_dropout", ArgumentError, "p 'half'", lambda: F.alpha_dropout(IMAGE, "half")),
    ("alpha_dropout", DtypeError, "input int64", lambda: F.alpha_dropout(INTS)),
]
