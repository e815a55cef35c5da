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


@st.composite
def poissons(draw: Any) -> Case:
    """Means, or their logarithms, with counts that need not be whole."""
    log_input = draw(st.booleans())
    case = draw(alike("normal" if log_input else "positive", "positive", full=st.booleans()))
    return Case(case.inputs, {"log_input": log_input, **case.options}, (), case.seed)


@st.composite
def gaussians(draw: Any) -> Case:
    """Means, targets and variances: one each, one along a dimension, or one for the last."""
    shape = draw(array_shapes(min_dims=1, max_dims=3, min_side=2, max_side=4))
    ones = [(*shape[:d], 1, *shape[d + 1 :]) for d in range(len(shape))]
    var = Values(draw(st.sampled_from((shape, shape[:-1], *ones))), "positive")
    options = {"full": draw(st.booleans()), "reduction": draw(reductions)}
    pair = Values(shape, order=draw(orders)), Values(shape, order=draw(orders))
    return Case((*pair, var), options, (), draw(seeds))


@st.composite
def vectors(draw: Any, count: int, signs: bool = False, max_dims: int = 3, **options: Any) -> Case:
    """Vectors (..., D), with `signs` also one truth value for each."""
    shape = draw(array_shapes(min_dims=1, max_dims=max_dims, min_side=1, max_side=4))
    inputs = tuple(Values(shape, order=draw(orders)) for _ in range(count))
    constants = (Values(shape[:-1], "bool"),) if signs else ()
    drawn = {"reduction": draw(reductions), **{name: draw(values) for name, values in options.items()}}
    return Case(inputs, drawn, constants, draw(seeds))


def signed(loss: Callable[..., Any]) -> Callable[..., Any]:
    """The last tensor, of truth values, becomes a target of 1 and -1."""
    return lambda *inputs, **options: loss(*inputs[:-1], tc.where(inputs[-1], 1.0, -1.0), **options)


def signed_twin(name: str) -> Callable[..., Any]:
    return lambda torch, *inputs, **options: getattr(torch.nn.functional, name)(
        *inputs[:-1], torch.where(inputs[-1], 1.0, -1.0).double(), **options
    )


widths = st.sampled_from((0.3, 1.0, 2.5))
margins = st.sampled_from((-0.4, 0.0, 0.5))

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
    Op(
        "kl_div",
        F.kl_div,
        alike(
            "normal",
            "positive",
            log_target=st.booleans(),
            reduction=st.sampled_from(("mean", "batchmean", "sum", "none")),
        ),
        functional("kl_div"),
    ),
    Op("poisson_nll_loss", F.poisson_nll_loss, poissons(), functional("poisson_nll_loss")),
    Op("gaussian_nll_loss", F.gaussian_nll_loss, gaussians(), functional("gaussian_nll_loss")),
    Op(
        "hinge_embedding_loss",
        signed(F.hinge_embedding_loss),
        alike("normal", constants=("bool",), margin=widths),
        signed_twin("hinge_embedding_loss"),
    ),
    Op(
        "margin_ranking_loss",
        signed(F.margin_ranking_loss),
        alike("normal", "normal", constants=("bool",), margin=margins),
        signed_twin("margin_ranking_loss"),
    ),
    Op(
        "triplet_margin_loss",
        F.triplet_margin_loss,
        vectors(3, margin=widths, p=st.sampled_from((1.0, 2.0, 3.0, float("inf"))), swap=st.booleans()),
        functional("triplet_margin_loss"),
    ),
    Op(
        "cosine_embedding_loss",
        signed(F.cosine_embedding_loss),
        vectors(2, signs=True, max_dims=2, margin=st.sampled_from((-0.5, 0.0, 0.3))),
        signed_twin("cosine_embedding_loss"),
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


PAIRS = ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "kl_div", "poisson_nll_loss")
WRONG: list[Wrong] = [row for name in PAIRS for row in wrong_pairs(name)]

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

SIGNS, PLUS, EYE = tc.tensor([1, -1, 1]), tc.ones(3, 4, dtype="int64"), tc.ones(3)


def gaussian(var: Any = 1.0, **options: Any) -> Any:
    return F.gaussian_nll_loss(ROWS, ROWS, var, **options)


def triplet(negative: Any = ROWS, **options: Any) -> Any:
    return F.triplet_margin_loss(ROWS, ROWS, negative, **options)


def cosine(target: Any = SIGNS, **options: Any) -> Any:
    return F.cosine_embedding_loss(ROWS, ROWS, target, **options)


def hinge(target: Any = PLUS, **options: Any) -> Any:
    return F.hinge_embedding_loss(ROWS, target, **options)


def ranking(target: Any = PLUS, other: Any = ROWS, **options: Any) -> Any:
    return F.margin_ranking_loss(ROWS, other, target, **options)


