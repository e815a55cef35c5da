"""Resizing images: nearest, linear, cubic and area interpolation in one to three dimensions.

Interpolation is separable: an image is resized row by row, then column by column. Each
step is a linear map in which every output pixel is a weighted sum of a few input pixels
(`Resample`); its gradient is the transposed map.

Pixel i of the output lies over the coordinate (i + 1/2) n_in / n_out - 1/2 of the input, so that
the outer edges of both agree; with ``align_corners`` over i (n_in - 1) / (n_out - 1), so that the
centres of the corner pixels do.
"""

from __future__ import annotations

from math import floor
from typing import Any

import numpy as np

from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.ops._checks import LARGEST, check_choice, check_flags, check_float, int_tuple
from tinyconv.ops.resample import Resample
from tinyconv.tensor import Tensor

Map = tuple[np.ndarray, np.ndarray]
"""The positions and the weights, both (n_out, taps), that `Resample` takes."""

LINEAR = {"linear": 1, "bilinear": 2, "trilinear": 3, "bicubic": 2}
"""The modes that blend pixels, and how many dimensions each is for."""

MODES = ("nearest", "nearest-exact", "area", *LINEAR)


def interpolate(
    input: Tensor,
    size: int | tuple[int, ...] | None = None,
    scale_factor: float | tuple[float, ...] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Resize an image (or a row, or a volume) to `size`, or by `scale_factor`.

    Parameters
    ----------
    input : Tensor
        Shape (N, C, L), (N, C, H, W) or (N, C, D, H, W).
    size : int or tuple of int, optional
        Pixels of the output per spatial dimension.
    scale_factor : float or tuple of float, optional
        Instead of `size`: floor(n scale_factor) pixels. Coordinates are scaled by exactly this factor.
    mode : str
        ``"nearest"`` (as PyTorch has it, the pixel at or before), ``"nearest-exact"``, ``"area"``
        (the mean of the pixels below), ``"linear"``, ``"bilinear"``, ``"trilinear"`` or ``"bicubic"``
        (Keys 1981, with a = -3/4).
    align_corners : bool, optional
        For the last four modes: whether the centres of the corner pixels stay in place.
    recompute_scale_factor : bool, optional
        With True, `scale_factor` only says the size, and coordinates are scaled by what that is.
    antialias : bool
        Not supported; for smooth shrinking use ``mode="area"``.

    Notes
    -----
    Where a coordinate is a whole number, the nearest modes take the pixel that exact arithmetic says.
    PyTorch computes it in the input's dtype, and in float32 a few sizes (4 to 41 pixels, for one) give it
    the pixel before.

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> row = tc.tensor([[[0.0, 4.0]]])
    >>> F.interpolate(row, scale_factor=2, mode="linear").tolist()
    [[[0.0, 1.0, 3.0, 4.0]]]
    >>> F.interpolate(row, size=3, mode="linear", align_corners=True).tolist()
    [[[0.0, 2.0, 4.0]]]
    """
    check_flags(
        "interpolate",
        align_corners=align_corners is not None and align_corners,
        recompute_scale_factor=recompute_scale_factor is not None and recompute_scale_factor,
        antialias=antialias,
    )
    op = "interpolate"
    check_choice(op, "mode", mode, MODES)
    _check_input(op, input, mode)
    if antialias:
        raise ArgumentError(op, "antialias", antialias, "False (mode='area' shrinks smoothly)")
    if recompute_scale_factor and size is not None:
        expected = "None or False with size, which says all"
        raise ArgumentError(op, "recompute_scale_factor", recompute_scale_factor, expected)
    if align_corners is not None and mode not in LINEAR:
        raise ArgumentError(op, "align_corners", align_corners, f"None in mode {mode!r}")
    sizes, scales = _output_size(op, input.shape[2:], size, scale_factor)
    for axis, (n_out, scale) in enumerate(zip(sizes, scales, strict=True), start=2):
        n_in, scale = input.shape[axis], None if recompute_scale_factor else scale
        positions, weights = interpolation_map(mode, n_in, n_out, scale, bool(align_corners))
        input = Resample.apply(input, positions, weights, axis)
    return input


def interpolation_map(mode: str, n_in: int, n_out: int, scale: float | None, align_corners: bool) -> Map:
    """Which `n_in` input pixels make each of the `n_out` output pixels, with which weights.

    Parameters
    ----------
    scale : float or None
        Input pixels per output pixel; None is n_in / n_out.
    """
    step = n_in / n_out if scale is None else scale
    output = np.arange(n_out)
    if mode == "area":
        return _area(n_in, n_out)
    if mode in ("nearest", "nearest-exact"):
        shift = 0.5 if mode == "nearest-exact" else 0.0
        # Rounded to float32 as PyTorch does, so that 2.9999999999999996 is pixel 3.
        positions = np.floor(((output + shift) * step).astype(np.float32)).astype(np.int64)
        return np.minimum(positions, n_in - 1)[:, None], np.ones((n_out, 1))
    x: Any
    if n_in == n_out and mode != "bicubic":
        x = output  # as PyTorch does, though scale_factor = 1.1 and 9 pixels would mean something else
    elif align_corners:
        x = output * ((n_in - 1) / max(n_out - 1, 1))
    else:
        x = (output + 0.5) * step - 0.5
    return _cubic(x, n_in) if mode == "bicubic" else _linear(x, n_in)


def _linear(x: np.ndarray, n_in: int) -> Map:
    """The pixels before and after coordinate x, the nearer one weighing more."""
    x = np.clip(x, 0, n_in - 1)
    before = np.floor(x).astype(np.int64)
    weight = x - before
    positions = np.stack([before, np.minimum(before + 1, n_in - 1)], axis=1)
    return positions, np.stack([1 - weight, weight], axis=1)


def _cubic(x: np.ndarray, n_in: int, a: float = -0.75) -> Map:
    """Two pixels on either side of x; those beyond the border are the border pixel."""
    before = np.floor(x).astype(np.int64)
    positions = before[:, None] + np.arange(-1, 3)
    distance = abs(x[:, None] - positions)
    near = ((a + 2) * distance - (a + 3)) * distance**2 + 1
    far = ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a
    return np.clip(positions, 0, n_in - 1), np.where(distance <= 1, near, far)


def _area(n_in: int, n_out: int) -> Map:
    """Equal weights for all pixels that the output pixel covers, in part or whole."""
    starts = np.arange(n_out) * n_in // n_out
    counts = -(-np.arange(1, n_out + 1) * n_in // n_out) - starts
    taps = np.arange(counts.max())
    # Rows that have fewer taps repeat their last one, which then shares its weight.
    repeats = counts.max() - counts + 1
    weights = np.where(taps < counts[:, None] - 1, 1.0, 1.0 / repeats[:, None]) / counts[:, None]
    return starts[:, None] + np.minimum(taps, counts[:, None] - 1), weights


def _output_size(
    op: str, size_in: tuple[int, ...], size: Any, scale_factor: Any
) -> tuple[tuple[int, ...], tuple[float | None, ...]]:
    """The output's size, and how many input pixels one output pixel is (None: what the sizes say)."""
    dims = len(size_in)
    if (size is None) == (scale_factor is None):
        value = "both given" if size is not None else "both None"
        raise ArgumentError(op, "size and scale_factor", value, "exactly one of them")
    if size is not None:
        return int_tuple(op, "size", size, dims, 1), (None,) * dims
    factors = tuple(scale_factor) if isinstance(scale_factor, list | tuple) else (scale_factor,) * dims
    valid = len(factors) == dims and all(
        isinstance(f, int | float | np.integer | np.floating) and not isinstance(f, bool) and 0 < f < np.inf
        for f in factors
    )
    if not valid:
        raise ArgumentError(op, "scale_factor", repr(scale_factor), f"a positive number, or {dims} of them")
    sizes = tuple(floor(n * f) for n, f in zip(size_in, factors, strict=True))
    if not 1 <= min(sizes) <= max(sizes) <= LARGEST:
        expected = f"factors that leave from 1 to {LARGEST} pixels of {size_in}"
        raise ArgumentError(op, "scale_factor", repr(scale_factor), expected)
    return sizes, tuple(1 / f for f in factors)


def _check_input(op: str, input: Tensor, mode: str) -> None:
    dims = check_float(op, "input", input).ndim - 2
    if dims not in (1, 2, 3) or LINEAR.get(mode, dims) != dims:
        layouts = {1: "(N, C, L)", 2: "(N, C, H, W)", 3: "(N, C, D, H, W)"}
        layout = layouts.get(LINEAR.get(mode, 0), "(N, C, L), (N, C, H, W) or (N, C, D, H, W)")
        raise ShapeError(op, "input", f"of shape {input.shape}", f"{layout} in mode {mode!r}")
    if min(input.shape[2:]) < 1:
        raise ShapeError(op, "input", f"of shape {input.shape}", "at least one pixel")
