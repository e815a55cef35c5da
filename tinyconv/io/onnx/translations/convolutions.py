"""Convolutions."""

from __future__ import annotations

from tinyconv.io.onnx.builder import Builder
from tinyconv.io.onnx.recording import Value
from tinyconv.io.onnx.sizes import Size
from tinyconv.io.onnx.table import translates
from tinyconv.ops import conv as conv_ops

Sizes = tuple[int, ...]


@translates(conv_ops.Conv)
def conv(
    builder: Builder,
    x: Value,
    weight: Value,
    bias: Value | None,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> str:
    return builder.node(
        "Conv",
        [x, weight, bias],
        kernel_shape=weight.shape[2:],
        strides=stride,
        pads=(*padding, *padding),
        dilations=dilation,
        group=groups,
    )


@translates(conv_ops.ConvTranspose)
def conv_transpose(
    builder: Builder,
    x: Value,
    weight: Value,
    bias: Value | None,
    size: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> str:
    geometry = zip(size, x.shape[2:], stride, padding, dilation, weight.shape[2:], strict=True)
    extra = [m - ((n - 1) * s - 2 * p + d * (k - 1) + 1) for m, n, s, p, d, k in geometry]
    if any(isinstance(n, Size) for n in extra):
        builder.refuse(
            "an output size that is no fixed number of pixels larger", "an output_padding that is fixed"
        )
    return builder.node(
        "ConvTranspose",
        [x, weight, bias],
        kernel_shape=weight.shape[2:],
        strides=stride,
        pads=(*padding, *padding),
        output_padding=extra if any(extra) else None,
        dilations=dilation,
        group=groups,
    )
