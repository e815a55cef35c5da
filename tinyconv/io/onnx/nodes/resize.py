"""Resizing images, and sampling them at coordinates.

Resizing is separable: along one axis after the other every output pixel is a weighted sum of a
few input pixels, which `Resample` computes.
"""

from __future__ import annotations

from collections.abc import Callable
from math import floor
from typing import Any

import numpy as np

from tinyconv import ops
from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.io.onnx.node import Node
from tinyconv.io.onnx.nodes._arguments import from_front, on_cpu, whole_numbers
from tinyconv.ops.operands import astype
from tinyconv.ops.resample import Resample
from tinyconv.tensor import Tensor

Array = np.ndarray[Any, Any]

COORDINATES = (
    "half_pixel",
    "half_pixel_symmetric",
    "pytorch_half_pixel",
    "align_corners",
    "asymmetric",
    "tf_half_pixel_for_nn",
    "tf_crop_and_resize",
)

ROUNDINGS: dict[str, Callable[[Array], Array]] = {
    "round_prefer_floor": lambda x: np.ceil(x - 0.5),
    "round_prefer_ceil": lambda x: np.floor(x + 0.5),
    "floor": np.floor,
    "ceil": np.ceil,
}


def resize(
    node: Node,
    x: Tensor,
    first: Tensor | None = None,
    scales: Tensor | None = None,
    sizes: Tensor | None = None,
) -> Tensor:
    """x resized by scales or to sizes; operator set 10 has the scales only, and no region of interest."""
    if node.opset < 11:
        return upsample(node, x, first)
    axes = from_front(node, node.integers("axes", tuple(range(x.ndim))), x.ndim)
    shape = tuple(x.shape[axis] for axis in axes)
    factors, wanted = _target(node, shape, scales, sizes)
    rounding = node.text("nearest_mode", "round_prefer_floor", tuple(ROUNDINGS))
    kind = node.text("coordinate_transformation_mode", "half_pixel", COORDINATES)
    region = _region(node, first, len(axes)) if kind == "tf_crop_and_resize" else [(0.0, 1.0)] * len(axes)
    whole = x if x.dtype.kind == "f" else astype(x, "float64")
    y, outside = whole, []
    for axis, n, factor, n_out, part in zip(axes, shape, factors, wanted, region, strict=True):
        if factor == 1 and n == n_out and part == (0.0, 1.0):
            continue
        at = coordinates(kind, n, n_out, factor, part)
        y = Resample.apply(y, *taps(node, at, n, factor, ROUNDINGS[rounding]), axis)
        if kind == "tf_crop_and_resize":
            outside.append(((at < 0) | (at > n - 1)).reshape([-1 if d == axis else 1 for d in range(x.ndim)]))
    for mask in outside:
        y = ops.where(Tensor(mask).to(y.device), node.number("extrapolation_value", 0.0), y)
    return y if y is whole and x is whole else astype(y, x.dtype)


def upsample(node: Node, x: Tensor, scales: Tensor | None = None) -> Tensor:
    """x by scales; pixel i lies over i / scale, and the nearest is the one before."""
    factors = node.numbers("scales") if scales is None else tuple(on_cpu(scales).tolist())
    if len(factors) != x.ndim or min(factors) <= 0:
        raise ArgumentError(node.op, "scales", factors, f"{x.ndim} positive numbers")
    y = x
    for axis, (n, factor) in enumerate(zip(x.shape, factors, strict=True)):
        if factor != 1:
            at = coordinates("asymmetric", n, floor(n * factor), factor, (0.0, 1.0))
            y = Resample.apply(y, *taps(node, at, n, factor, np.floor), axis)
    return y


def _target(
    node: Node, shape: tuple[int, ...], scales: Tensor | None, sizes: Tensor | None
) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """The factor and the number of pixels for each axis."""
    scales = None if scales is not None and scales.numel() == 0 else scales
    sizes = None if sizes is not None and sizes.numel() == 0 else sizes
    if (scales is None) == (sizes is None):
        raise ArgumentError("Resize", "scales and sizes", "both or none", "exactly one of them")
    if min(shape, default=1) < 1:
        raise ShapeError("Resize", "X", f"of sizes {shape}", "at least one pixel")
    if scales is not None:
        factors = tuple(float(f) for f in on_cpu(scales).reshape(-1))
        if len(factors) != len(shape) or not all(0 < f < np.inf for f in factors):
            raise ArgumentError("Resize", "scales", factors, f"{len(shape)} positive numbers")
        return factors, tuple(floor(n * f) for n, f in zip(shape, factors, strict=True))
    assert sizes is not None
    wanted = whole_numbers(node, "sizes", sizes)
    if len(wanted) != len(shape) or min(wanted) < 1:
        raise ArgumentError("Resize", "sizes", wanted, f"{len(shape)} ints >= 1")
    factors = tuple(w / n for w, n in zip(wanted, shape, strict=True))
    policies = ("stretch", "not_larger", "not_smaller")
    policy = node.text("keep_aspect_ratio_policy", "stretch", policies)
    if policy != "stretch":
        factor = min(factors) if policy == "not_larger" else max(factors)
        return (factor,) * len(shape), tuple(floor(n * factor + 0.5) for n in shape)
    return factors, wanted


