from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from tinyconv.errors import ShapeError
from tinyconv.viz import plot_confusion, titled_images


def test_the_confusion_matrix_as_it_is_drawn(tmp_path):
    matrix = np.array([[8, 2, 0], [0, 5, 0], [1, 0, 3]])
    path = tmp_path / "confusion.png"
    figure = plot_confusion(matrix, ["cat", "dog", "owl"], path)
    axis = figure.axes[0]
    np.testing.assert_allclose(axis.images[0].get_array(), [[0.8, 0.2, 0], [0, 1, 0], [0.25, 0, 0.75]])
    written = {(text.get_position()[1], text.get_position()[0]): text.get_text() for text in axis.texts}
    assert written == {(0, 0): "8", (0, 1): "2", (1, 1): "5", (2, 0): "1", (2, 2): "3"}
    assert [label.get_text() for label in axis.get_xticklabels()] == ["cat", "dog", "owl"]
    assert {label.get_rotation() for label in axis.get_xticklabels()} == {0}
    long = plot_confusion(matrix, ["hummingbird", "dog", "owl"]).axes[0]
    assert {label.get_rotation() for label in long.get_xticklabels()} == {60}
    assert path.read_bytes()[:4] == b"\x89PNG"
    assert len(plot_confusion(np.eye(40), [str(i) for i in range(40)]).axes[0].texts) == 0
    for wrong in (np.eye(2), np.zeros((3, 2))):
        with pytest.raises(ShapeError, match="a row and a column for each class"):
            plot_confusion(wrong, ["a", "b", "c"])


def luminance(colour):
    """Relative luminance of WCAG 2."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_numbers_stand_out_from_every_shade():
    parts = np.arange(1, 11)
    axis = plot_confusion(
        np.eye(10) * parts[:, None] + np.roll(np.eye(10), 1, 1) * (11 - parts[:, None]), list("0123456789")
    ).axes[0]
    shades = axis.images[0]
    assert len(axis.texts) == 20
    for text in axis.texts:
        column, row = text.get_position()
        share = shades.get_array()[row, column]
        light, dark = sorted(
            (luminance(text.get_color()), luminance(shades.to_rgba(share)[:3])), reverse=True
        )
        assert (light + 0.05) / (dark + 0.05) > 4.5, share


def test_images_with_titles(tmp_path):
    images = [np.full((1, 4, 5), 0.5), np.full((3, 8, 8), 2.0)]
    figure = titled_images(images, ["one", "two"], tmp_path / "x.svg")
    assert [axis.get_title() for axis in figure.axes] == ["one", "two"]
    assert (figure.axes[0].images[0].get_array() == 128).all()
    assert (figure.axes[1].images[0].get_array() == 255).all()
    assert len(titled_images(images * 4, ["x"] * 8).axes) == 12
    coloured = np.full((5, 6, 3), (0, 10, 255), np.uint8)  # bytes stay what they are
    large = titled_images([coloured], ["bytes"], size=4.0)
    assert (large.axes[0].images[0].get_array() == coloured).all()
    width, height = large.get_size_inches().tolist()
    assert width == 4.0 and 4.25 < height < 4.6
    two_rows = titled_images([coloured] * 4, ["a", "b", "", ""], columns=2, size=4.0)
    assert two_rows.get_size_inches().tolist() == pytest.approx([8.0, height + 4.05])
    with pytest.raises(ShapeError, match="one for each image"):
        titled_images(images, ["one"])
    with pytest.raises(ShapeError):
        titled_images([], [])
