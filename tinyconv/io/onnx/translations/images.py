"""Resizing, padding and resampling images."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv import ops
from tinyconv.io.onnx.builder import Builder
from tinyconv.io.onnx.recording import Value
from tinyconv.io.onnx.table import translates
from tinyconv.io.onnx.translations.pools import average_to_size
from tinyconv.ops import padding, resample
from tinyconv.ops.interpolate import LINEAR
from tinyconv.ops.shape import IndexScatter

MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


@translates(ops.interpolate)
def interpolate(
    builder: Builder,
    input: Value,
    size: Any,
    scale_factor: Any,
    mode: str,
    align_corners: bool | None,
    recompute_scale_factor: bool | None,
    **options: Any,
) -> str:
    made = builder.call.outputs[0].shape[2:]
    if mode == "area":
        return average_to_size(builder, input, made)
    kind = "cubic" if mode == "bicubic" else "linear" if mode in LINEAR else "nearest"
    coordinates = "align_corners" if align_corners else "asymmetric" if mode == "nearest" else "half_pixel"
    rounding = {"nearest": "floor", "nearest-exact": "round_prefer_ceil"}.get(mode)
    scales, sizes, axes = None, None, None
    if size is not None or align_corners or recompute_scale_factor:
        sizes, axes = builder.ints(made), list(range(2, input.ndim))
    else:
        factors = scale_factor if isinstance(scale_factor, tuple) else (scale_factor,) * (input.ndim - 2)
        scales = np.array([1, 1, *(float(f) for f in factors)], np.float32)
    return builder.node(
        "Resize",
        [input, None, scales, sizes],
        mode=kind,
        coordinate_transformation_mode=coordinates,
        nearest_mode=rounding,
        axes=axes,
        cubic_coeff_a=-0.75 if kind == "cubic" else None,
    )


@translates(padding.Pad)
def pad_constant(builder: Builder, x: Value, widths: Any, value: float) -> str:
    before, after = zip(*widths, strict=True)
    return _padded(builder, x, before, after, "constant", builder.like(value, x))


@translates(ops.pad, when=lambda mode, **_: mode != "constant")
def pad_with_copies(builder: Builder, input: Value, pad: tuple[int, ...], mode: str, value: Any) -> str:
    missing = [0] * (input.ndim - len(pad) // 2)
    before, after = [*missing, *reversed(pad[::2])], [*missing, *reversed(pad[1::2])]
    more = [[max(n, 0) for n in ends] for ends in (before, after)]
    less = [[min(n, 0) for n in ends] for ends in (before, after)]
    steps = [(more, MODES[mode]), (less, "constant")]
    x: Any = input
    for ends, kind in reversed(steps) if mode == "circular" else steps:
        if any(n != 0 for n in (*ends[0], *ends[1])):
            x = _padded(builder, x, ends[0], ends[1], kind)
    return builder.name(x)


def _padded(builder: Builder, x: Any, before: Any, after: Any, mode: str, value: Any = None) -> str:
    return builder.node("Pad", [x, builder.ints([*before, *after]), value], mode=mode)


@translates(IndexScatter)
def followed_by_zeros(builder: Builder, x: Value, index: Any, shape: tuple[int, ...]) -> str:
    slices = isinstance(index, tuple) and len(index) == len(shape)
    if not slices or any(not isinstance(part, slice) or part.start or part.step for part in index):
        builder.refuse("places of its own for each element", "an op that ONNX has")
    extra = [n - m for n, m in zip(shape, x.shape, strict=True)]
    return _padded(builder, x, [0] * len(extra), extra, "constant", builder.like(0, x))


@translates(ops.pixel_shuffle, when=lambda input, **_: input.ndim == 4)
def pixel_shuffle(builder: Builder, input: Value, upscale_factor: int) -> str:
    return builder.node("DepthToSpace", [input], blocksize=upscale_factor, mode="CRD")


@translates(resample.Resample)
def resampled(builder: Builder, x: Value, positions: Any, weights: Any, axis: int) -> str:
    if positions.shape[1] == 1 and (weights == 1).all():
        return builder.node("Gather", [x, positions[:, 0].astype(np.int64)], axis=axis)
    builder.refuse("weights", "an op that ONNX has")
    raise AssertionError


@translates(ops.grid_sample)
def grid_sample(
    builder: Builder, input: Value, grid: Value, mode: str, padding_mode: str, align_corners: bool | None
) -> str:
    return builder.node(
        "GridSample",
        [input, grid],
        mode={"bilinear": "linear", "bicubic": "cubic", "nearest": "nearest"}[mode],
        padding_mode=padding_mode,
        align_corners=int(bool(align_corners)),
    )


@translates(ops.affine_grid, when=lambda size, align_corners, **_: not align_corners or min(size[2:]) > 1)
def affine_grid(builder: Builder, theta: Value, size: Any, align_corners: bool | None) -> str:
    return builder.node("AffineGrid", [theta, builder.ints(size)], align_corners=int(bool(align_corners)))
