"""Sampling an image at given coordinates, and the coordinates of an affine map.

The two ends of a spatial transformer (Jaderberg et al. 2015). Coordinates run from -1 to 1 over the
image, x (the width) before y (the height): with ``align_corners`` -1 and 1 are the centres of the
corner pixels, without it the image's outer edges.

Both are written with other ops, so that gradients of every order reach the image and the grid.
Where a coordinate is clipped, reflected or rounded, the map from coordinate to coordinate is
piecewise linear: its slope is a constant of 0, 1 or -1.
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

from tinyconv.autograd import Function
from tinyconv.device import array_module, on_its_gpu
from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.kernels.reference.elementwise import quiet
from tinyconv.ops._checks import check_choice, check_flags, check_float, check_same_dtype
from tinyconv.ops.elementwise import where
from tinyconv.ops.matmul import matmul
from tinyconv.ops.resample import take_rows
from tinyconv.ops.shape import permute, reshape, transpose
from tinyconv.tensor import Tensor

Array = Any
CUBIC = -0.75
"""Keys' free parameter of cubic interpolation."""


class Unmoved(Function):
    """y, which small changes of x do not move: x gets a gradient of zeros."""

    @staticmethod
    def forward(ctx: Any, y: Tensor, x: Tensor) -> Any:
        ctx.zeros = array_module(x.array).zeros_like(x.array)
        return y.array

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return grad, Tensor(ctx.zeros.copy())


@on_its_gpu
def affine_grid(theta: Tensor, size: tuple[int, ...], align_corners: bool | None = None) -> Tensor:
    """The coordinates at which `grid_sample` must look so that the image is mapped by `theta`.

    Parameters
    ----------
    theta : Tensor
        One matrix per image, shape (N, 2, 3); for volumes (N, 3, 4). The last column is a shift.
    size : tuple of int
        Shape of the output: (N, C, H, W) or (N, C, D, H, W).
    align_corners : bool, optional
        As in `grid_sample`; False by default.

    Returns
    -------
    Tensor
        Shape (N, H, W, 2) or (N, D, H, W, 3), x before y before z.

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> identity = tc.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    >>> F.affine_grid(identity, (1, 1, 1, 2)).tolist()
    [[[[-0.5, 0.0], [0.5, 0.0]]]]
    """
    check_flags("affine_grid", align_corners=align_corners is not None and align_corners)
    op = "affine_grid"
    check_float(op, "theta", theta)
    whole = isinstance(size, list | tuple) and all(isinstance(n, int) and n > 0 for n in size)
    if not whole or len(size) not in (4, 5):
        raise ArgumentError(op, "size", repr(size), "(N, C, H, W) or (N, C, D, H, W), each at least 1")
    dims = len(size) - 2
    if theta.shape != (size[0], dims, dims + 1):
        raise ShapeError(op, "theta", f"of shape {theta.shape}", f"{(size[0], dims, dims + 1)}")
    module = array_module(theta.array)
    axes = [_pixel_centres(module, n, bool(align_corners)) for n in size[2:]]
    mesh = module.meshgrid(*axes, indexing="ij")[::-1]
    points = module.stack([*mesh, module.ones(size[2:])], axis=-1).reshape(prod(size[2:]), dims + 1)
    mapped = matmul(Tensor(points.astype(theta.dtype)), transpose(theta, 1, 2))
    return reshape(mapped, (size[0], *size[2:], dims))


def _pixel_centres(module: Any, n: int, align_corners: bool) -> Array:
    if align_corners:
        return module.linspace(-1, 1, n) if n > 1 else module.zeros(1)
    return (2 * module.arange(n) + 1) / n - 1


@on_its_gpu
def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """The image's values at the coordinates in `grid`.

    Parameters
    ----------
    input : Tensor
        Shape (N, C, H, W) or (N, C, D, H, W).
    grid : Tensor
        Shape (N, H_out, W_out, 2) or (N, D_out, H_out, W_out, 3): x, y (and z) from -1 to 1.
    mode : str
        ``"bilinear"`` (for volumes it is trilinear), ``"nearest"``, or for images ``"bicubic"``.
    padding_mode : str
        What is outside: ``"zeros"``, ``"border"`` (the border pixel), or ``"reflection"``.
    align_corners : bool, optional
        Whether -1 and 1 are the centres of the corner pixels or (False, the default) the edges.

    Returns
    -------
    Tensor
        Shape (N, C, H_out, W_out) or (N, C, D_out, H_out, W_out).

    Notes
    -----
    With ``mode="nearest"`` small changes of the grid change nothing: its gradient is zero.

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> image = tc.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    >>> F.grid_sample(image, tc.tensor([[[[0.0, 0.0], [0.5, 0.5]]]])).tolist()
    [[[[2.5, 4.0]]]]
    """
    check_flags("grid_sample", align_corners=align_corners is not None and align_corners)
    _check_grid_sample(input, grid, mode, padding_mode)
    sizes, align = input.shape[2:], bool(align_corners)
    rows = input.shape[0] * prod(sizes)
    pixels = reshape(permute(input, (0, *range(2, input.ndim), 1)), (rows, input.shape[1]))
    axes = [_axis_taps(grid[..., -1 - axis], n, mode, padding_mode, align) for axis, n in enumerate(sizes)]
    y: Tensor | None = None
    for taps in product(*axes):
        part = _corner(pixels, sizes, taps)
        y = part if y is None else y + part
    assert y is not None
    y = Unmoved.apply(y, grid) if mode == "nearest" else y
    return permute(y, (0, y.ndim - 1, *range(1, y.ndim - 1)))


