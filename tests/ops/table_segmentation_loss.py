"""The losses of segmentation: their rows of the tables. Their twins are the formulas of the papers."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

import tinyconv as tc
import tinyconv.nn.functional as F
from tests.ops.cases import Case, Values, orders, reductions, seeds
from tests.ops.op import Op
from tests.ops.table_loss import Wrong, alike, wrong_pairs
from tinyconv.errors import ArgumentError, DtypeError, ShapeError

DISTANCES = np.array(
    [[0.0, 1.0, 1.0, 0.8], [1.0, 0.0, 0.3, 0.5], [1.0, 0.3, 0.0, 0.25], [0.8, 0.5, 0.25, 0.0]]
)


def reduced(loss: Any, reduction: str) -> Any:
    return {"mean": loss.mean, "sum": loss.sum, "none": lambda: loss}[reduction]()


def regions(p: Any) -> tuple[int, ...]:
    return tuple(range(2, p.ndim))


def generalised_dice(torch: Any, p: Any, t: Any, reduction: str) -> Any:
    volume = t.sum(regions(p))
    weight = 1 / volume**2
    overlap = (weight * (p * t).sum(regions(p))).sum(1)
    return reduced(1 - 2 * overlap / (weight * (p.sum(regions(p)) + volume)).sum(1), reduction)


def tversky(torch: Any, p: Any, t: Any, alpha: float, beta: float, smooth: float, reduction: str) -> Any:
    over = regions(p)
    right, false_positives, false_negatives = (
        (p * t).sum(over),
        (p * (1 - t)).sum(over),
        ((1 - p) * t).sum(over),
    )
    index = (right + smooth) / (right + alpha * false_positives + beta * false_negatives + smooth)
    return reduced(1 - index, reduction)


def distances(classes: int) -> Any:
    return DISTANCES[:classes, :classes].copy()


def wasserstein(p: Any, t: Any, **options: Any) -> Any:
    table = tc.tensor(distances(p.shape[1]), dtype=p.dtype)
    return F.generalised_wasserstein_dice_loss(p, t, table, **options)


def wasserstein_twin(torch: Any, p: Any, t: Any, background: int, smooth: float, reduction: str) -> Any:
    table = torch.from_numpy(distances(p.shape[1]))
    truth = torch.nn.functional.one_hot(t, p.shape[1]).double().movedim(-1, 1)
    error = torch.einsum("nc...,cd,nd...->n...", p, table, truth).flatten(1)
    right = (table[background][t].flatten(1) * (1 - error)).sum(1)
    return reduced(1 - (2 * right + smooth) / (2 * right + error.sum(1) + smooth), reduction)


def binary_focal(torch: Any, x: Any, t: Any, alpha: float | None, gamma: float, reduction: str) -> Any:
    p = torch.sigmoid(x)
    positive, negative = (1.0, 1.0) if alpha is None else (alpha, 1 - alpha)
    ones, zeros = (1 - p) ** gamma * torch.log(p), p**gamma * torch.log(1 - p)
    return reduced(-positive * t * ones - negative * (1 - t) * zeros, reduction)


def focal(x: Any, t: Any, weight: Any = None, **options: Any) -> Any:
    return F.focal_loss(x, t, weight, **options)


def focal_twin(torch: Any, x: Any, t: Any, weight: Any = None, **options: Any) -> Any:
    surprise = torch.nn.functional.cross_entropy(x, t, reduction="none")
    loss = (1 - torch.exp(-surprise)) ** options["gamma"] * surprise
    loss = loss if weight is None else loss * weight[t]
    counted = t != options.get("ignore_index", -100)
    if options["reduction"] == "none":
        return torch.where(counted, loss, 0.0)
    return reduced(loss[counted], options["reduction"])


def weighted_pixels(x: Any, weight: Any, t: Any, **options: Any) -> Any:
    return F.weighted_pixel_cross_entropy(x, t, weight, **options)


def weighted_pixels_twin(torch: Any, x: Any, weight: Any, t: Any, **options: Any) -> Any:
    ignored = options.get("ignore_index", -100)
    loss = torch.nn.functional.cross_entropy(x, t, reduction="none", ignore_index=ignored) * weight
    return reduced(loss if options["reduction"] == "none" else loss[t != ignored], options["reduction"])


shapes = array_shapes(min_dims=3, max_dims=5, min_side=1, max_side=3)
smooths = st.sampled_from((1.0, 0.1))


@st.composite
def pairs(draw: Any, **options: Any) -> Case:
    """Probabilities and masks of one shape (N, C, *spatial)."""
    shape = draw(shapes)
    pair = Values(shape, "probability", draw(orders)), Values(shape, "probability", draw(orders))
    drawn = {"reduction": draw(reductions), **{name: draw(values) for name, values in options.items()}}
    return Case(pair, drawn, (), draw(seeds))


@st.composite
def labelled(draw: Any, weights: str, kind: str = "normal", min_dims: int = 3, **options: Any) -> Case:
    """Predictions with class numbers, and sometimes ``class`` weights or always a ``map`` of weights."""
    shape = draw(array_shapes(min_dims=min_dims, max_dims=4, min_side=2, max_side=3))
    labels = (shape[0], *shape[2:])
    drawn = {"reduction": draw(reductions), **{name: draw(values) for name, values in options.items()}}
    if weights and drawn["reduction"] != "mean" and draw(st.booleans()):
        drawn["ignore_index"] = draw(st.integers(0, shape[1] - 1))
    inputs, constants = (
        [Values(shape, kind, draw(orders))],
        [Values(labels, f"classes {shape[1]}", draw(orders))],
    )
    if weights == "map":
        inputs.append(Values(labels, "positive", draw(orders)))
    elif weights and draw(st.booleans()):
        constants.append(Values(shape[1:2], "positive"))
    return Case(tuple(inputs), drawn, tuple(constants), draw(seeds))


gammas = st.sampled_from((0.0, 0.5, 1.0, 2.0, 5.0))

OPS = (
    Op("generalised_dice_loss", F.generalised_dice_loss, pairs(), generalised_dice),
    Op(
        "tversky_loss",
        F.tversky_loss,
        pairs(alpha=st.sampled_from((0.3, 0.0, 1.0)), beta=st.sampled_from((0.7, 1.0)), smooth=smooths),
        tversky,
    ),
    Op(
        "generalised_wasserstein_dice_loss",
        wasserstein,
        labelled("", "probability", background=st.integers(0, 1), smooth=smooths),
        wasserstein_twin,
    ),
    Op(
        "binary_focal_loss_with_logits",
        F.binary_focal_loss_with_logits,
        alike("normal", "probability", alpha=st.sampled_from((None, 0.25, 1.0)), gamma=gammas),
        binary_focal,
    ),
    Op("focal_loss", focal, labelled("class", min_dims=2, gamma=gammas), focal_twin),
    Op("weighted_pixel_cross_entropy", weighted_pixels, labelled("map"), weighted_pixels_twin),
)

MASK, LABELS, ROWS = tc.ones(2, 3, 4, 5) * 0.5, tc.ones(2, 4, 5, dtype="int64"), tc.ones(3, 4)
MAP, TABLE, INTS = (
    tc.ones(2, 4, 5),
    tc.tensor(DISTANCES[:3, :3], dtype="float32"),
    tc.ones(2, 3, 4, 5, dtype="int64"),
)


def wrong_table(change: Any) -> Any:
    return F.generalised_wasserstein_dice_loss(MASK, LABELS, change)


def gwdl(**options: Any) -> Any:
    arguments = {"input": MASK, "target": LABELS, "distances": TABLE, **options}
    return F.generalised_wasserstein_dice_loss(**arguments)


def pixels(**options: Any) -> Any:
    return F.weighted_pixel_cross_entropy(**{"input": MASK, "target": LABELS, "weight_map": MAP, **options})


def regions_wrong(name: str) -> list[Wrong]:
    loss = getattr(F, name)
    return [
        (name, ShapeError, "input (3, 4) (N, C, *spatial)", lambda: loss(ROWS, ROWS)),
        (name, ShapeError, "input (2, 0, 4)", lambda: loss(tc.ones(2, 0, 4), tc.ones(2, 0, 4))),
        (name, ShapeError, "target (3, 4)", lambda: loss(MASK, ROWS)),
        (name, DtypeError, "target int64", lambda: loss(MASK, INTS)),
        (name, ArgumentError, "target 255", lambda: loss(MASK, MASK * 510)),
        (name, ArgumentError, "input -1 sigmoid", lambda: loss(MASK * -2, MASK)),
        (name, ArgumentError, "reduction 'max'", lambda: loss(MASK, MASK, reduction="max")),
    ]


WRONG: list[Wrong] = [
    *regions_wrong("generalised_dice_loss"),
    *regions_wrong("tversky_loss"),
    *wrong_pairs("binary_focal_loss_with_logits"),
]

WRONG += [
    ("tversky_loss", ArgumentError, "alpha -1", lambda: F.tversky_loss(MASK, MASK, alpha=-1)),
    ("tversky_loss", ArgumentError, "beta None", lambda: F.tversky_loss(MASK, MASK, beta=None)),
    ("tversky_loss", ArgumentError, "smooth -1", lambda: F.tversky_loss(MASK, MASK, smooth=-1)),
    ("generalised_wasserstein_dice_loss", ShapeError, "input (3, 4) spatial", lambda: gwdl(input=ROWS)),
    ("generalised_wasserstein_dice_loss", ArgumentError, "input 1.5", lambda: gwdl(input=MASK * 3)),
    ("generalised_wasserstein_dice_loss", DtypeError, "input int64", lambda: gwdl(input=INTS)),
    ("generalised_wasserstein_dice_loss", ShapeError, "target (2, 3, 4, 5)", lambda: gwdl(target=INTS)),
    ("generalised_wasserstein_dice_loss", DtypeError, "target float32", lambda: gwdl(target=MAP)),
    ("generalised_wasserstein_dice_loss", ArgumentError, "target 3 2", lambda: gwdl(target=LABELS * 3)),
    ("generalised_wasserstein_dice_loss", ArgumentError, "target -1", lambda: gwdl(target=LABELS * -1)),
    (
        "generalised_wasserstein_dice_loss",
        ShapeError,
        "distances (2, 2)",
        lambda: gwdl(distances=TABLE[:2, :2]),
    ),
    ("generalised_wasserstein_dice_loss", DtypeError, "float64", lambda: gwdl(distances=TABLE.double())),
    ("generalised_wasserstein_dice_loss", DtypeError, "distances list", lambda: gwdl(distances=[[0.0]])),
    ("generalised_wasserstein_dice_loss", ArgumentError, "distances 3", lambda: gwdl(distances=TABLE * 3)),
    ("generalised_wasserstein_dice_loss", ArgumentError, "diagonal", lambda: gwdl(distances=1 - TABLE)),
    (
        "generalised_wasserstein_dice_loss",
        ArgumentError,
        "distances symmetric",
        lambda: gwdl(distances=TABLE * tc.tensor([[1.0], [0.5], [1.0]])),
    ),
    ("generalised_wasserstein_dice_loss", ArgumentError, "background 3", lambda: gwdl(background=3)),
    ("generalised_wasserstein_dice_loss", ArgumentError, "background 0.0", lambda: gwdl(background=0.0)),
    ("generalised_wasserstein_dice_loss", ArgumentError, "smooth -1", lambda: gwdl(smooth=-1)),
    ("generalised_wasserstein_dice_loss", ArgumentError, "reduction 'max'", lambda: gwdl(reduction="max")),
    (
        "binary_focal_loss_with_logits",
        ArgumentError,
        "alpha 2",
        lambda: F.binary_focal_loss_with_logits(MASK, MASK, alpha=2),
    ),
    (
        "binary_focal_loss_with_logits",
        ArgumentError,
        "gamma -1",
        lambda: F.binary_focal_loss_with_logits(MASK, MASK, gamma=-1),
    ),
    (
        "binary_focal_loss_with_logits",
        ArgumentError,
        "target 255",
        lambda: F.binary_focal_loss_with_logits(MASK, MASK * 510),
    ),
    ("focal_loss", ArgumentError, "gamma -1", lambda: F.focal_loss(MASK, LABELS, gamma=-1)),
    ("focal_loss", ShapeError, "weight (2,) (3,)", lambda: F.focal_loss(MASK, LABELS, tc.ones(2))),
    ("focal_loss", ShapeError, "target (2, 3, 4, 5) (2, 4, 5)", lambda: F.focal_loss(MASK, INTS)),
    ("focal_loss", DtypeError, "target float32 integers", lambda: F.focal_loss(MASK, MAP)),
    ("focal_loss", ArgumentError, "target 7", lambda: F.focal_loss(MASK, LABELS * 7)),
    ("focal_loss", DtypeError, "input int64", lambda: F.focal_loss(INTS, LABELS)),
    ("focal_loss", ArgumentError, "reduction 'max'", lambda: F.focal_loss(MASK, LABELS, reduction="max")),
    ("weighted_pixel_cross_entropy", ShapeError, "weight_map (5,)", lambda: pixels(weight_map=tc.ones(5))),
    ("weighted_pixel_cross_entropy", DtypeError, "weight_map int64", lambda: pixels(weight_map=LABELS)),
    ("weighted_pixel_cross_entropy", DtypeError, "float64", lambda: pixels(weight_map=MAP.double())),
    ("weighted_pixel_cross_entropy", ArgumentError, "weight_map -1", lambda: pixels(weight_map=-MAP)),
    ("weighted_pixel_cross_entropy", ShapeError, "target (2, 3, 4, 5)", lambda: pixels(target=INTS)),
    ("weighted_pixel_cross_entropy", ArgumentError, "target 3", lambda: pixels(target=LABELS * 3)),
    ("weighted_pixel_cross_entropy", ShapeError, "input (3, 4)", lambda: pixels(input=ROWS)),
    ("weighted_pixel_cross_entropy", ArgumentError, "reduction None", lambda: pixels(reduction=None)),
]
