"""The dots stand where the ratios and the shares are."""

from __future__ import annotations

import pytest

from tinyconv.errors import ArgumentError
from tinyconv.viz import plot_ratios, plot_shares


def test_one_dot_per_known_ratio(tmp_path):
    figure = plot_ratios(
        ["a", "b", "c"], {"one": [2.0, None, 0.5], "two": [1.0, 3.0, None]}, path=tmp_path / "r.png"
    )
    (axis,) = figure.axes
    dots = {c.get_label(): c.get_offsets().tolist() for c in axis.collections}
    assert dots == {"one": [[2.0, 0.0], [0.5, 2.0]], "two": [[1.0, 0.0], [3.0, 1.0]]}
    assert [text.get_text() for text in axis.get_yticklabels()] == ["a", "b", "c"]
    assert axis.get_xscale() == "log" and axis.yaxis_inverted()
    assert (tmp_path / "r.png").read_bytes().startswith(b"\x89PNG")


def test_as_many_ratios_as_labels():
    with pytest.raises(ArgumentError, match="number of ratios of 'one' is 1, expected 2"):
        plot_ratios(["a", "b"], {"one": [1.0]})


def test_one_dot_per_known_share(tmp_path):
    figure = plot_shares(["a", "b"], {"one": [0.5, 1.2], "two": [None, 0.25]}, path=tmp_path / "s.png")
    (axis,) = figure.axes
    dots = {c.get_label(): c.get_offsets().tolist() for c in axis.collections}
    assert dots == {"one": [[0.5, 0.0], [1.2, 1.0]], "two": [[0.25, 1.0]]}
    assert [text.get_text() for text in axis.get_yticklabels()] == ["a", "b"]
    assert axis.get_xlim()[0] == 0 and axis.yaxis_inverted()
    assert (tmp_path / "s.png").read_bytes().startswith(b"\x89PNG")


def test_as_many_shares_as_labels():
    with pytest.raises(ArgumentError, match="number of shares of 'one' is 1, expected 2"):
        plot_shares(["a", "b"], {"one": [1.0]})
