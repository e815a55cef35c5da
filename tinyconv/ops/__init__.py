"""Differentiable functions: forward and backward side by side, one file per family.

A forward calls a kernel (arrays in, arrays out); a backward is written with ops, so that
first and higher derivatives come from the same lines.
"""

from tinyconv.ops import methods as methods  # attaches the ops to Tensor
from tinyconv.ops.activation import elu, leaky_relu, relu, sigmoid, tanh
from tinyconv.ops.conv import conv1d, conv2d, conv3d
from tinyconv.ops.conv_transpose import conv_transpose1d, conv_transpose2d, conv_transpose3d
from tinyconv.ops.creation import (
    arange,
    as_tensor,
    eye,
    from_numpy,
    full,
    ones,
    ones_like,
    rand,
    randint,
    randn,
    tensor,
    zeros,
    zeros_like,
)
from tinyconv.ops.dropout import dropout
from tinyconv.ops.elementwise import add, div, exp, log, mul, neg, pow, sub, where
from tinyconv.ops.loss import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    dice_loss,
    mse_loss,
)
from tinyconv.ops.matmul import linear, matmul
from tinyconv.ops.pooling import avg_pool2d, max_pool2d, max_unpool2d
from tinyconv.ops.reduction import amax, argmax, max, mean, sum
from tinyconv.ops.shape import (
    cat,
    expand,
    flatten,
    permute,
    reshape,
    squeeze,
    transpose,
    unsqueeze,
)
from tinyconv.ops.softmax import log_softmax, softmax

__all__ = [
    "add",
    "amax",
    "arange",
    "argmax",
    "as_tensor",
    "avg_pool2d",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cat",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "cross_entropy",
    "dice_loss",
    "div",
    "dropout",
    "elu",
    "exp",
    "expand",
    "eye",
    "flatten",
    "from_numpy",
    "full",
    "leaky_relu",
    "linear",
    "log",
    "log_softmax",
    "matmul",
    "max",
    "max_pool2d",
    "max_unpool2d",
    "mean",
    "mse_loss",
    "mul",
    "neg",
    "ones",
    "ones_like",
    "permute",
    "pow",
    "rand",
    "randint",
    "randn",
    "relu",
    "reshape",
    "sigmoid",
    "softmax",
    "squeeze",
    "sub",
    "sum",
    "tanh",
    "tensor",
    "transpose",
    "unsqueeze",
    "where",
    "zeros",
    "zeros_like",
]
