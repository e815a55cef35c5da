"""Losses of predicted classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinyconv import ops
from tinyconv.io.onnx.node import Node
from tinyconv.ops.operands import astype
from tinyconv.tensor import Tensor


def negative_log_likelihood(
    node: Node, log_probabilities: Tensor, target: Tensor, weight: Tensor | None = None
) -> Tensor:
    """Minus the log-probability of the class that it is; the mean is weighted."""
    reduction = node.text("reduction", "mean", ("none", "mean", "sum"))
    # -100 is a class number that never occurs: where nothing is said, nothing is ignored.
    ignored = node.integer("ignore_index", -100)
    target = astype(target, np.int64)
    return ops.nll_loss(log_probabilities, target, weight, ignore_index=ignored, reduction=reduction)


def softmax_cross_entropy(
    node: Node, scores: Tensor, target: Tensor, weight: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Cross-entropy of scores, and their log-softmax."""
    log_probabilities = ops.log_softmax(scores, 1)
    return negative_log_likelihood(node, log_probabilities, target, weight), log_probabilities


TABLE: dict[str, Callable[..., Any]] = {
    "NegativeLogLikelihoodLoss": negative_log_likelihood,
    "SoftmaxCrossEntropyLoss": softmax_cross_entropy,
}
