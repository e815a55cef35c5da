"""Each bar is as long as its number, which stands at its end."""

from __future__ import annotations

import numpy as np
import pytest

from tinyconv.errors import ArgumentError, DtypeError, ShapeError
from tinyconv.viz import plot_bars


def test_lengths_names_and_numbers(tmp_path):
    panels = {"found": {"a": 0.5, "b": -0.25, "c": np.nan}, "true": {"a": 1.0, "b": 0.0, "c": 2.0}}
    figure = plot_bars(panels, "share", form="{:.2f}", path=tmp_path / "b.png")
    first, second = figure.axes
    assert [axis.get_title() for axis in figure.axes] == ["found", "true"]
    assert [bar.get_width() for bar in second.patches] == [1.0, 0.0, 2.0]
    assert [bar.get_width() for bar in first.patches][:2] == [0.5, -0.25]
    assert [text.get_text() for text in first.texts] == ["0.50", "-0.25", "nan"]
    assert [text.get_text() for text in first.get_yticklabels()] == ["a", "b", "c"]
    assert first.get_ylim()[0] > first.get_ylim()[1] and first.get_xlabel() == "share"
    assert first.get_xlim() == second.get_xlim() and first.get_xlim()[0] < -0.25
    assert (tmp_path / "b.png").read_bytes().startswith(b"\x89PNG")


def test_bars_of_nothing_but_zeros_can_be_drawn():
    (axis,) = plot_bars({"": {"a": 0.0}}).axes
    assert axis.get_xlim() == (0.0, 1.0)


def test_what_does_not_fit_is_named():
    for wrong in ({}, {"one": {}}, {"one": {"a": 1.0}, "two": {"b": 1.0}}):
        with pytest.raises(ShapeError, match="the same bars in each"):
            plot_bars(wrong)
    with pytest.raises(DtypeError, match="panel 'one'"):
        plot_bars({"one": {"a": "long"}})
    with pytest.raises(ArgumentError, match="infinite"):
        plot_bars({"one": {"a": np.inf}})


def test_the_axis_names_no_numbers_beyond_the_bars():
    first, second = plot_bars({"a": {"x": 0.99, "y": 0.3}, "b": {"x": 0.5, "y": 0.1}}).axes
    assert first.get_xticks().tolist() == second.get_xticks().tolist()
    assert (first.get_xticks().min(), first.get_xticks().max()) == (0.0, 1.0)
    (axis,) = plot_bars({"a": {"x": -0.5, "y": 2.0}}).axes
    assert axis.get_xticks().min() >= -0.51 and 1.5 <= axis.get_xticks().max() <= 2.0
