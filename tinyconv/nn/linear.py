"""The fully connected layer."""

from __future__ import annotations

from math import sqrt
from typing import Any

from tinyconv.nn import functional as F
from tinyconv.nn import init
from tinyconv.nn.module import Module, Parameter
from tinyconv.ops import zeros
from tinyconv.ops._checks import check_flags, check_positive
from tinyconv.tensor import Tensor


class Linear(Module):
    """y = x W^T + b: each of the out_features neurons sees all in_features inputs.

    Parameters
    ----------
    in_features, out_features : int
    bias : bool
        Whether the neurons have a bias.
    device, dtype
        Where the parameters live, and float32 or float64; all layers with parameters take them.

    Attributes
    ----------
    weight : Parameter
        Shape (out_features, in_features); uniform in +-1 / sqrt(in_features) at first, as the bias.
    bias : Parameter or None
        Shape (out_features,).

    Examples
    --------
    >>> import tinyconv as tc
    >>> from tinyconv import nn
    >>> layer = nn.Linear(256 * 256, 64)      # slide S1: too many parameters for an image
    >>> layer.weight.numel(), layer.bias.numel()
    (4194304, 64)
    """

    bias: Parameter | None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: str | None = None,
        dtype: Any = None,
    ) -> None:
        check_flags(type(self).__name__, bias=bias)
        super().__init__()
        self.in_features = check_positive("Linear", "in_features", in_features)
        self.out_features = check_positive("Linear", "out_features", out_features)
        self.weight = Parameter(zeros(out_features, in_features))
        self.register_parameter("bias", Parameter(zeros(out_features)) if bias else None)
        self.reset_parameters()
        self.to(device=device, dtype=dtype)

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        reset_uniform(self.weight, self.bias, self.in_features)

    def forward(self, input: Tensor) -> Tensor:
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"
        )


def reset_uniform(weight: Tensor, bias: Tensor | None, fan_in: int) -> None:
    """PyTorch's default initialisation: uniform in +-1 / sqrt(fan_in)."""
    bound = 1 / sqrt(fan_in)
    init.uniform_(weight, -bound, bound)
    if bias is not None:
        init.uniform_(bias, -bound, bound)
