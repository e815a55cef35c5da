"""What is wrong with the text of a saved figure: cut off, overlapping, or too small for a projector."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from PIL import Image

from tinyconv.viz import save_figure

PROJECTOR = 1280
"""Pixels that a projector has from left to right."""
SMALLEST = 10.0
"""Pixels of a projector that an em takes at least."""
SLACK = 2.0
"""Pixels by which two boxes may overlap: they leave room for accents and descenders that may be missing."""


def drawn_texts(figure: Any) -> list[tuple[str, Any, float, float]]:
    """The texts of a figure as saved: what they say, the box in pixels, the size in points, the angle."""
    from matplotlib.text import Text

    found: dict[int, tuple[str, Any, float, float]] = {}  # where a text is drawn last
    draw = Text.draw

    def noting(text: Any, renderer: Any, *args: Any, **options: Any) -> None:
        if text.get_visible() and text.get_text().strip():
            box = Text.get_window_extent(text, renderer)
            found[id(text)] = text.get_text(), box, text.get_fontsize(), text.get_rotation()
        draw(text, renderer, *args, **options)

    with mock.patch.object(Text, "draw", noting), tempfile.TemporaryDirectory() as folder:
        save_figure(figure, Path(folder) / "figure.png")
    return list(found.values())


def complaints(figure: Any) -> list[str]:
    """What cannot be read, in words; empty if all is well."""
    texts = drawn_texts(figure)
    width, height = figure.bbox.width, figure.bbox.height
    found = []
    for text, box, size, _ in texts:
        if box.x0 < -SLACK or box.y0 < -SLACK or box.x1 > width + SLACK or box.y1 > height + SLACK:
            found.append(f"{text!r} is cut off")
        pixels = size / 72 * figure.dpi * min(1.0, PROJECTOR / width)
        if pixels < SMALLEST:
            found.append(f"{text!r} is {pixels:.1f} pixels high on a projector")
    for (text, box, _, angle), (other, other_box, _, other_angle) in itertools.combinations(texts, 2):
        if angle % 90 and angle == other_angle:
            continue  # side by side on a slope: their boxes overlap, they do not
        across = min(box.x1, other_box.x1) - max(box.x0, other_box.x0)
        along = min(box.y1, other_box.y1) - max(box.y0, other_box.y0)
        if across > SLACK and along > SLACK:
            found.append(f"{text!r} and {other!r} overlap by {across:.0f} x {along:.0f} pixels")
    return found


def pixels(figure: Any) -> Any:
    """The figure as it is saved, as bytes (height, width, 3)."""
    with tempfile.TemporaryDirectory() as folder:
        path = save_figure(figure, Path(folder) / "figure.png")
        with Image.open(path) as saved:
            return np.asarray(saved.convert("RGB"))
