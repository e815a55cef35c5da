"""The ops whose forward a program need not call, because all of it is known.

An op that stands in neither table is repeated as a whole, which is always right and takes a few
microseconds more.
"""

from __future__ import annotations

INLINE = {
    "Expand": "broadcast_to({0}, {1})",
    "Permute": "{0}.transpose({1})",
    "Reshape": "{0}.reshape({1})",
}
"""Ops that are one call of an array's module, with what stands for them in the program."""

KERNELS_ONLY = frozenset(
    (
        *("Add", "Sub", "Mul", "Div", "Neg", "Exp", "Log"),
        *("Linear", "LinearBackward", "MatMul", "Cat", "IndexScatter", "Dropout", "NanOutside"),
        *("ReLU", "LeakyReLU", "ELU", "Sigmoid", "Tanh", "Fused", "FusedGradient"),
        *("ReLUBackward", "LeakyReLUBackward", "ELUBackward", "SigmoidBackward", "TanhBackward"),
        *("Conv", "ConvTranspose", "ConvWeightGrad", "ConvParameterGrads"),
        *("MaxPool", "PoolScatter", "PoolGather"),
        *("BatchNorm", "Normalize", "ChannelAffine", "SoftmaxNLL", "SoftmaxNLLBackward"),
    )
)
"""Ops whose forward does nothing but call kernels, with its inputs' arrays and numbers that do not
depend on the values in them."""
