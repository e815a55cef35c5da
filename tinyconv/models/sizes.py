"""The sizes of images that networks for generation are built for, and the check of what comes in."""

from __future__ import annotations

from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.ops._checks import check_positive
from tinyconv.tensor import Tensor


def check_sizes(where: str, **sizes: int) -> None:
    """Raise an ArgumentError unless all sizes are ints of at least 1."""
    for name, size in sizes.items():
        check_positive(where, name, size)


def halvings(where: str, image_size: int) -> tuple[int, int]:
    """How often an image can be halved before it has 4 to 7 pixels a side, and how many it then has.

    Raises
    ------
    ArgumentError
        When a side becomes odd before that, or is below 8 at the start.

    Examples
    --------
    >>> halvings("dcgan", 64), halvings("dcgan", 28)
    ((4, 4), (2, 7))
    """
    check_sizes(where, image_size=image_size)
    count, size = 0, image_size
    while size >= 8 and size % 2 == 0:
        count, size = count + 1, size // 2
    if not count or size >= 8:
        raise ArgumentError(where, "image_size", image_size, "4 to 7 doubled once or more, e.g. 28, 32 or 64")
    return count, size


def check_images(where: str, images: Tensor, in_channels: int, image_size: int) -> None:
    """Raise a ShapeError unless `images` are (N, in_channels, image_size, image_size), N at least 1."""
    wanted = (in_channels, image_size, image_size)
    if images.ndim != 4 or tuple(images.shape[1:]) != wanted or images.shape[0] == 0:
        expected = f"(N, {in_channels}, {image_size}, {image_size}), not empty"
        raise ShapeError(where, "images", f"of shape {images.shape}", expected)