WRONG += [
    (
        "kl_div",
        ArgumentError,
        "reduction 'batch' 'batchmean'",
        lambda: F.kl_div(ROWS, ROWS, reduction="batch"),
    ),
    ("poisson_nll_loss", ArgumentError, "eps 0", lambda: F.poisson_nll_loss(ROWS, ROWS, eps=0)),
    ("poisson_nll_loss", ArgumentError, "eps 'a'", lambda: F.poisson_nll_loss(ROWS, ROWS, eps="a")),
    ("gaussian_nll_loss", ArgumentError, "var -1", lambda: gaussian(-ROWS)),
    ("gaussian_nll_loss", ArgumentError, "var -1", lambda: gaussian(-1)),
    ("gaussian_nll_loss", ArgumentError, "var None", lambda: gaussian(None)),
    ("gaussian_nll_loss", ShapeError, "var (4,) (3, 4) (3,)", lambda: gaussian(tc.ones(4))),
    ("gaussian_nll_loss", ShapeError, "var (1, 1)", lambda: gaussian(tc.ones(1, 1))),
    ("gaussian_nll_loss", ShapeError, "var (3, 2)", lambda: gaussian(tc.ones(3, 2))),
    ("gaussian_nll_loss", DtypeError, "var float64", lambda: gaussian(ROWS.double())),
    ("gaussian_nll_loss", DtypeError, "var int64", lambda: gaussian(PLUS)),
    ("gaussian_nll_loss", ArgumentError, "eps -1", lambda: gaussian(eps=-1)),
    ("gaussian_nll_loss", ArgumentError, "reduction None", lambda: gaussian(reduction=None)),
    ("gaussian_nll_loss", ShapeError, "target (6,)", lambda: F.gaussian_nll_loss(ROWS, tc.ones(6), ROWS)),
    ("hinge_embedding_loss", ShapeError, "target (3,) (3, 4)", lambda: hinge(SIGNS)),
    ("hinge_embedding_loss", ArgumentError, "target 0 -1", lambda: hinge(PLUS - 1)),
    ("hinge_embedding_loss", ArgumentError, "target nan", lambda: hinge(ROWS * float("nan"))),
    ("hinge_embedding_loss", DtypeError, "target list", lambda: hinge([1])),
    ("hinge_embedding_loss", ArgumentError, "margin None", lambda: hinge(margin=None)),
    ("hinge_embedding_loss", ArgumentError, "reduction 'max'", lambda: hinge(reduction="max")),
    ("hinge_embedding_loss", DtypeError, "input int64", lambda: F.hinge_embedding_loss(PLUS, PLUS)),
    ("margin_ranking_loss", ShapeError, "input2 (3,) (3, 4)", lambda: ranking(other=EYE)),
    ("margin_ranking_loss", DtypeError, "float64", lambda: ranking(other=ROWS.double())),
    ("margin_ranking_loss", ShapeError, "target (3,)", lambda: ranking(SIGNS)),
    ("margin_ranking_loss", ArgumentError, "target 2", lambda: ranking(PLUS * 2)),
    ("margin_ranking_loss", ArgumentError, "margin 'a'", lambda: ranking(margin="a")),
    ("margin_ranking_loss", ArgumentError, "reduction 'max'", lambda: ranking(reduction="max")),
    ("triplet_margin_loss", ShapeError, "negative (3,) anchor, (3, 4)", lambda: triplet(EYE)),
    ("triplet_margin_loss", DtypeError, "negative int64", lambda: triplet(PLUS)),
    ("triplet_margin_loss", ArgumentError, "margin 0", lambda: triplet(margin=0)),
    ("triplet_margin_loss", ArgumentError, "p 0", lambda: triplet(p=0)),
    ("triplet_margin_loss", ArgumentError, "p 'fro'", lambda: triplet(p="fro")),
    ("triplet_margin_loss", ArgumentError, "eps -1", lambda: triplet(eps=-1)),
    ("triplet_margin_loss", ArgumentError, "reduction 'max'", lambda: triplet(reduction="max")),
    ("triplet_margin_loss", ShapeError, "anchor ()", lambda: F.triplet_margin_loss(*[tc.tensor(1.0)] * 3)),
    ("triplet_margin_loss", ShapeError, "anchor (3, 0)", lambda: F.triplet_margin_loss(*[tc.ones(3, 0)] * 3)),
    ("cosine_embedding_loss", ShapeError, "target (3, 4) (3,)", lambda: cosine(PLUS)),
    ("cosine_embedding_loss", ArgumentError, "target 3", lambda: cosine(SIGNS * 3)),
    ("cosine_embedding_loss", ArgumentError, "margin 1.5", lambda: cosine(margin=1.5)),
    ("cosine_embedding_loss", ArgumentError, "reduction 'max'", lambda: cosine(reduction="max")),
    ("cosine_embedding_loss", ShapeError, "input2 (3,)", lambda: F.cosine_embedding_loss(ROWS, EYE, SIGNS)),
    (
        "cosine_embedding_loss",
        ShapeError,
        "input1 (2, 4, 5, 6) (N, D)",
        lambda: F.cosine_embedding_loss(IMAGE, IMAGE, SIGNS),
    ),
]
