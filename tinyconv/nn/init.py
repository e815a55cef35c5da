"""Initialisers: how large the first weights are.

With fan_in inputs per neuron, a sum of fan_in products keeps the variance of its inputs if
the weights have variance gain^2 / fan_in (He) or, balanced for the way back, gain^2 times
2 / (fan_in + fan_out) (Xavier). The gain makes up for what the activation takes away.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, prod, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from tinyconv.device import array_module, on_its_gpu
from tinyconv.errors import ArgumentError, ShapeError, missing_name
from tinyconv.generator import Generator, numpy_generator
from tinyconv.nn.absent import INITIALISERS
from tinyconv.ops._checks import check_number
from tinyconv.tensor import Tensor

PIECE = 2**16
"""Numbers drawn at a time."""
CONVOLUTIONS = [f"conv{kind}{dims}d" for kind in ("", "_transpose") for dims in (1, 2, 3)]
GAINS = {
    **dict.fromkeys(["linear", *CONVOLUTIONS, "sigmoid"], 1.0),
    "tanh": 5 / 3,
    "relu": sqrt(2),
    "selu": 0.75,
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor for weights before an activation: 1, 5/3 for tanh, sqrt(2) for ReLU, …

    Parameters
    ----------
    nonlinearity : str
        The name of a function, e.g. ``"relu"``.
    param : float, optional
        The negative slope of ``"leaky_relu"``, 0.01 if not given; the others have none.
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else check_number("calculate_gain", "param", param)
        return sqrt(2 / (1 + slope**2))
    if nonlinearity not in GAINS:
        names = ", ".join([*GAINS, "leaky_relu"])
        raise ArgumentError("calculate_gain", "nonlinearity", repr(nonlinearity), f"one of {names}")
    return GAINS[nonlinearity]


def fans(tensor: Tensor) -> tuple[int, int]:
    """(fan_in, fan_out) of a weight (out, in, *kernel_size): weights into and out of a neuron."""
    if tensor.ndim < 2:
        raise ShapeError("init", "tensor", f"of shape {tensor.shape}", "at least 2 dimensions (out, in)")
    window = prod(tensor.shape[2:])
    return tensor.shape[1] * window, tensor.shape[0] * window


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with numbers uniform in [a, b)."""
    random = numpy_generator("uniform_", generator)
    return _draw(tensor, lambda count: random.uniform(a, b, count))


def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Fill with normal numbers."""
    random = numpy_generator("normal_", generator)
    return _draw(tensor, lambda count: random.normal(mean, std, count))


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Fill with normal numbers between `a` and `b`.

    As in PyTorch the two bounds are values, not numbers of standard deviations.
    """
    check_number("trunc_normal_", "mean", mean)
    if not check_number("trunc_normal_", "std", std) > 0:
        raise ArgumentError("trunc_normal_", "std", repr(std), "a number above 0")
    if not check_number("trunc_normal_", "a", a) < check_number("trunc_normal_", "b", b):
        raise ArgumentError("trunc_normal_", "a", repr(a), f"a number below b = {b}")
    random = numpy_generator("trunc_normal_", generator)
    low, high = (a - mean) / std, (b - mean) / std
    return _draw(tensor, lambda count: mean + std * _normal_between(low, high, count, random))


def _normal_between(low: float, high: float, count: int, generator: Any) -> Any:
    """`count` standard normal numbers from `low` to `high`: uniform ones, kept as often as likely."""
    nearest = min(max(low, 0.0), high)
    # Ten further than where the density is largest, what is left out is less than 1e-22.
    low, high = max(low, nearest - 10), min(high, nearest + 10)
    values, open_ = np.empty(count), np.ones(count, bool)
    while open_.any():
        tried = generator.uniform(low, high, int(open_.sum()))
        kept = generator.random(tried.size) < np.exp((nearest**2 - tried**2) / 2)
        values[open_] = tried
        open_[open_] = ~kept
    return values


