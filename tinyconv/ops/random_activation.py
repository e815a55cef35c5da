"""Functions that draw random numbers on the way: random slopes, random classes."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from tinyconv.device import array_module, on_its_gpu, seed, to_device
from tinyconv.errors import ArgumentError
from tinyconv.ops._checks import check_flags, check_float, check_number, normalize_dim
from tinyconv.ops.activation import leaky_relu
from tinyconv.ops.elementwise import where
from tinyconv.ops.loss_common import check_above_zero
from tinyconv.ops.softmax import softmax
from tinyconv.tensor import Tensor


@on_its_gpu
def rrelu(
    input: Tensor,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Tensor:
    """x where x > 0, else x times a slope that is drawn for each element (Xu et al. 2015).

    Parameters
    ----------
    input : Tensor
    lower, upper : float
        The slopes are uniform between the two.
    training : bool
        With False the slope is the mean of the two.
    inplace : bool
        Accepted; the result is a new tensor.
    """
    check_flags("rrelu", training=training, inplace=inplace)
    check_float("rrelu", "input", input)
    low, high = check_number("rrelu", "lower", lower), check_number("rrelu", "upper", upper)
    if not -inf < low <= high < inf:
        raise ArgumentError("rrelu", "lower", repr(lower), f"at most upper = {upper}, both finite")
    if not training:
        return leaky_relu(input, (low + high) / 2)
    slopes = _drawn(seed.get().generator.uniform(low, high, input.shape), input)
    return where(Tensor(input.array > 0), input, input * slopes)


@on_its_gpu
def gumbel_softmax(
    logits: Tensor, tau: float = 1.0, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Tensor:
    """A random class, in such a way that there is a gradient with respect to `logits` (Jang et al. 2017).

    The softmax of ``(logits + g) / tau`` with g from Gumbel's distribution; the nearer `tau` is to 0,
    the nearer the result is to one class drawn with the probabilities ``softmax(logits)``.

    Parameters
    ----------
    logits : Tensor
    tau : float
        Above 0.
    hard : bool
        Return exact zeros and a one; the gradient stays that of the soft result.
    eps : float
        Without meaning, as in PyTorch.
    dim : int
        Where the classes are.
    """
    check_flags("gumbel_softmax", hard=hard)
    op = "gumbel_softmax"
    axis = normalize_dim(op, dim, check_float(op, "logits", logits).ndim)
    width = check_above_zero(op, "tau", tau)
    noise = _drawn(seed.get().generator.gumbel(size=logits.shape), logits)
    soft = softmax((logits + noise) / width, axis)
    if not hard:
        return soft
    xp = array_module(soft.array)
    values = soft.array.reshape(soft.shape or (1,))
    one = xp.zeros_like(values)
    if values.size:
        xp.put_along_axis(one, xp.expand_dims(values.argmax(axis), axis), 1, axis)
    return soft + (Tensor(one.reshape(soft.shape)) - soft.detach())


def _drawn(values: Any, like: Tensor) -> Tensor:
    return Tensor(to_device(np.asarray(values).astype(like.dtype), like.device))
