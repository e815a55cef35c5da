"""Windows of an image as columns, and columns as an image."""

from __future__ import annotations

import numpy as np

from tinyconv.io.onnx.builder import Builder
from tinyconv.io.onnx.recording import Value
from tinyconv.io.onnx.sizes import product
from tinyconv.io.onnx.table import translates
from tinyconv.ops.unfold import Fold, Unfold

Sizes = tuple[int, ...]


@translates(Unfold)
def unfold(
    builder: Builder, x: Value, kernel_size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
) -> str:
    """A convolution of each channel with kernels that pick one pixel each."""
    channels, count = x.shape[1], product(kernel_size)
    picks = np.eye(count, dtype=x.dtype).reshape(count, 1, *kernel_size)
    windows = builder.node(
        "Conv",
        [x, np.tile(picks, (channels, 1, 1, 1))],
        strides=stride,
        pads=(*padding, *padding),
        dilations=dilation,
        group=channels,
    )
    return builder.node("Reshape", [windows, np.array([0, channels * count, -1])])


@translates(Fold)
def fold(
    builder: Builder,
    x: Value,
    size: Sizes,
    kernel_size: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
) -> str:
    return builder.node(
        "Col2Im",
        [x, builder.ints(size), builder.ints(kernel_size)],
        strides=stride,
        pads=(*padding, *padding),
        dilations=dilation,
    )
