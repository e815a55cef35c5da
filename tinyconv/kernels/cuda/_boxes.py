"""What the pooling kernels are told about images and windows, see `boxes.cuh`."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.kernels.cuda._launch import C_TYPES, channels_first, channels_last, kernel
from tinyconv.kernels.cuda._rows import lanes_of, launch_rows

Array = Any
Sizes = tuple[int, ...]

MAPS = np.dtype(
    [(name, "i4") for name in ("images", "channels", "lanes")] + [("size", "i4", 3), ("out", "i4", 3)]
)
"""The struct Maps. CuPy hands an array of one element to a kernel by value."""
SLIDING = np.dtype(
    [(name, "i4", 3) for name in ("kernel", "stride", "padding", "dilation")] + [("counts_padding", "i4")]
)
"""The struct Sliding."""


def suits(x: Array) -> bool:
    """Whether x is float32 or float64, (N, C, *spatial) with one to three dimensions."""
    return x.ndim in (3, 4, 5) and str(x.dtype) in C_TYPES and x.shape[1] * x.shape[-1] < 2**31


def maps_of(x: Array, size: Sizes, out: Sizes, *read: Array) -> Any:
    """The images and channels of x, and the sizes of the image and of what is pooled.

    Of the arrays that are `read`, the first of the dtype of what is written, a thread takes several channels
    at a time where they lie so that it can; without any it takes one.
    """
    lanes = lanes_of(read, x.shape[1]) if read else 1
    return np.array((*x.shape[:2], lanes, _volume(size, 1), _volume(out, 1)), MAPS)


def sliding(
    kernel_size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, counts_padding: bool = False
) -> Any:
    """The windows of max and average pooling."""
    sizes = ((kernel_size, 1), (stride, 1), (padding, 0), (dilation, 1))
    return np.array((*(_volume(*each) for each in sizes), counts_padding), SLIDING)


def _volume(size: Sizes, missing: int) -> Sizes:
    return (missing,) * (3 - len(size)) + tuple(size)


def launch_places(source: str, name: str, dtype: Any, maps: Any, places: str, args: tuple[Any, ...]) -> None:
    """Call a kernel with a thread for the channels of each place of ``maps[places]``, "size" or "out".

    A kernel of whole numbers, without a dtype, takes one channel at a time.
    """
    depth, height, width = map(int, maps[places])
    expression = f"{name}<{C_TYPES[str(dtype)]}>" if dtype is not None else name
    lanes = int(maps["lanes"]) if dtype is not None else 1
    rows, length = int(maps["images"]) * depth * height, width * int(maps["channels"]) // lanes
    if rows * length:
        launch_rows(kernel(source, expression), rows, length, args)


def empty_places(x: Array, size: Sizes, dtype: Any = None) -> Array:
    """A channels-last array (N, C, *size) with the images and channels of x (N, C, ...)."""
    import cupy

    return channels_first(cupy.empty((x.shape[0], *size, x.shape[1]), dtype or x.dtype))


def pool_largest(source: str, name: str, x: Array, out: Sizes, *windows: Any) -> tuple[Array, Array]:
    """The largest of each window and its index, both (N, C, *out)."""
    pixels = channels_last(x)
    maps = maps_of(x, x.shape[2:], out, pixels)
    y, indices = empty_places(x, out), empty_places(x, out, np.int32)
    launch_places(source, name, x.dtype, maps, "out", (pixels, y, indices, maps, *windows))
    return y, indices


def pool_mean(source: str, name: str, x: Array, out: Sizes, *windows: Any) -> Array:
    """The mean of each window, (N, C, *out)."""
    pixels = channels_last(x)
    maps = maps_of(x, x.shape[2:], out, pixels)
    y = empty_places(x, out)
    launch_places(source, name, x.dtype, maps, "out", (pixels, y, maps, *windows))
    return y


def spread_mean(source: str, name: str, grad: Array, size: Sizes, *windows: Any) -> Array:
    """The gradient of means: (N, C, *size)."""
    means = channels_last(grad)
    maps = maps_of(grad, size, grad.shape[2:], means)
    out = empty_places(grad, size)
    launch_places(source, name, grad.dtype, maps, "size", (means, out, maps, *windows))
    return out
