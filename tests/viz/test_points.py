"""Points lie where they are said to, each class in a colour and a form of its own."""

from __future__ import annotations

import numpy as np
import pytest

from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.viz import plot_points

LABELS = np.array([0, 2, 2, 1])
PLACES = np.array([[0.0, 1], [2, 3], [4, 5], [6, 7]])


def test_places_colours_and_names(tmp_path):
    figure = plot_points({"one": PLACES, "other": -PLACES}, LABELS, ["a", "b", "c"], tmp_path / "p.png")
    one, other = figure.axes
    assert [axis.get_title() for axis in figure.axes] == ["one", "other"]
    drawn = {points.get_label(): points for points in one.collections}
    assert list(drawn) == ["a", "b", "c"]
    np.testing.assert_array_equal(drawn["c"].get_offsets(), PLACES[1:3])
    np.testing.assert_array_equal(other.collections[1].get_offsets(), -PLACES[3:])
    assert len({tuple(points.get_facecolor()[0]) for points in one.collections}) == 3
    assert len({points.get_paths()[0].vertices.tobytes() for points in one.collections}) == 3
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b", "c"]
    assert not one.get_xticks().size and not one.get_yticks().size
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


def test_ten_classes_differ_in_colour_or_form():
    figure = plot_points({"": np.zeros((10, 2))}, np.arange(10), [str(i) for i in range(10)])
    looks = {
        (tuple(points.get_facecolor()[0]), points.get_paths()[0].vertices.tobytes())
        for points in figure.axes[0].collections
    }
    assert len(looks) == 10


def test_what_does_not_fit_is_named():
    with pytest.raises(ShapeError, match="panels is empty"):
        plot_points({}, LABELS, "abc")
    with pytest.raises(ShapeError, match=r"panel 'one' is \(3, 2\)"):
        plot_points({"one": PLACES[:3]}, LABELS, "abc")
    with pytest.raises(ArgumentError, match="below 2"):
        plot_points({"one": PLACES}, LABELS, "ab")
    for wrong in (LABELS - 1, LABELS / 2, LABELS[None]):
        with pytest.raises(ArgumentError, match="labels"):
            plot_points({"one": PLACES}, wrong, "abc")
