"""Numbers on a GPU are not looked at, as Python would wait for them: what is wrong there becomes NaN."""

from __future__ import annotations

from typing import Any

from tinyconv.autograd import Function
from tinyconv.device import CPU, array_module, kernel_backend
from tinyconv.grad_mode import _grad_mode
from tinyconv.kernels import elementwise as kernels
from tinyconv.recorder import computed
from tinyconv.tensor import Tensor


class NanOutside(Function):
    """x where low <= x <= high, else NaN; the gradient passes, as what comes after makes it NaN."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, low: float, high: float) -> Any:
        return kernels.nan_outside(x.array, low, high)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return grad, None, None


def unseen(values: Tensor) -> bool:
    """Whether they lie on a GPU, and nobody looks for what is wrong (`autograd.detect_anomaly` does)."""
    return kernel_backend.get() == "auto" and values.device != CPU and not _grad_mode.anomaly[0]


def nan_outside(values: Tensor, low: float, high: float) -> Tensor:
    """The floats, with NaN for what does not lie between `low` and `high`."""
    result: Tensor = NanOutside.apply(values, low, high)
    return result


@computed
def classes_or_nan(target: Tensor, classes: int, like: Tensor) -> tuple[Any, Tensor]:
    """Each class or, where a number is none, 0; and 1, or NaN where it is none, in the dtype of `like`."""
    labels = target.array.astype("int64")
    xp = array_module(labels)
    is_class = (labels >= 0) & (labels < classes)
    return xp.where(is_class, labels, 0), Tensor(xp.where(is_class, 1.0, xp.nan).astype(like.dtype))
