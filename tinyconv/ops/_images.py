"""What the ops on images share: the layouts, with the batch dimension or without it, and the geometry."""

from __future__ import annotations

from tinyconv.errors import ShapeError
from tinyconv.ops.shape import IndexScatter, squeeze, unsqueeze
from tinyconv.tensor import Tensor

IntOrTuple = int | tuple[int, ...]
Sizes = tuple[int, ...]

LAYOUTS = {1: "(N, C, L)", 2: "(N, C, H, W)", 3: "(N, C, D, H, W)"}
"""The dimensions of images with 1, 2 or 3 spatial dimensions."""

SINGLE_LAYOUTS = {1: "(C, L)", 2: "(C, H, W)", 3: "(C, D, H, W)"}
"""The same of one image without the batch dimension."""


def with_batch(op: str, argument: str, x: Tensor, dims: int) -> tuple[Tensor, bool]:
    """`x` as (N, C, *spatial), and whether it came without N."""
    if x.ndim not in (dims + 1, dims + 2):
        raise ShapeError(
            op,
            argument,
            f"of shape {x.shape}",
            f"{dims + 2} dimensions {LAYOUTS[dims]}, or {dims + 1} {SINGLE_LAYOUTS[dims]}",
        )
    return (x, False) if x.ndim == dims + 2 else (unsqueeze(x, 0), True)


def without_batch(y: Tensor, single: bool) -> Tensor:
    """`y` without the N that `with_batch` added."""
    return squeeze(y, 0) if single else y


def followed_by_zeros(x: Tensor, extra: Sizes) -> Tensor:
    """`x` (N, C, *spatial) with so many zeros more at the end of each spatial dimension."""
    if not any(extra):
        return x
    size = (n + e for n, e in zip(x.shape[2:], extra, strict=True))
    return IndexScatter.apply(x, tuple(slice(n) for n in x.shape), (*x.shape[:2], *size))
