"""Both panels show the measurements, the right one the limits of agreement."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from tinyconv.errors import ShapeError
from tinyconv.metrics import bland_altman
from tinyconv.viz import plot_agreement


def test_points_and_limits(tmp_path):
    measured, reference = np.array([11.0, 21.0, 34.0]), np.array([10.0, 20.0, 30.0])
    figure = plot_agreement(bland_altman(measured, reference), "ml", "volume", tmp_path / "a.png")
    left, right = figure.axes
    np.testing.assert_allclose(left.collections[0].get_offsets(), np.stack([reference, measured], 1))
    middles = (measured + reference) / 2
    np.testing.assert_allclose(
        right.collections[0].get_offsets(), np.stack([middles, measured - reference], 1)
    )
    heights = sorted(line.get_ydata()[0] for line in right.lines)
    spread = 1.959964 * np.std([1, 1, 4], ddof=1)
    np.testing.assert_allclose(heights, [2 - spread, 0, 2, 2 + spread], rtol=1e-6)
    assert {text.get_text() for text in right.texts} == {"mean 2", "+1.96 SD 5.39", "−1.96 SD −1.39"}
    assert (left.get_title(), left.get_xlabel(), left.get_ylabel()) == (
        "volume",
        "reference (ml)",
        "measured (ml)",
    )
    assert right.get_ylabel() == "measured − reference (ml)"
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_no_agreement_is_named():
    for means, differences in ((np.ones(2), np.ones(3)), (np.ones(0), np.ones(0)), (np.eye(2), np.eye(2))):
        with pytest.raises(ShapeError, match=r"\(N,\) twice"):
            plot_agreement(SimpleNamespace(means=means, differences=differences))
