"""Rows of the tables: margins between classes, distances of one's own, distances of all pairs."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

import tinyconv as tc
import tinyconv.nn.functional as F
from tests.ops.cases import Case, Values, orders, reductions, seeds, with_reduction
from tests.ops.op import Op
from tests.ops.table_loss import (
    margins,
    signed_twin,
    vectors,
    weighted,
    weighted_twin,
    widths,
    wrong_pairs,
)
from tinyconv.errors import ArgumentError, DtypeError, ShapeError


@st.composite
def scores(draw: Any) -> Case:
    """Scores with class numbers, sometimes class weights."""
    classes, lead = draw(st.integers(1, 5)), draw(st.sampled_from(((), (1,), (3,))))
    weight = [Values((classes,), "positive")] if draw(st.booleans()) else []
    options = {"p": draw(st.sampled_from((1, 2))), "margin": draw(margins), "reduction": draw(reductions)}
    target = Values(lead, f"classes {classes}", draw(orders))
    return Case((Values((*lead, classes), order=draw(orders)),), options, (target, *weight), draw(seeds))


@st.composite
def several_right(draw: Any) -> Case:
    """Scores with lists of class numbers; some numbers become the -1 that ends a list."""
    classes, lead = draw(st.integers(1, 5)), draw(st.sampled_from(((), (1,), (3,))))
    shape, options = (*lead, classes), {"reduction": draw(reductions)}
    constants = Values(shape, f"classes {classes}", draw(orders)), Values(shape, "bool")
    return Case((Values(shape, order=draw(orders)),), options, constants, draw(seeds))


def ended(loss: Any) -> Any:
    return lambda x, t, end, **options: loss(x, tc.where(end, -1, t), **options)


def ended_twin(torch: Any, x: Any, t: Any, end: Any, **options: Any) -> Any:
    return torch.nn.functional.multilabel_margin_loss(x, torch.where(end, -1, t), **options)


def signed_floats(x: Any, sign: Any, **options: Any) -> Any:
    return F.soft_margin_loss(x, tc.where(sign, 1.0, -1.0).astype(x.dtype), **options)


def city_block(a: Any, b: Any) -> Any:
    return (a - b).abs().sum(-1)


@st.composite
def signs(draw: Any) -> Case:
    case = draw(with_reduction("normal", "normal"))
    return Case(case.inputs[:1], case.options, (Values(case.inputs[0].shape, "bool"),), case.seed)


@st.composite
def many_labels(draw: Any) -> Case:
    shape = draw(st.sampled_from(((3,), (2, 4), (1, 1), (2, 3, 2))))
    weight = [Values(draw(st.sampled_from((shape, shape[-1:]))), "positive")] if draw(st.booleans()) else []
    pair = Values(shape, order=draw(orders)), Values(shape, "probability", draw(orders))
    return Case((*pair, *weight), {"reduction": draw(reductions)}, (), draw(seeds))


@st.composite
def rows(draw: Any) -> Case:
    shape = draw(st.integers(0, 5)), draw(st.integers(1, 3))
    options = {"p": draw(st.sampled_from((1.0, 2.0, 3.0, float("inf"))))}
    return Case((Values(shape, order=draw(orders)),), options, seed=draw(seeds))


def all_pairs(torch: Any, x: Any, p: float) -> Any:
    """PyTorch's; its backward ends the process where there are no rows."""
    return torch.pdist(x, p) if len(x) else x.flatten()


OPS = (
    Op("multi_margin_loss", weighted(F.multi_margin_loss), scores(), weighted_twin("multi_margin_loss")),
    Op("multilabel_margin_loss", ended(F.multilabel_margin_loss), several_right(), ended_twin),
    Op("soft_margin_loss", signed_floats, signs(), signed_twin("soft_margin_loss")),
    Op(
        "multilabel_soft_margin_loss",
        weighted(F.multilabel_soft_margin_loss),
        many_labels(),
        weighted_twin("multilabel_soft_margin_loss"),
    ),
    Op(
        "triplet_margin_with_distance_loss",
        lambda *xs, **o: F.triplet_margin_with_distance_loss(*xs, distance_function=city_block, **o),
        vectors(3, margin=widths, swap=st.booleans()),
        lambda torch, *xs, **o: torch.nn.functional.triplet_margin_with_distance_loss(
            *xs, distance_function=city_block, **o
        ),
    ),
    Op("pdist", F.pdist, rows(), all_pairs),
)

