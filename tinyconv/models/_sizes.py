"""What several families share: sizes and inputs are checked, copies are cropped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinyconv.errors import ArgumentError, DtypeError, ShapeError
from tinyconv.ops._checks import check_positive, check_tensor
from tinyconv.tensor import Tensor


def check_images(
    where: str,
    x: Any,
    channels: int,
    dims: int = 2,
    multiple: int = 1,
    least: int = 1,
    rest: int = 0,
    exactly: int | None = None,
) -> None:
    """Raise unless `x` is a batch of images (or volumes) of a size that the net can take.

    Each spatial size has to be `rest` more than a multiple of `multiple`, and at least `least`; or
    `exactly` so much.

    Raises
    ------
    ShapeError, DtypeError
        Naming the net, the shape and the sizes that fit.
    """
    if check_tensor(where, "input", x).dtype.kind != "f":
        raise DtypeError(where, "input", f"of dtype {x.dtype}", "floating point")
    fits = x.ndim == dims + 2 and x.shape[1] == channels
    if exactly is not None:
        fits = fits and all(n == exactly for n in x.shape[2:])
    if fits and all(n >= least and (n - rest) % multiple == 0 for n in x.shape[2:]):
        return
    axes = "DHW"[-dims:]
    wanted = [f"{rest} more than multiples of {multiple}" if rest else f"multiples of {multiple}"]
    wanted = wanted if multiple > 1 else []
    wanted += [f"at least {least}"] if least > 1 else []
    sizes = f" with {' and '.join(axes)} {', '.join(wanted)}" if wanted else ""
    shape = ", ".join(axes) if exactly is None else ", ".join([str(exactly)] * dims)
    raise ShapeError(where, "input", f"of shape {x.shape}", f"(N, {channels}, {shape}){sizes}")


def centre_crop(x: Tensor, sizes: Sequence[int]) -> Tensor:
    """The middle of images: (N, C, H, W) to (N, C, \\*sizes); of two middles the upper left one."""
    index: list[slice] = [slice(None), slice(None)]
    for n, wanted in zip(x.shape[2:], sizes, strict=True):
        start = (n - wanted) // 2
        index.append(slice(start, start + wanted))
    return x if tuple(x.shape[2:]) == tuple(sizes) else x[tuple(index)]


def check_one_of(where: str, argument: str, value: Any, choices: tuple[int, ...]) -> int:
    """`value`, which must be one of some numbers."""
    if isinstance(value, bool) or not isinstance(value, int) or value not in choices:
        raise ArgumentError(where, argument, repr(value), " or ".join(map(str, choices)))
    return value


def check_widths(where: str, widths: Any, least: int = 2, name: str = "widths") -> tuple[int, ...]:
    """Numbers of filters, or of layers, of each stage: at least so many stages."""
    if not isinstance(widths, list | tuple) or len(widths) < least:
        count = f", {least} or more of them" if least else ""
        raise ArgumentError(where, name, repr(widths), f"a tuple of positive ints{count}")
    return tuple(check_positive(where, f"{name}[{i}]", width) for i, width in enumerate(widths))


def check_sizes(where: str, **sizes: int) -> None:
    """Raise an ArgumentError unless all sizes are ints of at least 1."""
    for name, size in sizes.items():
        check_positive(where, name, size)
