"""The losses: their rows of the tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

import tinyconv as tc
import tinyconv.nn.functional as F
from tests.ops.cases import Case, Values, orders, reductions, seeds
from tests.ops.op import Op, functional
from tinyconv.errors import ArgumentError, DtypeError, ShapeError, TinyconvError


def weighted(loss: Callable[..., Any]) -> Callable[..., Any]:
    """The third tensor, if there is one, is the weight."""
    return lambda x, t, weight=None, **options: loss(x, t, weight=weight, **options)


def weighted_twin(name: str) -> Callable[..., Any]:
    return lambda torch, *inputs, **options: weighted(getattr(torch.nn.functional, name))(*inputs, **options)


@st.composite
def likelihoods(draw: Any) -> Case:
    """Log-probabilities with class numbers, sometimes class weights."""
    classes = draw(st.integers(1, 5))
    lead, *spatial = draw(st.sampled_from(((), (3,), (2,), (2, 3), (2, 2, 3), (1, 2, 1, 2)))) or ((),)
    shape = (classes,) if lead == () else (lead, classes, *spatial)
    target = Values(() if lead == () else (lead, *spatial), f"classes {classes}", draw(orders))
    weight = [Values((classes,), "positive")] if draw(st.booleans()) else []
    options = {"reduction": draw(reductions)}
    if options["reduction"] != "mean" and draw(st.booleans()):
        options["ignore_index"] = draw(st.integers(0, classes - 1))
    return Case((Values(shape, order=draw(orders)),), options, (target, *weight), draw(seeds))


@st.composite
def alike(draw: Any, *kinds: str, constants: tuple[str, ...] = (), optional: int = 0, **options: Any) -> Case:
    """Tensors of one shape, the last `optional` of them not always there; `options` are strategies."""
    shape = draw(array_shapes(min_dims=0, max_dims=4, min_side=1, max_side=4))
    count = len(kinds) - draw(st.integers(0, optional))
    inputs = tuple(Values(shape, kind, draw(orders)) for kind in kinds[:count])
    fixed = tuple(Values(shape, kind, draw(orders)) for kind in constants)
    drawn = {"reduction": draw(reductions), **{name: draw(values) for name, values in options.items()}}
    return Case(inputs, drawn, fixed, draw(seeds))


widths = st.sampled_from((0.3, 1.0, 2.5))

OPS = (
    Op("nll_loss", weighted(F.nll_loss), likelihoods(), weighted_twin("nll_loss")),
    Op(
        "l1_loss",
        weighted(F.l1_loss),
        alike("normal", "normal", "positive", optional=1),
        weighted_twin("l1_loss"),
    ),
    Op(
        "smooth_l1_loss",
        F.smooth_l1_loss,
        alike("normal", "normal", beta=st.sampled_from((0.0, 0.3, 1.0, 2.5))),
        functional("smooth_l1_loss"),
    ),
    Op(
        "huber_loss",
        weighted(F.huber_loss),
        alike("normal", "normal", "positive", optional=1, delta=widths),
        weighted_twin("huber_loss"),
    ),
)

IMAGE, MASK, ROWS = tc.ones(2, 4, 5, 6), tc.ones(2, 4, 5, 6) * 0.5, tc.ones(3, 4)
INTS, DOUBLES, CLASSES = tc.ones(2, 4, 5, 6, dtype="int64"), IMAGE.double(), tc.tensor([0, 1, 3])

Wrong = tuple[str, type[TinyconvError], str, Callable[[], Any]]


def wrong_pairs(name: str) -> list[Wrong]:
    """What every loss of a prediction and a target of one shape refuses."""
    loss = getattr(F, name)
    return [
        (name, ShapeError, "target (3, 4) (2, 4, 5, 6)", lambda: loss(IMAGE, ROWS)),
        (name, ShapeError, "target (6,)", lambda: loss(IMAGE, tc.ones(6))),
        (name, DtypeError, "float32 float64", lambda: loss(IMAGE, DOUBLES)),
        (name, DtypeError, "input int64", lambda: loss(INTS, INTS)),
        (name, DtypeError, "target int64", lambda: loss(IMAGE, INTS)),
        (name, DtypeError, "input list", lambda: loss([1.0], IMAGE)),
        (name, ArgumentError, "reduction 'average' 'mean'", lambda: loss(IMAGE, MASK, reduction="average")),
    ]


WRONG: list[Wrong] = [
    row for name in ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss") for row in wrong_pairs(name)
]

WRONG += [
    ("nll_loss", ShapeError, "target (3, 4) (3,)", lambda: F.nll_loss(ROWS, tc.zeros(3, 4, dtype="int64"))),
    ("nll_loss", ShapeError, "target (3,) (2, 5, 6)", lambda: F.nll_loss(IMAGE, CLASSES)),
    ("nll_loss", ShapeError, "input () (C,)", lambda: F.nll_loss(tc.tensor(1.0), tc.tensor(0))),
    ("nll_loss", ShapeError, "input (3, 0)", lambda: F.nll_loss(tc.zeros(3, 0), CLASSES)),
    ("nll_loss", ShapeError, "weight (3,) (4,)", lambda: F.nll_loss(ROWS, CLASSES, tc.ones(3))),
    ("nll_loss", DtypeError, "weight list", lambda: F.nll_loss(ROWS, CLASSES, [1.0] * 4)),
    ("nll_loss", DtypeError, "float64", lambda: F.nll_loss(ROWS, CLASSES, tc.ones(4, dtype="float64"))),
    ("nll_loss", DtypeError, "target float32 integers", lambda: F.nll_loss(ROWS, tc.ones(3))),
    ("nll_loss", DtypeError, "target list", lambda: F.nll_loss(ROWS, [0, 1, 3])),
    ("nll_loss", DtypeError, "input int64", lambda: F.nll_loss(tc.ones(3, 4, dtype="int64"), CLASSES)),
    ("nll_loss", ArgumentError, "target 4 3", lambda: F.nll_loss(ROWS, CLASSES + 1)),
    ("nll_loss", ArgumentError, "target -1", lambda: F.nll_loss(ROWS, CLASSES - 1)),
    ("nll_loss", ArgumentError, "reduction 'max'", lambda: F.nll_loss(ROWS, CLASSES, reduction="max")),
    (
        "cross_entropy",
        ArgumentError,
        "label_smoothing None",
        lambda: F.cross_entropy(ROWS, CLASSES, label_smoothing=None),
    ),
    ("mse_loss", ShapeError, "weight (3, 4)", lambda: F.mse_loss(IMAGE, MASK, weight=ROWS)),
    ("l1_loss", ShapeError, "weight (6,)", lambda: F.l1_loss(IMAGE, MASK, weight=tc.ones(6))),
    ("l1_loss", DtypeError, "weight float64", lambda: F.l1_loss(IMAGE, MASK, weight=DOUBLES)),
    ("smooth_l1_loss", ArgumentError, "beta -1 0", lambda: F.smooth_l1_loss(IMAGE, MASK, beta=-1)),
    ("smooth_l1_loss", ArgumentError, "beta 'a'", lambda: F.smooth_l1_loss(IMAGE, MASK, beta="a")),
    ("huber_loss", ArgumentError, "delta 0", lambda: F.huber_loss(IMAGE, MASK, delta=0)),
    ("huber_loss", ArgumentError, "delta nan", lambda: F.huber_loss(IMAGE, MASK, delta=float("nan"))),
    ("huber_loss", ShapeError, "weight (6,)", lambda: F.huber_loss(IMAGE, MASK, weight=tc.ones(6))),
]
