"""The regions are where the score says, and each class has its marks."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from tinyconv.errors import ShapeError
from tinyconv.viz import plot_boundary
from tinyconv.viz.style import BLUE, ORANGE

CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])


def right_of_the_middle(points):
    return points[:, 0] - 0.5


def test_one_panel_per_score_with_regions_line_and_points(tmp_path):
    figure = plot_boundary(
        [right_of_the_middle, lambda points: np.ones(len(points))],
        CORNERS,
        [0, 0, 1, 1],
        ["divided", "all one"],
        path=tmp_path / "b.png",
    )
    divided, whole = figure.axes
    assert [axis.get_title() for axis in figure.axes] == ["divided", "all one"]
    regions, line, zeros, ones = divided.collections
    assert zeros.get_offsets().tolist() == [[0, 0], [0, 1]]
    assert ones.get_offsets().tolist() == [[1, 0], [1, 1]]
    (boundary,) = line.get_paths()
    np.testing.assert_allclose(boundary.vertices[:, 0], 0.5, atol=1e-9)
    for path, colour, side in zip(regions.get_paths(), (BLUE, ORANGE), (-1, 1), strict=True):
        middle = path.vertices.mean(0)
        assert np.sign(middle[0] - 0.5) == side
        index = 0 if side < 0 else 1
        np.testing.assert_allclose(regions.get_facecolor()[index][:3], to_rgb(colour))
    assert len(whole.collections) == 3  # no line where there is but one region
    assert (tmp_path / "b.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("points", "labels", "titles", "says"),
    [
        ([[0, 0, 0]], [0], "", r"points is \(1, 3\)"),
        (CORNERS, [0, 1], "", r"labels is \(2,\)"),
        (CORNERS, [0, 0, 1, 1], ["a", "b"], "titles is of length 2"),
    ],
)
def test_what_does_not_fit_is_named(points, labels, titles, says):
    with pytest.raises(ShapeError, match=says):
        plot_boundary(right_of_the_middle, points, labels, titles)


def test_a_score_of_the_wrong_shape_is_named():
    with pytest.raises(ShapeError, match="what a score gives"):
        plot_boundary(lambda points: points, CORNERS, [0, 0, 1, 1])
