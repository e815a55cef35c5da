"""Each curve lies where its numbers are."""

from __future__ import annotations

import numpy as np
import pytest

from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.viz import plot_lines

X = np.array([1.0, 10.0, 100.0])


def test_panels_curves_and_logarithms(tmp_path):
    panels = {"two": {"a": X, "b": X**2}, "one": {"c": [1, np.nan, 3]}}
    figure = plot_lines(panels, X, ("step", "error"), log="xy", path=tmp_path / "l.png")
    two, one = figure.axes
    assert [axis.get_title() for axis in figure.axes] == ["two", "one"]
    assert [line.get_label() for line in two.lines] == ["a", "b"]
    np.testing.assert_array_equal(two.lines[1].get_xydata(), np.stack([X, X**2], 1))
    assert np.isnan(one.lines[0].get_ydata()).tolist() == [False, True, False]
    assert (two.get_xscale(), two.get_yscale()) == ("log", "log")
    assert (two.get_xlabel(), two.get_ylabel()) == ("step", "error")
    assert two.get_legend() is not None and one.get_legend() is None
    assert (tmp_path / "l.png").read_bytes().startswith(b"\x89PNG")


def test_panels_have_the_same_scales_where_values_are_missing_too():
    first, second = plot_lines({"": {"a": [1, 2, 3]}, "half": {"b": [np.nan, 9, np.nan]}}, X).axes
    assert first.get_xlim() == second.get_xlim() and first.get_ylim() == second.get_ylim()
    assert first.get_xlim()[0] <= 1 and first.get_xlim()[1] >= 100 and first.get_ylim()[1] >= 9


def test_scales_are_linear_unless_asked():
    (axis,) = plot_lines({"": {"a": X}}, X, log="x").axes
    assert (axis.get_xscale(), axis.get_yscale()) == ("log", "linear")


def test_a_logarithmic_axis_names_the_few_x_that_there_are():
    (axis,) = plot_lines({"": {"a": [1, 2, 3, 4]}}, [2, 5, 10, 80], log="x").axes
    axis.figure.canvas.draw()
    assert [text.get_text() for text in axis.get_xticklabels()] == ["2", "5", "10", "80"]
    assert not axis.get_xticks(minor=True).size
    (axis,) = plot_lines({"": {"a": np.arange(1, 20)}}, np.arange(1, 20), log="x").axes
    assert len(axis.get_xticks()) < 10


def test_a_logarithmic_axis_of_few_decades_names_what_lies_between_them():
    def names(panels):
        figure = plot_lines(panels, X, log="y")
        figure.canvas.draw()
        low, high = figure.axes[0].get_ylim()
        ticks = figure.axes[0].yaxis.get_major_ticks()
        return [tick.label1.get_text() for tick in ticks if low <= tick.get_loc() <= high]

    assert names({"": {"a": [0.4, 1, 3]}}) == ["0.5", "1", "2"]
    assert "0.5" not in names({"few": {"a": [0.4, 1, 3]}, "many": {"a": [1e-6, 1, 3]}})


def test_what_does_not_fit_is_named():
    with pytest.raises(ShapeError, match=r"the curve 'a' is \(2,\)"):
        plot_lines({"": {"a": [1, 2]}}, X)
    with pytest.raises(ArgumentError, match="log is 'z'"):
        plot_lines({"": {"a": X}}, X, log="z")
    with pytest.raises(ArgumentError, match="panels is empty"):
        plot_lines({}, X)
