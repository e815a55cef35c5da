"""Lengths of vectors, and how far or how alike two are; bilinear forms.

The derivative of a length is taken as 0 for the vector of zeros, where it has none.
"""

from __future__ import annotations

from math import inf

from tinyconv.device import array_module, on_its_gpu
from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.ops._checks import (
    broadcast_shape,
    check_flags,
    check_float,
    check_number,
    check_same_dtype,
    normalize_dim,
    reduced_dims,
)
from tinyconv.ops.elementwise import where
from tinyconv.ops.matmul import matmul
from tinyconv.ops.numpy_names import numpy_names
from tinyconv.ops.reduction import amax
from tinyconv.ops.reduction import sum as sum_
from tinyconv.ops.shape import permute, reshape, squeeze, unsqueeze
from tinyconv.tensor import Tensor


@on_its_gpu
def normalize(input: Tensor, p: float = 2.0, dim: int | tuple[int, ...] = 1, eps: float = 1e-12) -> Tensor:
    """Vectors along `dim` divided by their p-norm, or by `eps` if that is larger.

    With several dimensions in `dim`, the elements along all of them are one vector.

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> F.normalize(tc.tensor([[6.0, 8.0]], dtype=tc.float64)).tolist()
    [[0.6, 0.8]]
    """
    op = "normalize"
    check_float(op, "input", input)
    length = _length(op, input, p, reduced_dims(op, dim, input.ndim))
    return input / _at_least(length, _eps(op, eps))


@numpy_names
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle between vectors along `dim`: x1 . x2 / (\\|x1\\| \\|x2\\|).

    Lengths below `eps` count as `eps`. The other dimensions broadcast.
    """
    op = "cosine_similarity"
    axis = normalize_dim(op, dim, len(_check_pair(op, x1, x2)))
    shape = broadcast_shape(op, x1.shape, x2.shape)
    x1, x2 = (
        x + Tensor(array_module(x.array).zeros(shape, x.dtype)) if x.shape != shape else x for x in (x1, x2)
    )
    low = _eps(op, eps)
    first, second = (x / _at_least(_length(op, x, 2.0, axis), low) for x in (x1, x2))
    return sum_(first * second, axis)


@numpy_names
def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """The p-norm of x1 - x2 + eps along the last dimension; the others broadcast.

    `eps` keeps the distance of equal vectors differentiable.
    """
    check_flags("pairwise_distance", keepdim=keepdim)
    op = "pairwise_distance"
    shape = _check_pair(op, x1, x2)
    if not shape:
        raise ShapeError(op, "the inputs' shapes", f"{x1.shape} and {x2.shape}", "at least one dimension")
    distance = _length(op, x1 - x2 + _eps(op, eps), p, len(shape) - 1)
    return distance if keepdim else squeeze(distance, -1)


@on_its_gpu
def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """The p-norm of the difference of every two rows: (0, 1), (0, 2), …, (1, 2), …

    Parameters
    ----------
    input : Tensor
        Shape (N, D).
    p : float
        Above 0; ``inf`` is the largest difference.

    Returns
    -------
    Tensor
        Shape (N (N - 1) / 2,).

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> F.pdist(tc.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 4.0]])).tolist()
    [5.0, 4.0, 3.0]
    """
    if check_float("pdist", "input", input).ndim != 2:
        raise ShapeError("pdist", "input", f"of shape {input.shape}", "(N, D)")
    first, second = array_module(input.array).triu_indices(input.shape[0], 1)
    return squeeze(_length("pdist", input[first] - input[second], p, 1), 1)


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """y_k = x1^T W_k x2 + b_k for each output k.

    Parameters
    ----------
    input1, input2 : Tensor
        Shapes (..., in1_features) and (..., in2_features), alike but for the last size.
    weight : Tensor
        Shape (out_features, in1_features, in2_features).
    bias : Tensor, optional
        Shape (out_features,).

    Returns
    -------
    Tensor
        Shape (..., out_features).
    """
    op = "bilinear"
    for name, x in {"input1": input1, "input2": input2, "weight": weight}.items():
        check_float(op, name, x)
    if bias is not None:
        check_float(op, "bias", bias)
    check_same_dtype(op, input1=input1, input2=input2, weight=weight, bias=bias)
    _check_bilinear_shapes(op, input1, input2, weight, bias)
    n_out, n_1, n_2 = weight.shape
    table = reshape(permute(weight, (1, 0, 2)), (n_1, n_out * n_2))
    lead = input1.shape[:-1]
    forms = reshape(matmul(unsqueeze(input1, -2), table), (*lead, n_out, n_2))
    y = squeeze(matmul(forms, unsqueeze(input2, -1)), -1)
    return y if bias is None else y + bias


def _check_bilinear_shapes(
    op: str, input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None
) -> None:
    if weight.ndim != 3:
        expected = "(out_features, in1_features, in2_features)"
        raise ShapeError(op, "weight", f"of shape {weight.shape}", expected)
    n_out, n_1, n_2 = weight.shape
    if input1.ndim == 0 or input1.shape[-1] != n_1:
        raise ShapeError(op, "input1", f"of shape {input1.shape}", f"(..., {n_1})")
    if input2.shape != (*input1.shape[:-1], n_2):
        raise ShapeError(op, "input2", f"of shape {input2.shape}", f"{(*input1.shape[:-1], n_2)}")
    if bias is not None and bias.shape != (n_out,):
        raise ShapeError(op, "bias", f"of shape {bias.shape}", f"({n_out},)")


def _check_pair(op: str, x1: Tensor, x2: Tensor) -> tuple[int, ...]:
    """Two float tensors of one dtype; the shape they broadcast to."""
    check_same_dtype(op, x1=check_float(op, "x1", x1), x2=check_float(op, "x2", x2))
    return broadcast_shape(op, x1.shape, x2.shape)


def _eps(op: str, eps: float) -> float:
    if not check_number(op, "eps", eps) >= 0:
        raise ArgumentError(op, "eps", repr(eps), "a number >= 0")
    return float(eps)


def _at_least(x: Tensor, low: float) -> Tensor:
    return where(Tensor(x.array < low), low, x)


def _length(op: str, x: Tensor, p: float, axis: int | tuple[int, ...]) -> Tensor:
    """The p-norm along `axis`, which stays with size 1."""
    if not check_number(op, "p", p) > 0:
        raise ArgumentError(op, "p", repr(p), "a number > 0 (inf for the largest)")
    module = array_module(x.array)
    if p == 2:
        powers = sum_(x * x, axis, keepdim=True)
    else:
        size = x * Tensor(module.sign(x.array))
        if p == inf:
            return amax(size, axis, keepdim=True)
        if p == 1:
            return sum_(size, axis, keepdim=True)
        powers = sum_(_power(size, p), axis, keepdim=True)
    return _power(powers, 1 / p)


def _power(x: Tensor, exponent: float) -> Tensor:
    """x^exponent for x >= 0, with derivative 0 at 0."""
    zero = Tensor(x.array == 0)
    return where(zero, 0.0, where(zero, 1.0, x) ** exponent)
