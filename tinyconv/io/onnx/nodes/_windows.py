"""Windows that slide over images, as convolution and pooling nodes describe them."""

from __future__ import annotations

from typing import Any, NamedTuple

from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.io.onnx.node import Node
from tinyconv.ops.padding import Pad
from tinyconv.tensor import Tensor

Sizes = tuple[int, ...]

AUTO_PADS = ("NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID")


class Windows(NamedTuple):
    """Sizes per spatial dimension; `before` and `after` are the padding."""

    kernel: Sizes
    stride: Sizes
    dilation: Sizes
    before: Sizes
    after: Sizes
    output: Sizes

    @property
    def even(self) -> bool:
        """Whether the padding is the same on both sides, and no window hangs over the end."""
        return self.before == self.after

    def overhang(self, size: Sizes) -> Sizes:
        """How many pixels are missing at the end for the last window, in the padded image."""
        return tuple(
            max((count - 1) * step + dilation * (kernel - 1) + 1 - (n + before + after), 0)
            for n, kernel, step, dilation, before, after, count in zip(size, *self, strict=True)
        )

    def padded(self, x: Tensor, value: float) -> Tensor:
        """The image with its padding, and with what the last windows need beyond it."""
        after = (a + extra for a, extra in zip(self.after, self.overhang(x.shape[2:]), strict=True))
        widths = ((0, 0), (0, 0), *zip(self.before, after, strict=True))
        return Pad.apply(x, widths, value) if any(map(any, widths)) else x


def per_axis(node: Node, name: str, dims: int, default: int, minimum: int = 1) -> Sizes:
    """An attribute with a number per spatial dimension."""
    value = node.integers(name, (default,) * dims)
    if len(value) != dims or min(value, default=minimum) < minimum:
        raise ArgumentError(node.where, f"attribute {name}", value, f"{dims} ints >= {minimum}")
    return value


def windows_of(node: Node, x: Tensor, kernel: Sizes) -> Windows:
    """The windows of a convolution or pooling over x (N, C, *spatial)."""
    dims, size = x.ndim - 2, x.shape[2:]
    if dims < 1 or len(kernel) != dims or min(kernel) < 1:
        found = f"of shape {x.shape}, for kernel_shape {kernel}"
        raise ShapeError(node.op, "X", found, "(N, C, *spatial) and a size >= 1 for each spatial dimension")
    stride, dilation = per_axis(node, "strides", dims, 1), per_axis(node, "dilations", dims, 1)
    reach = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))
    auto = node.text("auto_pad", "NOTSET", AUTO_PADS)
    if auto.startswith("SAME"):
        output = tuple(-(-n // s) for n, s in zip(size, stride, strict=True))
        whole = [max((o - 1) * s + r - n, 0) for o, s, r, n in zip(output, stride, reach, size, strict=True)]
        before, after = halves(whole, more_at_end=auto == "SAME_UPPER")
        return Windows(kernel, stride, dilation, before, after, output)
    pads = per_axis(node, "pads", 2 * dims, 0, 0) if auto == "NOTSET" else (0,) * (2 * dims)
    before, after, ceil = pads[:dims], pads[dims:], node.flag("ceil_mode")
    geometry = zip(size, before, after, reach, stride, strict=True)
    output = tuple(_count(ceil, *numbers) for numbers in geometry)
    if min(output) < 1:
        found = f"of shape {x.shape}"
        raise ShapeError(
            node.op, "X", found, f"with its padding {pads} at least as large as a window {reach}"
        )
    return Windows(kernel, stride, dilation, before, after, output)


def halves(whole: Any, more_at_end: bool) -> tuple[Sizes, Sizes]:
    """Numbers split in two, the larger half at the end or at the beginning."""
    less = tuple(n // 2 for n in whole)
    more = tuple(n - n // 2 for n in whole)
    return (less, more) if more_at_end else (more, less)


def _count(ceil: bool, size: int, before: int, after: int, reach: int, stride: int) -> int:
    """How many windows there are; with `ceil` also those that hang over the end, if they begin before it."""
    room = size + before + after - reach
    if not ceil:
        return room // stride + 1
    count = -(-room // stride) + 1
    return count - 1 if (count - 1) * stride >= size + before else count
