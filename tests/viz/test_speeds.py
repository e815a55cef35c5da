"""The bars are as long as the speeds."""

from __future__ import annotations

import pytest

from tinyconv.errors import ArgumentError
from tinyconv.viz import plot_speeds


def test_one_bar_per_speed_and_one_line_per_limit(tmp_path):
    figure = plot_speeds(["slow", "fast"], [0.25, 80.0], {"peak": 116.0}, path=tmp_path / "s.png")
    (axis,) = figure.axes
    assert [bar.get_width() for bar in axis.patches] == [0.25, 80.0]
    assert [line.get_xdata()[0] for line in axis.lines] == [116.0]
    assert [text.get_text() for text in axis.get_yticklabels()] == ["slow", "fast"]
    assert [text.get_text() for text in axis.texts] == ["0.25", "80"]
    assert axis.get_xscale() == "log" and axis.yaxis_inverted()
    assert (tmp_path / "s.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("speeds", "says"), [([1.0], "number of speeds is 1"), ([1.0, 0.0], "above 0")])
def test_wrong_speeds_are_named(speeds, says):
    with pytest.raises(ArgumentError, match=says):
        plot_speeds(["a", "b"], speeds)
