"""Segmentations beside the truth: contours on the image, and a sheet with every error in colour."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyconv.errors import ShapeError
from tinyconv.viz.images import to_plane, to_rgb
from tinyconv.viz.labels import COLOURS, label_image
from tinyconv.viz.style import (
    BLACK,
    CONTOUR,
    FALSE_NEGATIVE,
    FALSE_POSITIVE,
    PURPLE,
    TRUE_POSITIVE,
    new_figure,
    rgb,
    save_figure,
    style,
)

Array = Any
Figure = Any

WRONG_CLASS = PURPLE
"""An object that is another one than was found."""


def contour(mask: Any) -> Array:
    """Mark the outermost pixels of each object.

    A pixel is marked when it is in an object and one of its four neighbours is not in the
    same one. What lies beyond the image's edge does not count.

    Parameters
    ----------
    mask : array (H, W)
        Bool, probabilities (an object where 0.5 or more), or integer labels, 0 for background.

    Returns
    -------
    edge : bool array (H, W)

    Examples
    --------
    >>> contour(np.ones((3, 3), bool)).any()
    np.False_
    >>> contour([[0, 0, 0], [0, 1, 2], [0, 1, 2]]).astype(int).tolist()
    [[0, 0, 0], [0, 1, 1], [0, 1, 1]]
    """
    labels = _labels(to_plane(mask, "contour"))
    edge = np.zeros(labels.shape, dtype=bool)
    below = labels[1:] != labels[:-1]
    edge[1:] |= below
    edge[:-1] |= below
    beside = labels[:, 1:] != labels[:, :-1]
    edge[:, 1:] |= beside
    edge[:, :-1] |= beside
    return edge & (labels != 0)


def overlay(image: Any, mask: Any, colour: str = CONTOUR, stretch: bool = True) -> Array:
    """Draw the contour of `mask` on `image`.

    Parameters
    ----------
    image : array (H, W), (C, H, W) or (H, W, C)
        See `tinyconv.viz.images.to_rgb`.
    mask : array (H, W)
        See `contour`.
    colour : str
        ``#RRGGBB``.
    stretch : bool
        As of `to_rgb`.

    Returns
    -------
    rgb : uint8 array (H, W, 3)

    Raises
    ------
    ShapeError
        When image and mask differ in size.
    """
    picture = to_rgb(image, stretch, where="overlay")
    edge = contour(mask)
    if edge.shape != picture.shape[:2]:
        raise ShapeError("overlay", "mask", edge.shape, f"the image's size {picture.shape[:2]}")
    picture[edge] = rgb(colour)
    return picture


def error_image(truth: Any, prediction: Any, classes: bool = False) -> Array:
    """Colour each pixel by what the prediction made of it.

    Black: background, and found so. Grey: object, and found. Vermillion: a false positive.
    Sky blue: a false negative. Purple, if labels are `classes`: an object, but of another class.

    Parameters
    ----------
    truth, prediction : array (H, W)
        Bool, labels, or probabilities (an object where 0.5 or more).
    classes : bool
        Whether labels are classes, which have to agree; else they number objects.

    Returns
    -------
    rgb : uint8 array (H, W, 3)

    Raises
    ------
    ShapeError
        When the two differ in size.

    Examples
    --------
    >>> error_image([[1, 0]], [[0.9, 0.7]])[0, 1].tolist() == rgb(FALSE_POSITIVE).tolist()
    True
    """
    first = _labels(to_plane(truth, "error_image", "truth"))
    second = _labels(to_plane(prediction, "error_image", "prediction"))
    there, found = first != 0, second != 0
    if there.shape != found.shape:
        raise ShapeError("error_image", "prediction", found.shape, f"the truth's size {there.shape}")
    colours = np.stack([rgb(c) for c in (BLACK, FALSE_POSITIVE, FALSE_NEGATIVE, TRUE_POSITIVE)])
    picture = colours[2 * there + found]
    if classes:
        picture[there & found & (first != second)] = rgb(WRONG_CLASS)
    return picture


def segmentation_sheet(
    images: Sequence[Any] | Array,
    truths: Sequence[Any] | Array,
    predictions: Sequence[Any] | Array,
    path: str | os.PathLike[str] | None = None,
    scores: Sequence[float] | None = None,
    classes: Sequence[str] | None = None,
) -> Figure:
    """Draw a row per image: the image, the truth, the prediction, the error.

    Parameters
    ----------
    images : (N, C, H, W) or a sequence of images of any sizes
        See `tinyconv.viz.images.to_rgb`.
    truths, predictions : (N, 1, H, W), (N, H, W) or a sequence of masks
        Bool, labels, or probabilities; probabilities are drawn in grey.
    path : optional
        Where to save the figure (.png, .pdf, .svg).
    scores : optional
        One Dice per image, written beside its row.
    classes : optional
        The names of the labels 1, 2, …; then each has its colour, and has to be found as what it is.

    Returns
    -------
    figure : matplotlib.figure.Figure

    Raises
    ------
    ShapeError
        When there is no image, or the four differ in length or size.
    """
    count = len(images)
    _check_counts(count, truths=truths, predictions=predictions, scores=scores)
    with style():
        figure = new_figure(12.0, 3.05 * count + 0.8)
        axes = figure.subplots(count, 4, squeeze=False)
        for row in range(count):
            truth = to_plane(truths[row], "segmentation_sheet", "truths")
            prediction = to_plane(predictions[row], "segmentation_sheet", "predictions")
            _draw_row(axes[row], images[row], truth, prediction, classes is not None)
            if scores is not None:
                axes[row, 0].set_ylabel(f"Dice {float(scores[row]):.3f}")
        for column, title in enumerate(("image", "truth", "prediction", "error")):
            axes[0, column].set_title(title)
        _add_legend(figure, classes)
        if path is not None:
            save_figure(figure, path)
    return figure


def _draw_row(axes: Any, image: Any, truth: Array, prediction: Array, classes: bool) -> None:
    if classes:
        masks = [label_image(_within(plane)) for plane in (truth, prediction)]
    else:
        found = prediction if prediction.dtype.kind == "f" else _labels(prediction) != 0
        masks = [_grey(_labels(truth) != 0), _grey(found)]
    pictures = (
        to_rgb(image, where="segmentation_sheet"),
        *masks,
        error_image(truth, prediction, classes),
    )
    for axis, picture in zip(axes, pictures, strict=True):
        axis.imshow(picture)
        axis.set(xticks=[], yticks=[])
        axis.grid(False)
        axis.spines[:].set_visible(False)


def _add_legend(figure: Figure, classes: Sequence[str] | None) -> None:
    names = {
        "object, found": TRUE_POSITIVE,
        "false positive (not there)": FALSE_POSITIVE,
        "false negative (missed)": FALSE_NEGATIVE,
    }
    if classes is not None:
        names["another class"] = WRONG_CLASS
        own = {name: COLOURS[int(_within(number))] for number, name in enumerate(classes, start=1)}
        _legend(figure, own, "outside upper right")
    _legend(figure, names, "outside lower right")


def _within(labels: Any) -> Any:
    """Labels above the number of colours begin again at the first one's."""
    return np.where(labels > 0, (labels - 1) % (len(COLOURS) - 1) + 1, 0)


def _legend(figure: Figure, names: dict[str, str], place: str) -> None:
    from matplotlib.patches import Patch

    handles = [Patch(facecolor=c, edgecolor="#888888", label=name) for name, c in names.items()]
    figure.legend(handles=handles, loc=place, ncols=4)


def _check_counts(count: int, **others: Any) -> None:
    if count == 0:
        raise ShapeError("segmentation_sheet", "images", "empty", "at least one image")
    for name, values in others.items():
        if values is not None and len(values) != count:
            raise ShapeError(
                "segmentation_sheet", name, f"of length {len(values)}", f"{count}, one per image"
            )


def _labels(plane: Array) -> Array:
    """Make integers of a mask: bool and labels as they are, probabilities 1 where 0.5 or more."""
    if plane.dtype.kind == "f":
        return (plane >= 0.5).astype(np.int8)
    return plane.astype(np.int64)


def _grey(plane: Array) -> Array:
    return to_rgb(plane.astype(np.float64), stretch=False)
