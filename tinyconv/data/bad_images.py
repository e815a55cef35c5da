"""Images that cannot be used: found before training, left out or fatal as the user chose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinyconv.data.dataset import Subset
from tinyconv.errors import ArgumentError, DataError

CHOICES = ("stop", "skip")


def leave_out_bad(dataset: Any, on_bad_image: str = "skip") -> tuple[Subset, list[DataError]]:
    """The items of a dataset that can be read, and the errors of the others.

    Every item is read once.

    Parameters
    ----------
    dataset : Dataset
    on_bad_image : {"skip", "stop"}
        ``stop`` raises the first error instead.

    Raises
    ------
    DataError
        If none can be read, or one cannot and `on_bad_image` is ``stop``.

    Examples
    --------
    >>> from tinyconv.data import Digits
    >>> usable, errors = leave_out_bad(Digits())
    >>> len(usable), errors
    (1797, [])
    """
    check_choice(on_bad_image)
    good, errors = [], []
    for index in range(len(dataset)):
        try:
            dataset[index]
            good.append(index)
        except DataError as error:
            if on_bad_image == "stop":
                raise
            errors.append(error)
    if errors and not good:
        raise errors[0]
    return Subset(dataset, good), errors


def pair_by_name(
    op: str, images: dict[str, Path], masks: dict[str, Path], suffixes: str, on_bad_image: str
) -> tuple[list[tuple[Path, Path]], list[DataError]]:
    """Images and masks of the same names, in the order of the names, and the errors of those left alone.

    Raises
    ------
    DataError
        If one is alone and `on_bad_image` is ``stop``, or none has a partner.
    """
    check_choice(on_bad_image)
    errors = []
    for found, others, missing in ((images, masks, "masks"), (masks, images, "images")):
        for name in sorted(found.keys() - others.keys()):
            expected = f"a file {' or '.join(name + suffix for suffix in suffixes.split())} in {missing}/ too"
            errors.append(DataError(op, repr(str(found[name])), "alone", expected))
    pairs = [(images[name], masks[name]) for name in sorted(images.keys() & masks.keys())]
    if errors and (on_bad_image == "stop" or not pairs):
        raise errors[0]
    return pairs, errors


def check_choice(on_bad_image: str) -> str:
    """`on_bad_image`, if it is one of the choices."""
    if on_bad_image not in CHOICES:
        raise ArgumentError("train", "--on-bad-image", repr(on_bad_image), " or ".join(CHOICES))
    return on_bad_image


def describe_bad(errors: list[DataError], items: int, most: int = 5) -> list[str]:
    """Lines that say what was left out, the first few by name; none if nothing was."""
    lines = [f"left out: {error}" for error in errors[:most]]
    if len(errors) > most:
        lines.append(f"left out: {len(errors) - most} more")
    if errors:
        lines.append(f"{len(errors)} of {items} images left out (tinyconv data check names all)")
    return lines
