"""The one look of all figures: colours that colour-blind readers can tell apart, type for a projector.

Figures are `matplotlib.figure.Figure` objects on an Agg canvas, made without pyplot: they
need no display, leave no global state behind, and can be drawn in any thread.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tinyconv.errors import ArgumentError, DtypeError
from tinyconv.io import storage_error, write_whole

Array = Any
Figure = Any

# Okabe and Ito, "Color Universal Design" (2008).
BLACK = "#000000"
ORANGE = "#E69F00"
SKY_BLUE = "#56B4E9"
GREEN = "#009E73"
YELLOW = "#F0E442"
BLUE = "#0072B2"
VERMILLION = "#D55E00"
PURPLE = "#CC79A7"
CYCLE = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY_BLUE, BLACK)

GREY = "#6E6E6E"
PALE = "#F2F2F2"

FALSE_POSITIVE = VERMILLION
FALSE_NEGATIVE = SKY_BLUE
TRUE_POSITIVE = "#D0D0D0"
CONTOUR = YELLOW

_SETTINGS: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 14,
    "axes.titlesize": 15,
    "axes.labelsize": 14,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.facecolor": "white",
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.8,
    "lines.linewidth": 2.5,
    "legend.frameon": False,
    "image.interpolation": "nearest",
    "figure.dpi": 100,
    "savefig.dpi": 100,
}


@contextlib.contextmanager
def style() -> Iterator[None]:
    """Draw in the project's style inside this block."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS, **{"axes.prop_cycle": matplotlib.cycler(color=CYCLE)})
        yield


def new_figure(width: float, height: float, layout: str | None = "constrained") -> Figure:
    """Make an empty figure, sizes in inches, that needs no display."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout=layout)
    FigureCanvasAgg(figure)
    return figure


def rgb(colour: str) -> Array:
    """Give the three bytes of a ``#RRGGBB`` colour: uint8 array (3,).

    Examples
    --------
    >>> rgb("#D55E00").tolist()
    [213, 94, 0]
    """
    return np.frombuffer(bytes.fromhex(colour[1:]), dtype=np.uint8)


def text_on(colour: Any) -> str:
    """Give the colour of text on `colour` (three or four numbers from 0 to 1): black or white, by contrast.

    The one with the larger contrast ratio, which is above 4.5 on every colour (WCAG 2, relative luminance).

    Examples
    --------
    >>> text_on((0.0, 0.45, 0.7)), text_on((0.5, 0.72, 0.85))
    ('white', '#000000')
    """
    parts = np.asarray(colour[:3], np.float64)
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    luminance = float(linear @ (0.2126, 0.7152, 0.0722))
    return "white" if 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05 else BLACK


def diverging() -> Any:
    """Make the colour map of signed numbers: blue below 0, white at 0, orange above, black for NaN."""
    from matplotlib.colors import LinearSegmentedColormap

    colours = LinearSegmentedColormap.from_list("signed", [BLUE, "#FFFFFF", ORANGE])
    return colours.with_extremes(bad=BLACK)


def largest_magnitude(values: Array) -> float:
    """Give the largest finite magnitude in `values`, or 1 if there is none above 0."""
    finite = np.abs(values[np.isfinite(values)])
    return float(finite.max()) if finite.size and finite.max() > 0 else 1.0


def numbers(where: str, argument: str, values: Any) -> Array:
    """Return `values` as a float64 array.

    Raises
    ------
    DtypeError
        When they are no real numbers.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise DtypeError(where, argument, f"of dtype {array.dtype}", "an array of real numbers")
    return array.astype(np.float64)


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> Path:
    """Write `figure` to `path`: .png, .pdf or .svg.

    Raises
    ------
    ArgumentError
        When the suffix is another.
    StorageError
        When the file cannot be written; an earlier file of that name stays as it was.
    """
    path = figure_path(path)
    content = io.BytesIO()
    with style():
        if (engine := figure.get_layout_engine()) is not None:
            engine.execute(figure)  # saving is the second pass; after one, axes of fixed aspect cut text off
        figure.savefig(content, format=path.suffix[1:])
    return save_bytes(content.getvalue(), path)


def figure_path(path: str | os.PathLike[str]) -> Path:
    """Return `path`, if `save_figure` can write a file of that name.

    Raises
    ------
    ArgumentError
        When the suffix is another.
    """
    path = Path(path)
    if path.suffix not in (".png", ".pdf", ".svg"):
        raise ArgumentError("save_figure", "path", path, "a name that ends in .png, .pdf or .svg")
    return path


def save_bytes(content: bytes, path: Path) -> Path:
    """Write the file at `path` as a whole, and the folders above it where they are missing.

    Raises
    ------
    StorageError
        When this cannot be done.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(path, error) from error
    return write_whole(path, content)
