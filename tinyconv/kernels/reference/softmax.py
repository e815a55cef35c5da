"""Softmax and its logarithm along one axis.

The largest score is subtracted first. That changes nothing mathematically, and keeps every
exponent at or below 0, so that no score is too large::

    softmax(x)_i = exp(x_i - m) / sum over j of exp(x_j - m),    m = max over j of x_j
"""

from __future__ import annotations

from typing import Any

from tinyconv.device import array_module
from tinyconv.kernels.reference.elementwise import quiet
from tinyconv.kernels.reference.reduction import sum

Array = Any


@quiet
def softmax(x: Array, axis: int) -> Array:
    """Positive numbers that sum to 1 along `axis`; same shape as x.

    Examples
    --------
    >>> import numpy as np
    >>> softmax(np.array([1000.0, 1000.0]), 0).tolist()
    [0.5, 0.5]
    """
    xp = array_module(x)
    if x.size == 0:
        return x.copy()
    powers = xp.exp(x - x.max(axis=axis, keepdims=True))
    return xp.asarray(powers / powers.sum(axis=axis, keepdims=True))


@quiet
def log_softmax(x: Array, axis: int) -> Array:
    """``log(softmax(x))`` without ever taking the logarithm of a vanished probability."""
    xp = array_module(x)
    if x.size == 0:
        return x.copy()
    shifted = x - x.max(axis=axis, keepdims=True)
    return xp.asarray(shifted - xp.log(xp.exp(shifted).sum(axis=axis, keepdims=True)))


@quiet
def softmax_backward(grad: Array, y: Array, axis: int) -> Array:
    """The gradient of x in `softmax`, ``y * (grad - sum(grad * y))``."""
    return array_module(y).asarray(y * (grad - (grad * y).sum(axis=axis, keepdims=True)))


@quiet
def log_softmax_backward(grad: Array, y: Array, axis: int) -> Array:
    """The gradient of x in `log_softmax`, ``grad - exp(y) * sum(grad)``."""
    xp = array_module(y)
    return xp.asarray(grad - xp.exp(y) * grad.sum(axis=axis, keepdims=True))


@quiet
def softmax_nll(x: Array, labels: Array, ignored: int, reduction: str) -> Array:
    """``-log(softmax(x_i)[labels_i])`` for each row x_i of x (M, C); 0 where the label is `ignored`.

    `labels` are M integers of any shape. `reduction` is "none", which gives (M,), "sum", or "mean", the sum
    divided by how many labels are not ignored.

    Examples
    --------
    >>> import numpy as np
    >>> x, labels = np.log([[0.25, 0.75], [0.5, 0.5]]), np.array([0, -100])
    >>> softmax_nll(x, labels, -100, "none").round(3).tolist()
    [1.386, 0.0]
    >>> softmax_nll(x, labels, -100, "mean").round(3).item()
    1.386
    """
    xp = array_module(x)
    labels = labels.reshape(-1)
    counted = labels != ignored
    log_p = log_softmax(x, 1)[xp.arange(labels.size), xp.where(counted, labels, 0)]
    each = xp.where(counted, -log_p, xp.zeros_like(log_p))
    if reduction == "none":
        return each
    total = sum(each, (0,), False)
    return xp.asarray(total / counted.sum(), x.dtype) if reduction == "mean" else total


@quiet
def softmax_nll_backward(grad: Array, x: Array, labels: Array, ignored: int, reduction: str) -> Array:
    """The gradient of x in `softmax_nll`, ``grad_i (softmax(x_i) - onehot(labels_i))``.

    `grad` has the shape of the loss; for the mean of m losses ``grad_i = grad / m``.
    """
    xp = array_module(x)
    labels = labels.reshape(-1)
    counted = labels != ignored
    difference = softmax(x, 1)
    difference[xp.arange(labels.size), xp.where(counted, labels, 0)] -= 1
    if reduction == "mean":
        grad = (grad / xp.maximum(counted.sum(), 1)).astype(x.dtype)
    return difference * xp.where(counted, grad, xp.zeros_like(grad))[:, None]
