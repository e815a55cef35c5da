"""RoIAlign: the regions of images that boxes name, resampled to one size (He et al. 2017, Mask R-CNN).

For fixed boxes it is linear in the image; its gradient is the adjoint map, and the two differentiate into
each other. The boxes get no gradient, as in torchvision.
"""

from __future__ import annotations

from math import isfinite, nan
from typing import Any

from tinyconv.autograd import Function
from tinyconv.device import array_module, on_its_gpu
from tinyconv.errors import ArgumentError, DtypeError, ShapeError
from tinyconv.kernels import roi_align as kernels
from tinyconv.ops._checks import (
    check_flags,
    check_float,
    check_int,
    check_number,
    check_same_dtype,
    int_tuple,
)
from tinyconv.ops._unseen import unseen
from tinyconv.ops.elementwise import where
from tinyconv.ops.loss_common import times
from tinyconv.tensor import Tensor

Sizes = tuple[int, ...]

MOST_POINTS = 4096
"""In each direction of a bin."""
LARGEST_BOX = 2**20
"""Pixels. A corner further away is a mistake, and would have more points than there is time for."""


class RoIAlign(Function):
    """y = the regions of x, each resampled to `size`."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, boxes: Tensor, size: Sizes, scale: float, samples: int, aligned: bool
    ) -> Any:
        ctx.save_for_backward(boxes)
        ctx.shape, ctx.options = x.shape, (scale, samples, aligned)
        return kernels.roi_align(x.array, boxes.array, size, scale, samples, aligned)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (boxes,) = ctx.saved_tensors
        return RoIAlignBackward.apply(grad, boxes, ctx.shape, *ctx.options), *[None] * 5


class RoIAlignBackward(Function):
    """The regions put back into images of `shape`, added up where they overlap."""

    @staticmethod
    def forward(
        ctx: Any, grad: Tensor, boxes: Tensor, shape: Sizes, scale: float, samples: int, aligned: bool
    ) -> Any:
        ctx.save_for_backward(boxes)
        ctx.size, ctx.options = grad.shape[2:], (scale, samples, aligned)
        return kernels.roi_align_backward(grad.array, boxes.array, shape, scale, samples, aligned)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (boxes,) = ctx.saved_tensors
        return RoIAlign.apply(grad, boxes, ctx.size, *ctx.options), *[None] * 5


@on_its_gpu
def roi_align(
    input: Tensor,
    boxes: Tensor | list[Tensor] | tuple[Tensor, ...],
    output_size: int | tuple[int, int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
) -> Tensor:
    """The regions of the input that `boxes` name, each resampled to `output_size`.

    A region is cut into as many bins as the output has pixels. Each bin is the mean of some points in it,
    which are interpolated between the four pixels around them. Nothing is rounded.

    Parameters
    ----------
    input : Tensor
        Shape (N, C, H, W).
    boxes : Tensor, or list of Tensor
        Shape (K, 5): the number of the image, then x1, y1, x2, y2. Or for each image its boxes
        (L, 4). They get no gradient.
    output_size : int or pair
        Rows and columns of bins.
    spatial_scale : float
        Pixels of the input per unit of the boxes: 1/16 for boxes of an image of which the input is the
        feature map after four halvings.
    sampling_ratio : int
        Points per bin in each direction; 0 or less: as many as the bin has pixels, rounded up.
    aligned : bool
        True: a box that is the whole image begins at 0 and the centre of the first pixel is at 1/2. False,
        the older meaning: the centre is at 0, and a box is at least one pixel long.

    Returns
    -------
    Tensor
        Shape (K, C, *output_size).

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        Naming the argument; also for a box of no image, or one that is not finite.

    Notes
    -----
    Points more than a pixel outside count as 0, those nearer as the border pixel.

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> image = tc.arange(16.0).reshape(1, 1, 4, 4)
    >>> F.roi_align(image, [tc.tensor([[1.0, 1.0, 3.0, 3.0]])], 2, aligned=True).tolist()
    [[[[5.0, 6.0], [9.0, 10.0]]]]
    """
    op = "roi_align"
    if check_float(op, "input", input).ndim != 4 or 0 in input.shape[2:]:
        raise ShapeError(op, "input", f"of shape {input.shape}", "(N, C, H, W) with at least one pixel")
    size = int_tuple(op, "output_size", output_size, 2, 1)
    scale = check_number(op, "spatial_scale", spatial_scale)
    if not isfinite(scale):
        raise ArgumentError(op, "spatial_scale", scale, "a finite number")
    samples = check_int(op, "sampling_ratio", sampling_ratio)
    if samples > MOST_POINTS:
        raise ArgumentError(op, "sampling_ratio", samples, f"at most {MOST_POINTS} points per bin")
    check_flags(op, aligned=aligned)
    rows = _joined(op, input, boxes) if isinstance(boxes, list | tuple) else boxes
    rows, is_box = _checked_rows(op, input, rows, scale)
    return times(RoIAlign.apply(input, rows, size, scale, max(samples, 0), bool(aligned)), is_box)


def _checked_rows(op: str, input: Tensor, boxes: Tensor, scale: float) -> tuple[Tensor, Tensor | None]:
    """The boxes are (K, 5), of images that are there, and not thousands of times larger than an image.

    On a GPU those that are not are zeros, and what to multiply with comes too: 1, and NaN for these.
    """
    if check_float(op, "boxes", boxes).ndim != 2 or boxes.shape[1] != 5:
        layout = "(K, 5), or a list of (L, 4), one for each image"
        raise ShapeError(op, "boxes", f"of shape {boxes.shape}", layout)
    check_same_dtype(op, input=input, boxes=boxes)
    boxes = boxes.detach()
    if not boxes.numel():
        return boxes, None
    array = boxes.array
    images, corners = array[:, 0], array[:, 1:]
    near = abs(corners) <= LARGEST_BOX / max(abs(scale), 1e-30)
    there = (images >= 0) & (images < input.shape[0]) & (images % 1 == 0)
    if unseen(boxes):
        xp, right = array_module(array), (near.all(1) & there).reshape(-1, 1)
        factor = xp.where(right, 1.0, nan).astype(boxes.dtype).reshape(-1, 1, 1, 1)
        return where(Tensor(right), boxes, 0.0), Tensor(factor)
    if not bool(near.all()):  # nor is NaN
        raise ArgumentError(
            op, "boxes", "not all near the image", f"finite numbers within {LARGEST_BOX} pixels"
        )
    if not bool(there.all()):
        found = f"of images {images.min()} to {images.max()}"
        raise ArgumentError(op, "boxes", found, f"whole numbers from 0 to {input.shape[0] - 1}")
    return boxes, None


def _joined(op: str, input: Tensor, boxes: Any) -> Tensor:
    if len(boxes) != input.shape[0]:
        raise ShapeError(
            op, "boxes", f"a list of {len(boxes)}", f"one tensor for each of {input.shape[0]} images"
        )
    parts = []
    for image, each in enumerate(boxes):
        if not isinstance(each, Tensor):
            raise DtypeError(op, "boxes", f"a list with a {type(each).__name__}", "a list of Tensors")
        if each.ndim != 2 or each.shape[1] != 4:
            raise ShapeError(op, "boxes", f"with one of shape {each.shape}", "(L, 4): x1, y1, x2, y2")
        check_same_dtype(op, input=input, boxes=each)
        xp = array_module(each.array)
        parts.append(xp.concatenate([xp.full((each.shape[0], 1), image, each.dtype), each.array], axis=1))
    xp = array_module(input.array)
    return Tensor(xp.concatenate(parts) if parts else xp.zeros((0, 5), input.dtype))
