"""Convolutions and matrix products."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from tinyconv import ops
from tinyconv.errors import ArgumentError, DtypeError, ShapeError
from tinyconv.io.onnx.node import Node
from tinyconv.io.onnx.nodes._arguments import whole_numbers
from tinyconv.io.onnx.nodes._windows import AUTO_PADS, Sizes, halves, per_axis, windows_of
from tinyconv.ops._checks import check_same_dtype
from tinyconv.ops.conv import conv_nd
from tinyconv.ops.conv_transpose import conv_transpose_nd
from tinyconv.ops.operands import astype
from tinyconv.ops.padding import Pad
from tinyconv.ops.shape import IndexScatter
from tinyconv.tensor import Tensor


def conv(node: Node, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Convolution; padding that differs between the sides is made before it."""
    windows = windows_of(node, x, _kernel(node, weight))
    dims, groups = x.ndim - 2, node.integer("group", 1)
    pads = windows.before if windows.even else (0,) * dims
    x = x if windows.even else windows.padded(x, 0.0)
    return conv_nd("Conv", dims, x, weight, bias, windows.stride, pads, windows.dilation, groups)


def conv_transpose(node: Node, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Transposed convolution: the whole of it, from which the padding is taken away."""
    kernel, dims, groups = _kernel(node, weight), x.ndim - 2, node.integer("group", 1)
    if dims < 1 or len(kernel) != dims:
        raise ShapeError(node.op, "X", f"of shape {x.shape}", f"as many dimensions as W, {weight.shape}")
    stride, dilation = per_axis(node, "strides", dims, 1), per_axis(node, "dilations", dims, 1)
    extra = per_axis(node, "output_padding", dims, 0, 0)
    whole = tuple(
        (n - 1) * s + d * (k - 1) + 1
        for n, s, d, k in zip(x.shape[2:], stride, dilation, kernel, strict=True)
    )
    before, after = _taken_away(node, x, whole, stride, extra)
    if before == after and min(before) >= 0 and not any(extra):
        options = (stride, before, 0, groups, dilation)
        return conv_transpose_nd("ConvTranspose", dims, x, weight, bias, *options)
    y = conv_transpose_nd("ConvTranspose", dims, x, weight, None, stride, 0, 0, groups, dilation)
    widths = [(-b, e - a) for b, a, e in zip(before, after, extra, strict=True)]
    if any(n + b + a < 1 for n, (b, a) in zip(whole, widths, strict=True)):
        raise ShapeError(node.op, "pads", widths, f"less than the whole output, {whole}")
    y = Pad.apply(y, ((0, 0), (0, 0), *widths), 0.0)
    return y if bias is None else y + ops.reshape(bias, (-1, *[1] * dims))


def _taken_away(node: Node, x: Tensor, whole: Sizes, stride: Sizes, extra: Sizes) -> tuple[Sizes, Sizes]:
    """What is taken away at the beginning and at the end of each dimension."""
    dims, auto = len(whole), node.text("auto_pad", "NOTSET", AUTO_PADS)
    wanted = node.integers("output_shape", None)
    if wanted is None and auto.startswith("SAME"):
        wanted = tuple(n * s for n, s in zip(x.shape[2:], stride, strict=True))
    if wanted is None:
        pads = per_axis(node, "pads", 2 * dims, 0, 0) if auto == "NOTSET" else (0,) * (2 * dims)
        return pads[:dims], pads[dims:]
    if len(wanted) != dims:
        raise ArgumentError(node.where, "attribute output_shape", wanted, f"{dims} sizes")
    surplus = [n + e - w for n, e, w in zip(whole, extra, wanted, strict=True)]
    return halves(surplus, more_at_end=auto == "SAME_UPPER")


def _kernel(node: Node, weight: Tensor) -> Sizes:
    kernel = weight.shape[2:]
    if node.integers("kernel_shape", kernel) != kernel:
        found = node.integers("kernel_shape")
        raise ArgumentError(node.where, "attribute kernel_shape", found, f"what W has, {kernel}")
    return kernel


def col2im(node: Node, x: Tensor, image: Tensor, block: Tensor) -> Tensor:
    """Columns (N, C pixels, windows) added back to the windows of an image that they stand for."""
    size, kernel = whole_numbers(node, "image_shape", image), whole_numbers(node, "block_shape", block)
    dims = len(size)
    if x.ndim != 3 or len(kernel) != dims or not dims or min(kernel) < 1 or x.shape[1] % prod(kernel):
        found = f"of shape {x.shape}, for blocks {kernel}"
        raise ShapeError("Col2Im", "input", found, "(N, C * pixels of a block, windows)")
    stride, dilation = per_axis(node, "strides", dims, 1), per_axis(node, "dilations", dims, 1)
    pads = per_axis(node, "pads", 2 * dims, 0, 0)
    whole = tuple(n + b + a for n, b, a in zip(size, pads[:dims], pads[dims:], strict=True))
    counts = tuple(
        (n - d * (k - 1) - 1) // s + 1 for n, d, k, s in zip(whole, dilation, kernel, stride, strict=True)
    )
    if min(counts) < 1 or prod(counts) != x.shape[2]:
        raise ShapeError("Col2Im", "input", f"with {x.shape[2]} windows", f"{counts} windows")
    channels = x.shape[1] // prod(kernel)
    columns = ops.reshape(x, (x.shape[0], channels, *kernel, *counts))
    index: list[Any] = [slice(None), slice(None)]
    for axis in range(dims):
        place = np.arange(kernel[axis])[:, None] * dilation[axis] + np.arange(counts[axis]) * stride[axis]
        shape = [1] * (2 * dims)
        shape[axis], shape[dims + axis] = place.shape
        index.append(place.reshape(shape))
    y = IndexScatter.apply(columns, tuple(index), (x.shape[0], channels, *whole))
    return Pad.apply(
        y, ((0, 0), (0, 0), *((-b, -a) for b, a in zip(pads[:dims], pads[dims:], strict=True))), 0.0
    )


def gemm(node: Node, a: Tensor, b: Tensor, c: Tensor | None = None) -> Tensor:
    """alpha a b + beta c, with a and b transposed if the attributes say so."""
    check_same_dtype("Gemm", A=a, B=b, C=c)
    alpha, beta = node.number("alpha", 1.0), node.number("beta", 1.0)
    a = ops.t(a) if node.flag("transA") else a
    if alpha == beta == 1.0 and c is not None and b.ndim == 2:
        out = b.shape[0] if node.flag("transB") else b.shape[1]
        if c.shape == (out,) and a.dtype.kind == "f":
            return ops.linear(a, b if node.flag("transB") else ops.t(b), c)
    y = ops.mm(a, ops.t(b) if node.flag("transB") else b)
    y = y if alpha == 1.0 else astype(y * alpha, a.dtype)
    if c is None:
        return y
    return y + (c if beta == 1.0 else astype(c * beta, a.dtype))


def einsum(node: Node, *operands: Tensor) -> Tensor:
    """Einstein's sum."""
    return ops.einsum(node.text("equation"), *operands)


def matmul(node: Node, a: Tensor, b: Tensor) -> Tensor:
    """The product of matrices, or of stacks of them."""
    if a.dtype != b.dtype:
        raise DtypeError("MatMul", "the inputs' dtypes", f"{a.dtype} and {b.dtype}", "the same")
    return ops.matmul(a, b)


TABLE: dict[str, Callable[..., Any]] = {
    "Col2Im": col2im,
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "Einsum": einsum,
    "Gemm": gemm,
    "MatMul": matmul,
}
