"""Activation layers.

The `inplace` of PyTorch's layers is accepted, so that its scripts run; the result is a new tensor.
"""

from __future__ import annotations

from typing import Any

from tinyconv.nn import functional as F
from tinyconv.nn.module import Module, Parameter
from tinyconv.ops import full
from tinyconv.ops._checks import check_choice, check_flags, check_number, check_positive
from tinyconv.tensor import Tensor


class _Activation(Module):
    """What the activations share: a repr that shows the options."""

    OPTIONS: tuple[str, ...] = ()
    inplace: bool = False

    def extra_repr(self) -> str:
        shown = [f"{name}={getattr(self, name)!r}" for name in self.OPTIONS]
        return ", ".join(shown + (["inplace=True"] if self.inplace else []))


class _WithoutOptions(_Activation):
    def __init__(self, inplace: bool = False) -> None:
        check_flags(type(self).__name__, inplace=inplace)
        super().__init__()
        self.inplace = bool(inplace)


class _WithAlpha(_Activation):
    OPTIONS = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        check_flags(type(self).__name__, inplace=inplace)
        super().__init__()
        self.alpha, self.inplace = check_number(type(self).__name__, "alpha", alpha), bool(inplace)


class ReLU(_WithoutOptions):
    """max(0, x)."""

    def forward(self, input: Tensor) -> Tensor:
        return F.relu(input)


class ReLU6(_WithoutOptions):
    """min(max(0, x), 6)."""

    def forward(self, input: Tensor) -> Tensor:
        return F.relu6(input)


class LeakyReLU(_Activation):
    """x where x > 0, else ``negative_slope * x``."""

    OPTIONS = ("negative_slope",)

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        check_flags(type(self).__name__, inplace=inplace)
        super().__init__()
        self.negative_slope = check_number("LeakyReLU", "negative_slope", negative_slope)
        self.inplace = bool(inplace)

    def forward(self, input: Tensor) -> Tensor:
        return F.leaky_relu(input, self.negative_slope)


class PReLU(_Activation):
    """x where x > 0, else ``weight * x`` with a learned weight (He et al. 2015).

    Parameters
    ----------
    num_parameters : int
        1, or the number of channels.
    init : float
        The slope at first.

    Attributes
    ----------
    weight : Parameter
        Shape (num_parameters,). Weight decay would pull it to 0, that is to ReLU.
    """

    OPTIONS = ("num_parameters",)

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, device: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.num_parameters = check_positive("PReLU", "num_parameters", num_parameters)
        self.init = check_number("PReLU", "init", init)
        self.weight = Parameter(full((self.num_parameters,), self.init))
        self.to(device=device, dtype=dtype)

    def forward(self, input: Tensor) -> Tensor:
        return F.prelu(input, self.weight)


class Hardtanh(_Activation):
    """x between `min_val` and `max_val`, else the nearer of them."""

    OPTIONS = ("min_val", "max_val")

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        check_flags(type(self).__name__, inplace=inplace)
        super().__init__()
        self.min_val = check_number("Hardtanh", "min_val", min_val)
        self.max_val = check_number("Hardtanh", "max_val", max_val)
        self.inplace = bool(inplace)

    def forward(self, input: Tensor) -> Tensor:
        return F.hardtanh(input, self.min_val, self.max_val)


class ELU(_WithAlpha):
    """x where x > 0, else ``alpha * (exp(x) - 1)``."""

    def forward(self, input: Tensor) -> Tensor:
        return F.elu(input, self.alpha)


class CELU(_WithAlpha):
    """x where x > 0, else ``alpha * (exp(x / alpha) - 1)``."""

    def forward(self, input: Tensor) -> Tensor:
        return F.celu(input, self.alpha)


class SELU(_WithoutOptions):
    """ELU with the slope and scale that keep mean 0 and variance 1; see `functional.selu`."""

    def forward(self, input: Tensor) -> Tensor:
        return F.selu(input)


class GELU(_Activation):
    """x times the probability of a standard normal number below x; see `functional.gelu`."""

    OPTIONS = ("approximate",)

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = check_choice("GELU", "approximate", approximate, ("none", "tanh"))

    def forward(self, input: Tensor) -> Tensor:
        return F.gelu(input, self.approximate)


class SiLU(_WithoutOptions):
    """``x * sigmoid(x)``."""

    def forward(self, input: Tensor) -> Tensor:
        return F.silu(input)


class Softplus(_Activation):
    """``log(1 + exp(beta * x)) / beta``, and x where ``beta * x > threshold``."""

    OPTIONS = ("beta", "threshold")

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = check_number("Softplus", "beta", beta)
        self.threshold = check_number("Softplus", "threshold", threshold)

    def forward(self, input: Tensor) -> Tensor:
        return F.softplus(input, self.beta, self.threshold)


class Sigmoid(_Activation):
    """1 / (1 + exp(-x))."""

    def forward(self, input: Tensor) -> Tensor:
        return F.sigmoid(input)


class LogSigmoid(_Activation):
    """Logarithm of the sigmoid."""

    def forward(self, input: Tensor) -> Tensor:
        return F.logsigmoid(input)


class Tanh(_Activation):
    """Hyperbolic tangent."""

    def forward(self, input: Tensor) -> Tensor:
        return F.tanh(input)


class Softmax(_Activation):
    """Probabilities along `dim`."""

    OPTIONS = ("dim",)

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return F.softmax(input, self.dim)


class LogSoftmax(Softmax):
    """Logarithms of the probabilities along `dim`."""

    def forward(self, input: Tensor) -> Tensor:
        return F.log_softmax(input, self.dim)


class Softmin(Softmax):
    """Probabilities along `dim`, the largest for the smallest value."""

    def forward(self, input: Tensor) -> Tensor:
        return F.softmin(input, self.dim)


class Maxout(_Activation):
    """The largest of each `pieces` neighbouring channels; see `functional.maxout`.

    Examples
    --------
    >>> import tinyconv as tc
    >>> from tinyconv import nn
    >>> neuron = nn.Sequential(nn.Linear(4, 2), nn.Maxout(2))      # slide S3: max(w1 x + b1, w2 x + b2)
    >>> neuron(tc.zeros(3, 4)).shape
    (3, 1)
    """

    OPTIONS = ("pieces", "dim")

    def __init__(self, pieces: int, dim: int = 1) -> None:
        super().__init__()
        self.pieces, self.dim = check_positive("Maxout", "pieces", pieces), dim

    def forward(self, input: Tensor) -> Tensor:
        return F.maxout(input, self.pieces, self.dim)