Tap = tuple[Array, Array | None, Tensor | None]
"""Positions along one axis; which of them are inside (None: all); their weights (None: ones)."""


def _corner(pixels: Tensor, sizes: tuple[int, ...], taps: tuple[Tap, ...]) -> Tensor:
    """The images, as a table of pixels, at one neighbour of every coordinate, times its weight."""
    module = array_module(pixels.array)
    row = module.arange(len(taps[0][0])).reshape(-1, *(1,) * len(taps))
    for n, (position, _, _) in zip(sizes, taps, strict=True):
        row = row * n + position
    y = take_rows(pixels, row)
    inside = None
    for _, axis_inside, weight in taps:
        y = y if weight is None else y * weight[..., None]
        if axis_inside is not None:
            inside = axis_inside if inside is None else inside & axis_inside
    return y if inside is None else where(Tensor(inside[..., None]), y, 0.0)


@quiet
def _axis_taps(coordinate: Tensor, n: int, mode: str, padding_mode: str, align: bool) -> list[Tap]:
    """The pixels around each coordinate of one axis that has `n` pixels."""
    x = (coordinate + 1) * ((n - 1) / 2) if align else ((coordinate + 1) * n - 1) / 2
    if mode != "bicubic":
        x = _bring_inside(x, n, padding_mode, align)
    module = array_module(x.array)
    if mode == "nearest":
        return [(*_pixels(module.rint(x.array), n, padding_mode, align), None)]
    before = module.floor(x.array)
    part = x - Tensor(before)
    weights = [1 - part, part] if mode == "bilinear" else _cubic_weights(part)
    first = 0 if mode == "bilinear" else -1
    return [
        (*_pixels(before + first + i, n, padding_mode, align), weight) for i, weight in enumerate(weights)
    ]


def _cubic_weights(part: Tensor) -> list[Tensor]:
    """Keys' weights of the two pixels before and the two after, `part` of a pixel after the second."""
    a = CUBIC

    def near(d: Tensor) -> Tensor:
        return ((a + 2) * d - (a + 3)) * d * d + 1

    def far(d: Tensor) -> Tensor:
        return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a

    return [far(part + 1), near(part), near(1 - part), far(2 - part)]


def _pixels(position: Array, n: int, padding_mode: str, align: bool) -> tuple[Array, Array | None]:
    """Whole-numbered positions as indices into `n` pixels, and which of them are inside."""
    module = array_module(position)
    inside = (position >= 0) & (position <= n - 1) if padding_mode == "zeros" else None
    if padding_mode == "reflection":
        position = _reflect(position, n, align)[0]
    index = module.clip(module.nan_to_num(position), 0, n - 1).astype("int64")
    return index, inside


def _bring_inside(x: Tensor, n: int, padding_mode: str, align: bool) -> Tensor:
    """Coordinates clipped to the pixels' centres, after reflection if that is asked for."""
    if padding_mode == "zeros":
        return x
    module = array_module(x.array)
    value, slope = x.array, module.ones_like(x.array)
    if padding_mode == "reflection":
        value, slope = _reflect(value, n, align)
    within = (value > 0) & (value < n - 1)
    slope = slope.astype(x.dtype)
    moved = x * Tensor(slope) + Tensor(value - x.array * slope)
    return where(Tensor(within), moved, Tensor(module.clip(value, 0, n - 1)))


def _reflect(x: Array, n: int, align: bool) -> tuple[Array, Array]:
    """Coordinates mirrored at both ends until they are inside, and the slope of that, 1 or -1."""
    module = array_module(x)
    low, span = (0.0, n - 1.0) if align else (-0.5, float(n))
    if span == 0:
        return module.zeros_like(x), module.zeros_like(x)
    distance = abs(x - low)
    turns = module.floor(distance / span)
    rest = distance - turns * span
    even = turns % 2 == 0
    value = module.where(even, rest + low, span - rest + low)
    slope = module.where(even, 1, -1) * module.where(x < low, -1, 1)
    return value.astype(x.dtype), slope


def _check_grid_sample(input: Tensor, grid: Tensor, mode: str, padding_mode: str) -> None:
    op = "grid_sample"
    check_same_dtype(op, input=check_float(op, "input", input), grid=check_float(op, "grid", grid))
    check_choice(op, "mode", mode, ("bilinear", "nearest", "bicubic"))
    check_choice(op, "padding_mode", padding_mode, ("zeros", "border", "reflection"))
    if input.ndim not in (4, 5) or min(input.shape[2:]) < 1:
        expected = "(N, C, H, W) or (N, C, D, H, W) with at least one pixel"
        raise ShapeError(op, "input", f"of shape {input.shape}", expected)
    if mode == "bicubic" and input.ndim != 4:
        raise ShapeError(op, "input", f"of shape {input.shape}", "(N, C, H, W) in mode 'bicubic'")
    dims = input.ndim - 2
    if grid.ndim != input.ndim or grid.shape[0] != input.shape[0] or grid.shape[-1] != dims:
        layout = {2: "H_out, W_out, 2", 3: "D_out, H_out, W_out, 3"}[dims]
        raise ShapeError(op, "grid", f"of shape {grid.shape}", f"({input.shape[0]}, {layout})")
