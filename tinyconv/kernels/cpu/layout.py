"""Copying between memory orders inside compiled kernels: runs, and strips with borders."""

from __future__ import annotations

from typing import Any

import numba
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from tinyconv.kernels.cpu._moves import copy_part
from tinyconv.kernels.cpu._vector_code import VECTOR_BYTES

Array = Any

WORTH_A_CALL = 8  # shorter runs are copied number by number


def _copy_run(typingctx: Any, target: Any, first: Any, source: Any, source_first: Any, count: Any) -> Any:
    """``target[first : first + count] = source[source_first : source_first + count]``, as memcpy."""
    signature = types.void(target, types.int64, source, types.int64, types.int64)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        to, begin = (
            builder.gep(context.make_array(signature.args[i])(context, builder, args[i]).data, [args[i + 1]])
            for i in (0, 2)
        )
        cgutils.raw_memcpy(builder, to, begin, args[4], target.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return signature, generate


def _clear_run(typingctx: Any, target: Any, first: Any, count: Any) -> Any:
    """``target[first : first + count] = 0``, as memset."""
    signature = types.void(target, types.int64, types.int64)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, args[0])
        size = builder.mul(args[2], ir.Constant(args[2].type, target.dtype.bitwidth // 8))
        cgutils.memset(builder, builder.gep(array.data, [args[1]]), size, 0)
        return context.get_dummy_value()

    return signature, generate


copy_run: Any = intrinsic(_copy_run)
clear_run: Any = intrinsic(_clear_run)


@numba.njit(nogil=True)
def copy_pixels(
    target: Array, first: int, step: int, source: Array, start: int, pixel_step: int, channel_step: int,
    pixels: int, channels: int,
) -> None:  # fmt: skip
    """Copy one image row to channels-last memory, pixels `step` apart, from any memory order."""
    if channel_step == 1 and pixel_step == channels and step == channels:
        copy_run(target, first, source, start, pixels * channels)
    elif channel_step == 1 and 1 < channels <= VECTOR_BYTES // target.itemsize:
        for w in range(pixels):
            copy_part(target, first + w * step, source, start + w * pixel_step, channels)
    elif channel_step == 1 and channels >= WORTH_A_CALL:
        for w in range(pixels):
            copy_run(target, first + w * step, source, start + w * pixel_step, channels)
    else:
        for c in range(channels):
            for w in range(pixels):
                target[first + w * step + c] = source[start + c * channel_step + w * pixel_step]


@numba.njit(nogil=True)
def copy_strip(
    strip: Array, first: int, shape: tuple[int, int, int, int], pixel: int, source: Array, start: int,
    steps: tuple[int, int, int, int], size: tuple[int, int], corner: tuple[int, int],
) -> None:  # fmt: skip
    """Copy a strip of an image to channels-last memory; what lies outside the image is 0.

    shape : (images, rows, columns, channels) of the strip.
    pixel : numbers of a pixel in the strip, at least `channels`; the others are left as they are inside
        the image, and 0 outside.
    steps : of images, channels, rows and columns in `source`.
    size, corner : of the image (H, W); the strip's first row and column in it, maybe negative.
    """
    images, rows, columns, channels = shape
    image_step, channel_step, row_step, pixel_step = steps
    top, left = corner
    begin = min(max(0, -left), columns)
    end = max(begin, min(columns, size[1] - left))
    pitch = columns * pixel
    for n in range(images):
        for r in range(rows):
            to = first + (n * rows + r) * pitch
            h = top + r
            if h < 0 or h >= size[0]:
                clear_run(strip, to, pitch)
            else:
                clear_run(strip, to, begin * pixel)
                origin = start + n * image_step + h * row_step + (left + begin) * pixel_step
                copy_pixels(
                    strip, to + begin * pixel, pixel, source, origin, pixel_step, channel_step,
                    end - begin, channels,
                )  # fmt: skip
                clear_run(strip, to + end * pixel, (columns - end) * pixel)
