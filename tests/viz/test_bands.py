"""The band has the runs' lowest and highest numbers as its edges."""

from __future__ import annotations

import numpy as np
import pytest

from tinyconv.errors import ShapeError
from tinyconv.viz import plot_bands


def test_edges_and_middle(tmp_path):
    runs = [[4.0, 3.0], [6.0, 1.0], [5.0, 7.0]]
    figure = plot_bands(
        {"Net": {"a": runs, "b": [[1.0, 1.0]]}, "Other": {"a": [[0.0, -1.0]]}}, path=tmp_path / "b.png"
    )
    first, second = figure.axes
    assert [axis.get_title() for axis in figure.axes] == ["Net", "Other"]
    np.testing.assert_array_equal(first.lines[0].get_xydata(), [[1, 5], [2, 3]])
    corners = {tuple(point) for point in first.collections[0].get_paths()[0].vertices.tolist()}
    assert corners == {(1.0, 4.0), (2.0, 1.0), (2.0, 7.0), (1.0, 6.0)}
    assert first.get_yscale() == "log" and second.get_yscale() == "linear"
    assert [text.get_text() for text in first.get_legend().get_texts()] == ["a", "b"]
    assert (tmp_path / "b.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("panels", "says"),
    [
        ({}, "at least one series"),
        ({"Net": {}}, "at least one series"),
        ({"Net": {"a": [1.0, 2.0]}}, r"a .*\(runs, steps\)"),
        ({"Net": {"a": [[]]}}, r"a .*\(runs, steps\)"),
    ],
)
def test_wrong_runs_are_named(panels, says):
    with pytest.raises(ShapeError, match=says):
        plot_bands(panels)