def _region(node: Node, roi: Tensor | None, axes: int) -> list[tuple[float, float]]:
    if roi is None or roi.shape != (2 * axes,):
        found = "missing" if roi is None else f"of shape {roi.shape}"
        raise ShapeError("Resize", "roi", found, f"({2 * axes},): all starts, then all ends")
    numbers = on_cpu(roi).tolist()
    return list(zip(numbers[:axes], numbers[axes:], strict=True))


def coordinates(kind: str, n_in: int, n_out: int, scale: float, region: tuple[float, float]) -> Array:
    """The coordinate in the input that each output pixel lies over."""
    i = np.arange(n_out)
    if kind == "align_corners":
        last = n_in * scale - 1  # which need not be a whole number
        return i * ((n_in - 1) / last if n_out > 1 else 0.0)
    if kind == "asymmetric":
        return i / scale
    if kind == "tf_half_pixel_for_nn":
        return (i + 0.5) / scale
    if kind == "tf_crop_and_resize":
        start, end = region
        if n_out > 1:
            return start * (n_in - 1) + i * (end - start) * (n_in - 1) / (n_out - 1)
        return np.full(1, 0.5 * (start + end) * (n_in - 1))
    if kind == "pytorch_half_pixel" and n_out == 1:
        return np.zeros(1)
    offset = 0.0
    if kind == "half_pixel_symmetric":  # the middles of both agree, also where n_in * scale is not whole
        offset = n_in / 2 * (1 - n_out / (scale * n_in))
    return offset + (i + 0.5) / scale - 0.5


def taps(
    node: Node, at: Array, n_in: int, scale: float, rounding: Callable[[Array], Array]
) -> tuple[Array, Array]:
    """Which input pixels make each output pixel, with which weights: both (n_out, taps)."""
    mode = node.text("mode", "nearest", ("nearest", "linear", "cubic"))
    if mode == "nearest":
        places = rounding(at).astype(np.int64)[:, None]
        return np.clip(places, 0, n_in - 1), np.ones(places.shape)
    # A filter against aliasing is as much wider as the image becomes smaller.
    width = min(scale, 1.0) if node.flag("antialias") else 1.0
    reach = 1 if mode == "linear" else 2
    first = floor(-reach / width) + 1
    places = np.floor(at).astype(np.int64)[:, None] + np.arange(first, reach + 1 - first - (reach - 1))
    distance = abs(places - at[:, None]) * width
    weights = (
        np.clip(1 - distance, 0, 1)
        if mode == "linear"
        else cubic(distance, node.number("cubic_coeff_a", -0.75))
    )
    if node.flag("exclude_outside"):
        weights = np.where((places >= 0) & (places < n_in), weights, 0.0)
    weights = weights / weights.sum(1, keepdims=True)
    return np.clip(places, 0, n_in - 1), weights


def cubic(distance: Array, a: float) -> Array:
    """Keys' weights."""
    near = ((a + 2) * distance - (a + 3)) * distance**2 + 1
    far = ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a
    return np.where(distance <= 1, near, np.where(distance < 2, far, 0.0))


def grid_sample(node: Node, x: Tensor, grid: Tensor) -> Tensor:
    """The image's values at coordinates."""
    names = {"linear": "bilinear", "cubic": "bicubic", "bilinear": "bilinear", "bicubic": "bicubic"}
    mode = node.text("mode", "linear", (*names, "nearest"))
    padding = node.text("padding_mode", "zeros", ("zeros", "border", "reflection"))
    return ops.grid_sample(x, grid, names.get(mode, mode), padding, node.flag("align_corners"))


def affine_grid(node: Node, theta: Tensor, size: Tensor) -> Tensor:
    """The coordinates that affine maps give to every pixel."""
    return ops.affine_grid(theta, whole_numbers(node, "size", size), node.flag("align_corners"))


TABLE: dict[str, Callable[..., Any]] = {
    "AffineGrid": affine_grid,
    "GridSample": grid_sample,
    "Resize": resize,
    "Upsample": upsample,
}
