"""The activation functions of the slides, with the gradient at the kink stated.

The derivative of most of them is cheapest from their output y, which is why `forward` saves
that. Each has a backward op of its own, so that a fast kernel can compute it in one pass;
the derivative of that op is written below it.
"""

from __future__ import annotations

from typing import Any

from tinyconv.autograd import Function
from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.kernels import activation as kernels
from tinyconv.ops._checks import check_flags, check_float, check_number, check_positive, normalize_dim
from tinyconv.ops.reduction import amax
from tinyconv.ops.shape import reshape
from tinyconv.tensor import Tensor


class ReLU(Function):
    """y = max(0, x); at 0 the gradient is 0."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Any:
        y = kernels.relu(x.array)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (y,) = ctx.saved_tensors
        return ReLUBackward.apply(grad, y.detach())


class ReLUBackward(Function):
    """grad where y > 0, else 0."""

    @staticmethod
    def forward(ctx: Any, grad: Tensor, y: Tensor) -> Any:
        ctx.save_for_backward(y)
        return kernels.relu_backward(grad.array, y.array)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (y,) = ctx.saved_tensors
        return ReLUBackward.apply(grad, y), None


class LeakyReLU(Function):
    """y = x where x > 0, else slope x; at 0 the gradient is slope."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, negative_slope: float) -> Any:
        ctx.save_for_backward(x)
        ctx.negative_slope = negative_slope
        return kernels.leaky_relu(x.array, negative_slope)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return LeakyReLUBackward.apply(grad, x.detach(), ctx.negative_slope), None


class LeakyReLUBackward(Function):
    """grad where x > 0, else slope grad."""

    @staticmethod
    def forward(ctx: Any, grad: Tensor, x: Tensor, negative_slope: float) -> Any:
        ctx.save_for_backward(x)
        ctx.negative_slope = negative_slope
        return kernels.leaky_relu_backward(grad.array, x.array, negative_slope)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return LeakyReLUBackward.apply(grad, x, ctx.negative_slope), None, None


class ELU(Function):
    """y = x where x > 0, else alpha (e^x - 1); at 0 the gradient is alpha."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, alpha: float) -> Any:
        y = kernels.elu(x.array, alpha)
        ctx.save_for_backward(y)
        ctx.alpha = alpha
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (y,) = ctx.saved_tensors
        return ELUBackward.apply(grad, y, ctx.alpha), None


class ELUBackward(Function):
    """grad where y > 0, else grad (y + alpha)."""

    @staticmethod
    def forward(ctx: Any, grad: Tensor, y: Tensor, alpha: float) -> Any:
        ctx.save_for_backward(grad, y)
        ctx.alpha = alpha
        return kernels.elu_backward(grad.array, y.array, alpha)

    @staticmethod
    def backward(ctx: Any, outer: Tensor) -> Any:
        grad, y = ctx.saved_tensors
        below = Tensor((y.array <= 0).astype(y.dtype))
        return ELUBackward.apply(outer, y, ctx.alpha), outer * grad * below, None


class Sigmoid(Function):
    """y = 1 / (1 + e^-x), so dy/dx = y (1 - y)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Any:
        y = kernels.sigmoid(x.array)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (y,) = ctx.saved_tensors
        return SigmoidBackward.apply(grad, y)


class SigmoidBackward(Function):
    """grad y (1 - y)."""

    @staticmethod
    def forward(ctx: Any, grad: Tensor, y: Tensor) -> Any:
        ctx.save_for_backward(grad, y)
        return kernels.sigmoid_backward(grad.array, y.array)

    @staticmethod
    def backward(ctx: Any, outer: Tensor) -> Any:
        grad, y = ctx.saved_tensors
        return SigmoidBackward.apply(outer, y), outer * grad * (1 - 2 * y)


class Tanh(Function):
    """y = tanh x, so dy/dx = 1 - y^2."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Any:
        y = kernels.tanh(x.array)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (y,) = ctx.saved_tensors
        return TanhBackward.apply(grad, y)


class TanhBackward(Function):
    """grad (1 - y^2)."""

    @staticmethod
    def forward(ctx: Any, grad: Tensor, y: Tensor) -> Any:
        ctx.save_for_backward(grad, y)
        return kernels.tanh_backward(grad.array, y.array)

    @staticmethod
    def backward(ctx: Any, outer: Tensor) -> Any:
        grad, y = ctx.saved_tensors
        return TanhBackward.apply(outer, y), outer * grad * (-2 * y)


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(0, x), element by element; the gradient at 0 is 0.

    `inplace`, here and elsewhere, is accepted so that PyTorch's scripts run; the result is a new tensor.
    """
    check_flags("relu", inplace=inplace)
    return ReLU.apply(check_float("relu", "input", input))


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where x > 0, else ``negative_slope * x`` (slide S3 uses 0.1); the gradient at 0 is the slope."""
    check_flags("leaky_relu", inplace=inplace)
    return LeakyReLU.apply(
        check_float("leaky_relu", "input", input),
        check_number("leaky_relu", "negative_slope", negative_slope),
    )


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else ``alpha * (exp(x) - 1)`` (Clevert et al. 2015); the gradient at 0 is alpha.

    Raises
    ------
    ArgumentError
        If `alpha` is negative: the sign of the output would not tell the branch any more.
    """
    check_flags("elu", inplace=inplace)
    check_float("elu", "input", input)
    if check_number("elu", "alpha", alpha) < 0:
        raise ArgumentError("elu", "alpha", alpha, "a number >= 0")
    return ELU.apply(input, float(alpha))


def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + exp(-x)), element by element."""
    return Sigmoid.apply(check_float("sigmoid", "input", input))


def tanh(input: Tensor) -> Tensor:
    """Hyperbolic tangent, element by element."""
    return Tanh.apply(check_float("tanh", "input", input))


def maxout(input: Tensor, pieces: int, dim: int = 1) -> Tensor:
    """The largest of each `pieces` neighbours along `dim` (Goodfellow et al. 2013).

    Slide S3's ``max(w1 x + b1, w2 x + b2)`` is a linear layer with twice as many outputs,
    followed by this with ``pieces=2``. Pieces that tie share the gradient.

    Parameters
    ----------
    input : Tensor, shape (N, C, *spatial)
    pieces : int
        C must be a multiple of it; the output has C / pieces channels.
    dim : int
        The dimension of the channels.

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> F.maxout(tc.tensor([[1.0, 4.0, 3.0, 2.0]]), pieces=2).tolist()
    [[4.0, 3.0]]
    """
    pieces = check_positive("maxout", "pieces", pieces)
    axis = normalize_dim("maxout", dim, check_float("maxout", "input", input).ndim)
    if input.ndim == 0 or input.shape[axis] % pieces:
        expected = f"a multiple of pieces = {pieces} elements in dimension {dim}"
        raise ShapeError("maxout", "input", f"of shape {input.shape}", expected)
    count = input.shape[axis] // pieces
    split = reshape(input, (*input.shape[:axis], count, pieces, *input.shape[axis + 1 :]))
    return amax(split, axis + 1)