@on_its_gpu
def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one number."""
    tensor.array[...] = val
    tensor.version.count += 1
    return tensor


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with zeros."""
    return constant_(tensor, 0.0)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with ones."""
    return constant_(tensor, 1.0)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Uniform with variance gain^2 * 2 / (fan_in + fan_out) (Glorot and Bengio 2010)."""
    fan_in, fan_out = fans(tensor)
    bound = check_number("xavier_uniform_", "gain", gain) * sqrt(6 / (fan_in + fan_out))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal with variance gain^2 * 2 / (fan_in + fan_out) (Glorot and Bengio 2010)."""
    fan_in, fan_out = fans(tensor)
    std = check_number("xavier_normal_", "gain", gain) * sqrt(2 / (fan_in + fan_out))
    return normal_(tensor, 0.0, std, generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Uniform with variance gain^2 / fan (He et al. 2015); `a` is leaky ReLU's slope."""
    bound = sqrt(3) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Normal with variance gain^2 / fan (He et al. 2015); `a` is leaky ReLU's slope."""
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def orthogonal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Rows (or columns, if they are fewer) orthonormal, times `gain` (Saxe et al. 2014).

    A weight (out, in, *kernel_size) counts as a matrix (out, in * window). The matrix is uniform
    among all such (Mezzadri 2007).
    """
    fans(tensor)
    if tensor.numel() == 0:
        return tensor
    rows = tensor.shape[0]
    values = numpy_generator("orthogonal_", generator).standard_normal((rows, tensor.numel() // rows))
    wide = values.shape[0] < values.shape[1]
    q, r = np.linalg.qr(values.T if wide else values)
    q *= np.sign(np.diagonal(r))
    return _fill(tensor, gain * (q.T if wide else q).reshape(tensor.shape))


def eye_(tensor: Tensor) -> Tensor:
    """The identity: ones on the diagonal of a matrix (out, in), zeros elsewhere."""
    if tensor.ndim != 2:
        raise ShapeError("eye_", "tensor", f"of shape {tensor.shape}", "2 dimensions (out, in)")
    return _fill(tensor, np.eye(tensor.shape[0], tensor.shape[1]))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """A convolution that passes its input on: a one in the middle of the kernel of each channel to itself.

    Parameters
    ----------
    tensor : Tensor
        Shape (out, in / groups, *kernel_size), 1 to 3 spatial dimensions.
    groups : int
        Each group passes on its own channels.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.nn.init.dirac_(tc.zeros(1, 1, 3, 3)).tolist()
    [[[[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]]]
    """
    if tensor.ndim not in (3, 4, 5):
        raise ShapeError("dirac_", "tensor", f"of shape {tensor.shape}", "(out, in, *kernel_size)")
    if not isinstance(groups, int) or groups < 1 or tensor.shape[0] % groups:
        raise ArgumentError("dirac_", "groups", repr(groups), f"a divisor of {tensor.shape[0]} channels")
    per_group = tensor.shape[0] // groups
    values = np.zeros(tensor.shape)
    middle = tuple(size // 2 for size in tensor.shape[2:])
    for out in range(tensor.shape[0]):
        if out % per_group < tensor.shape[1]:
            values[(out, out % per_group, *middle)] = 1
    return _fill(tensor, values)


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> Tensor:
    """Normal numbers, a share `sparsity` of each column (of each input) set to zero (Martens 2010)."""
    if tensor.ndim != 2:
        raise ShapeError("sparse_", "tensor", f"of shape {tensor.shape}", "2 dimensions (out, in)")
    if not 0 <= check_number("sparse_", "sparsity", sparsity) <= 1:
        raise ArgumentError("sparse_", "sparsity", repr(sparsity), "a share from 0 to 1")
    random = numpy_generator("sparse_", generator)
    values = random.normal(0.0, std, tensor.shape)
    order = random.random(tensor.shape).argsort(axis=0)
    np.put_along_axis(values, order[: ceil(sparsity * tensor.shape[0])], 0.0, axis=0)
    return _fill(tensor, values)


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ArgumentError("kaiming init", "mode", repr(mode), "'fan_in' or 'fan_out'")
    fan = fans(tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / sqrt(fan) if fan else 0.0


@on_its_gpu
def _draw(tensor: Tensor, draw: Callable[[int], Any]) -> Tensor:
    """Fill with what ``draw(count)`` returns, a piece at a time: no second copy of a large weight."""
    array = tensor.array
    if not array.flags.c_contiguous:
        return _fill(tensor, draw(array.size).reshape(array.shape))
    flat = array.reshape(-1)
    for start in range(0, flat.size, PIECE):
        piece = flat[start : start + PIECE]
        piece[...] = array_module(array).asarray(draw(piece.size))
    tensor.version.count += 1
    return tensor


@on_its_gpu
def _fill(tensor: Tensor, values: Any) -> Tensor:
    tensor.array[...] = array_module(tensor.array).asarray(values)
    tensor.version.count += 1
    return tensor


he_uniform_ = kaiming_uniform_
he_normal_ = kaiming_normal_


if not TYPE_CHECKING:  # a type checker reports missing names by itself

    def __getattr__(name: str) -> Any:
        raise missing_name("tinyconv.nn.init", name, globals(), INITIALISERS)