IMAGE, ROWS, CLASSES = tc.ones(2, 4, 5, 6), tc.ones(3, 4), tc.tensor([0, 1, 3])
LISTS = tc.tensor([[0, 1, -1, 9]] * 3)

WRONG = [
    *wrong_pairs("soft_margin_loss"),
    *wrong_pairs("multilabel_soft_margin_loss"),
    (
        "multi_margin_loss",
        ShapeError,
        "input (2, 4, 5, 6) (N, C)",
        lambda: F.multi_margin_loss(IMAGE, CLASSES),
    ),
    ("multi_margin_loss", ShapeError, "input (3, 0)", lambda: F.multi_margin_loss(tc.zeros(3, 0), CLASSES)),
    ("multi_margin_loss", ShapeError, "target (2,) (3,)", lambda: F.multi_margin_loss(ROWS, CLASSES[:2])),
    ("multi_margin_loss", DtypeError, "target float32", lambda: F.multi_margin_loss(ROWS, tc.ones(3))),
    ("multi_margin_loss", ArgumentError, "target 4 3", lambda: F.multi_margin_loss(ROWS, CLASSES + 1)),
    ("multi_margin_loss", ArgumentError, "p 3 2", lambda: F.multi_margin_loss(ROWS, CLASSES, p=3)),
    (
        "multi_margin_loss",
        ShapeError,
        "weight (3,) (4,)",
        lambda: F.multi_margin_loss(ROWS, CLASSES, weight=tc.ones(3)),
    ),
    (
        "multi_margin_loss",
        ArgumentError,
        "reduce True reduction",
        lambda: F.multi_margin_loss(ROWS, CLASSES, reduce=True),
    ),
    ("multilabel_margin_loss", ShapeError, "target (3,)", lambda: F.multilabel_margin_loss(ROWS, CLASSES)),
    ("multilabel_margin_loss", DtypeError, "target float32", lambda: F.multilabel_margin_loss(ROWS, ROWS)),
    ("multilabel_margin_loss", DtypeError, "input int64", lambda: F.multilabel_margin_loss(LISTS, LISTS)),
    ("multilabel_margin_loss", ShapeError, "input ()", lambda: F.multilabel_margin_loss(ROWS[0, 0], LISTS)),
    (
        "multilabel_margin_loss",
        ArgumentError,
        "target -2 3",
        lambda: F.multilabel_margin_loss(ROWS, LISTS * 0 - 2),
    ),
    (
        "multilabel_soft_margin_loss",
        ShapeError,
        "weight (3,)",
        lambda: F.multilabel_soft_margin_loss(ROWS, ROWS, tc.ones(3)),
    ),
    (
        "multilabel_soft_margin_loss",
        ShapeError,
        "input ()",
        lambda: F.multilabel_soft_margin_loss(ROWS[0, 0], ROWS[0, 0]),
    ),
    (
        "triplet_margin_with_distance_loss",
        ShapeError,
        "negative (4,)",
        lambda: F.triplet_margin_with_distance_loss(ROWS, ROWS, ROWS[0]),
    ),
    (
        "triplet_margin_with_distance_loss",
        ArgumentError,
        "margin 0",
        lambda: F.triplet_margin_with_distance_loss(ROWS, ROWS, ROWS, margin=0),
    ),
    (
        "triplet_margin_with_distance_loss",
        ArgumentError,
        "distance_function 2",
        lambda: F.triplet_margin_with_distance_loss(ROWS, ROWS, ROWS, distance_function=2),
    ),
    ("pdist", ShapeError, "input (2, 4, 5, 6) (N, D)", lambda: F.pdist(IMAGE)),
    ("pdist", DtypeError, "input int64", lambda: F.pdist(LISTS)),
    ("pdist", ArgumentError, "p 0", lambda: F.pdist(ROWS, 0)),
]
