"""Activation layers that pull small values to zero, or to another value."""

from __future__ import annotations

from tinyconv.nn import functional as F
from tinyconv.nn.activation import _Activation
from tinyconv.ops._checks import check_flags, check_number
from tinyconv.ops.loss_common import check_at_least
from tinyconv.tensor import Tensor


class Threshold(_Activation):
    """x where x > `threshold`, else `value`."""

    OPTIONS = ("threshold", "value")

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        check_flags(type(self).__name__, inplace=inplace)
        super().__init__()
        self.threshold = check_number("Threshold", "threshold", threshold)
        self.value = check_number("Threshold", "value", value)
        self.inplace = bool(inplace)

    def forward(self, input: Tensor) -> Tensor:
        return F.threshold(input, self.threshold, self.value)


class Hardshrink(_Activation):
    """x where it is beyond `lambd` or below -`lambd`, else 0."""

    OPTIONS = ("lambd",)

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = check_number("Hardshrink", "lambd", lambd)

    def forward(self, input: Tensor) -> Tensor:
        return F.hardshrink(input, self.lambd)


class Softshrink(_Activation):
    """x moved towards 0 by `lambd`, but not past it."""

    OPTIONS = ("lambd",)

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = check_at_least("Softshrink", "lambd", lambd, 0)

    def forward(self, input: Tensor) -> Tensor:
        return F.softshrink(input, self.lambd)


class Tanhshrink(_Activation):
    """``x - tanh(x)``."""

    def forward(self, input: Tensor) -> Tensor:
        return F.tanhshrink(input)


class Softsign(_Activation):
    """``x / (1 + |x|)``."""

    def forward(self, input: Tensor) -> Tensor:
        return F.softsign(input)
