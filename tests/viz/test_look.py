"""Figures look as they did when somebody looked at them last: colours and places, in mosaic."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.coarse import distances, mosaic, read, written
from tests.viz.figures import FIGURES, MOSAICS, seen
from tinyconv.viz import style

KEPT = {name: read(lines) for name, lines in json.loads(MOSAICS.read_text(encoding="utf-8")).items()}
BRIGHTNESS, COLOUR = 45, 9
"""More than another font brings about, less than a wrong colour or place; both are tried below."""


def looks_the_same(name: str, change: Callable[[Any], Any] = lambda figure: None) -> bool:
    now = seen(name, change)
    brightness, colour = distances(KEPT[name], now)
    return now.shape == KEPT[name].shape and brightness <= BRIGHTNESS and colour <= COLOUR


@pytest.mark.parametrize("name", FIGURES)
def test_each_kind_of_figure_looks_as_it_did(name: str) -> None:
    assert looks_the_same(name)
    assert distances(KEPT[name], np.full((24, 32, 3), 255.0))[0] > 3  # it is not empty


def test_only_figures_that_there_are_have_a_mosaic() -> None:
    assert KEPT.keys() == FIGURES.keys()


FONTS = ({"font.sans-serif": ["DejaVu Serif"]}, {"text.hinting": "none"})


@pytest.mark.parametrize("setting", FONTS, ids=str)
@pytest.mark.parametrize("name", ["matrix_figure", "plot_bars", "plot_lines", "plot_receptive_field"])
def test_another_font_passes(name: str, setting: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    before = seen(name)
    for key, value in setting.items():
        monkeypatch.setitem(style._SETTINGS, key, value)
    assert not np.array_equal(seen(name), before)
    assert looks_the_same(name)


def shift_frame(figure: Any) -> None:
    frame = figure.axes[0].patches[0]
    frame.set_x(frame.get_x() + 1)  # a pixel of the image


def shift_image(figure: Any) -> None:
    image = figure.axes[0].images[0]
    image.set_data(np.roll(image.get_array(), 1, 1))


WRONG = {
    "a line in another colour": ("plot_lines", lambda f: f.axes[0].lines[0].set_color(style.GREEN)),
    "a bar in another colour": ("plot_bars", lambda f: f.axes[0].patches[0].set_color(style.GREEN)),
    "a frame beside its place": ("plot_receptive_field", shift_frame),
    "an image beside its place": ("augmentation_sheet", shift_image),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_colour_or_place_is_seen(wrong: str) -> None:
    name, change = WRONG[wrong]
    assert looks_the_same(name) and not looks_the_same(name, change)


def test_a_mosaic_is_read_as_it_was_written() -> None:
    picture = np.full((10, 9, 3), 255, np.uint8)
    picture[:5, :3] = 7, 8, 9
    picture[5:, 8] = 0
    grid = mosaic(picture, rows=2, columns=3)
    assert written(grid) == ["070809 . .", ". . aaaaaa"]
    assert np.array_equal(read(written(grid)), grid)
