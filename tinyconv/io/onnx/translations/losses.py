"""Losses and distances: what is left of them that is not made of other ops."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv import ops
from tinyconv.io.onnx.builder import Builder
from tinyconv.io.onnx.recording import Value
from tinyconv.io.onnx.table import translates
from tinyconv.io.onnx.translations.reductions import length
from tinyconv.ops import binary_loss, likelihood_loss, regression_loss
from tinyconv.ops._checks import normalize_dims

LOWEST_LOG = -100.0


def _has_labels(input: Value, target: Value, label_smoothing: float = 0.0, **options: Any) -> bool:
    return target.dtype.kind != "f" and label_smoothing == 0 and input.ndim > 1


@translates(ops.cross_entropy, when=_has_labels)
def cross_entropy(
    builder: Builder,
    input: Value,
    target: Value,
    weight: Value | None,
    ignore_index: int,
    reduction: str,
    **options: Any,
) -> str:
    return builder.node(
        "SoftmaxCrossEntropyLoss", [input, target, weight], reduction=reduction, ignore_index=ignore_index
    )


@translates(ops.nll_loss, when=_has_labels)
def nll_loss(
    builder: Builder,
    input: Value,
    target: Value,
    weight: Value | None,
    ignore_index: int,
    reduction: str,
    **options: Any,
) -> str:
    return builder.node(
        "NegativeLogLikelihoodLoss", [input, target, weight], reduction=reduction, ignore_index=ignore_index
    )


@translates(regression_loss.SmoothL1)
def smooth_l1(builder: Builder, d: Value, beta: float) -> str:
    size = builder.node("Abs", [d])
    near = builder.node("Min", [size, builder.like(beta, d)])
    rest = builder.node("Sub", [size, builder.node("Mul", [near, builder.like(0.5, d)])])
    return builder.node("Mul", [builder.node("Div", [near, builder.like(beta, d)]), rest])


@translates(binary_loss.BinaryCrossEntropy)
def binary_cross_entropy(builder: Builder, p: Value, target: Value) -> str:
    terms = []
    for sign in (True, False):
        share, weight = (x if sign else builder.node("Sub", [builder.like(1, p), x]) for x in (p, target))
        log = builder.node("Max", [builder.node("Log", [share]), builder.like(LOWEST_LOG, p)])
        terms.append(builder.node("Mul", [weight, log]))
    return builder.node("Neg", [builder.node("Add", terms)])


@translates(binary_loss.LogitsCrossEntropy)
def logits_cross_entropy(builder: Builder, x: Value, target: Value) -> str:
    straight = builder.node("Mul", [builder.node("Sub", [builder.like(1, x), target]), x])
    return builder.node("Add", [straight, builder.node("Softplus", [builder.node("Neg", [x])])])


@translates(likelihood_loss.TimesLog)
def times_log(builder: Builder, x: Value) -> str:
    zero = builder.node("Equal", [x, builder.like(0, x)])
    safe = builder.node("Where", [zero, builder.like(1, x), x])
    return builder.node("Mul", [x, builder.node("Log", [safe])])


@translates(ops.normalize)
def normalize(builder: Builder, input: Value, p: float, dim: Any, eps: float) -> str:
    size = length(builder, input, input, p, normalize_dims("normalize", dim, input.ndim), True)
    return builder.node("Div", [input, builder.node("Max", [size, builder.like(eps, input)])])


@translates(ops.cosine_similarity)
def cosine_similarity(builder: Builder, x1: Value, x2: Value, dim: int, eps: float) -> str:
    ndim, axis = max(x1.ndim, x2.ndim), np.array([dim % max(x1.ndim, x2.ndim)])
    zero = [builder.node("Mul", [x, builder.like(0, x)]) for x in (x1, x2)]
    wide = [builder.node("Add", [x1, zero[1]]), builder.node("Add", [x2, zero[0]])]
    parts = []
    for x in wide:
        size = length(builder, x, x1, 2, (dim % ndim,), True)
        parts.append(builder.node("Div", [x, builder.node("Max", [size, builder.like(eps, x1)])]))
    return builder.node("ReduceSum", [builder.node("Mul", parts), axis], keepdims=0)


@translates(ops.pairwise_distance, when=lambda p, **_: p > 0)
def pairwise_distance(builder: Builder, x1: Value, x2: Value, p: float, eps: float, keepdim: bool) -> str:
    difference = builder.node("Add", [builder.node("Sub", [x1, x2]), builder.like(eps, x1)])
    return length(builder, difference, x1, p, (-1,), keepdim)
