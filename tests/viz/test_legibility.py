"""Every kind of figure, with as much in it as the lessons show, can be read from the last row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.viz.figures import FIGURES, IMAGE, NET
from tests.viz.legibility import complaints
from tinyconv import viz
from tinyconv.viz.style import new_figure, style


@pytest.mark.parametrize(
    ("name", "draw"), [(name, draw) for name, kinds in FIGURES.items() for draw in kinds]
)
def test_all_text_can_be_read(name: str, draw: Callable[[], Any]) -> None:
    assert complaints(draw()) == []


def test_every_kind_of_figure_is_looked_at() -> None:
    drawing = {n for n in viz.__all__ if getattr(viz, n).__annotations__["return"] == "Figure"}
    assert drawing == FIGURES.keys()


def test_every_step_of_the_animation_can_be_read() -> None:
    rng = np.random.default_rng(0)
    animation = viz.convolution_animation(
        rng.integers(-255, 255, (6, 6)), rng.normal(size=(3, 3)).round(1), 0.5
    )
    figure = animation._fig
    figure.canvas.draw()
    for step in range(len(animation.descriptions)):
        animation._draw_next_frame(step, blit=False)
        assert complaints(figure) == [], step


@pytest.mark.parametrize(
    ("place", "size", "says"),
    [((0.9, 0.5), 14, "is cut off"), ((0.5, 0.51), 14, "overlap by"), ((0.1, 0.9), 6, "pixels high")],
)
def test_what_cannot_be_read_is_found(place: tuple[float, float], size: int, says: str) -> None:
    with style():
        figure = new_figure(6, 4, layout=None)
        figure.text(0.5, 0.5, "in the middle")
        assert complaints(figure) == []
        figure.text(*place, "a text too many", fontsize=size)
    assert [says in complaint for complaint in complaints(figure)] == [True]


def test_a_label_beside_a_square_picture_is_saved_whole(tmp_path: Path) -> None:
    figure = viz.plot_receptive_field(NET, IMAGE, {"0": (0, 0)}, path=tmp_path / "field.png")
    with Image.open(tmp_path / "field.png") as saved:
        dark = np.asarray(saved.convert("L")) < 200
    assert np.flatnonzero(dark.any(0))[0] >= 3  # what is cut off has ink in the first column
    assert complaints(figure) == []
