"""The frames lie where the gradient of the element by the image is not zero."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_hex

import tinyconv as tc
from tinyconv import nn
from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.viz import plot_receptive_field
from tinyconv.viz.receptive_field import FRAMES


def network() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 3, 3, stride=2), nn.ELU(), nn.Conv2d(3, 3, (1, 5), padding=(0, 2)), nn.AvgPool2d(2)
    )


def reached(model, image, name, position):
    """Left, top, width and height of the pixels that the gradient of one element reaches."""
    x = tc.tensor(image[None], requires_grad=True)
    nn.Sequential(*list(model.children())[: int(name) + 1])(x)[(0, 0, *position)].backward()
    rows, columns = np.nonzero(x.grad.numpy()[0].any(axis=0))
    corner, size = (columns.min(), rows.min()), (np.ptp(columns) + 1, np.ptp(rows) + 1)
    return (corner[0] - 0.5, corner[1] - 0.5, *size)


def frames(figure):
    return {patch.get_label(): (*patch.get_xy(), patch.get_width(), patch.get_height())
            for patch in figure.axes[0].patches}  # fmt: skip


def test_frames_lie_where_gradients_reach(tmp_path):
    tc.manual_seed(0)
    model, image = network().double(), np.random.default_rng(0).random((3, 40, 50))
    places = {"0": (3, 0), "2": (18, 9), "3": (5, 6)}
    figure = plot_receptive_field(model, image, places, path=tmp_path / "field.png")
    drawn = frames(figure)
    assert list(drawn) == ["0 (3, 0): 3×3", "2 (18, 9): 3×11", "3 (5, 6): 5×13"]
    assert list(drawn.values()) == [reached(model, image, *place) for place in places.items()]
    centres = [(line.get_xdata()[0], line.get_ydata()[0]) for line in figure.axes[0].lines]
    assert centres == [(x + w / 2, y + h / 2) for x, y, w, h in drawn.values()]
    assert (tmp_path / "field.png").read_bytes().startswith(b"\x89PNG")


def test_the_middle_of_the_last_map_by_default():
    figure = plot_receptive_field(network(), np.zeros((3, 40, 50)))
    assert list(frames(figure)) == ["3 (4, 6): 5×13"]


def test_padding_lies_outside_of_the_image():
    model = nn.Sequential(nn.Conv2d(1, 1, 5, padding=2))
    figure = plot_receptive_field(model, np.zeros((1, 8, 8)), {"0": (0, 7)})
    axis = figure.axes[0]
    assert frames(figure) == {"0 (0, 7): 5×5": (4.5, -2.5, 5, 5)}
    assert axis.images[0].get_extent() == [-0.5, 7.5, 7.5, -0.5]
    (left, right), (bottom, top) = axis.get_xlim(), axis.get_ylim()
    assert left < -0.5 and right > 9.5 and top < -2.5 and bottom > 7.5


def test_the_frame_is_seen_on_the_drawn_picture():
    """Pixels in the middle of the frame's edge have its colour, those inside are the image's."""
    model = nn.Sequential(nn.Conv2d(1, 1, 5))
    figure = plot_receptive_field(model, np.zeros((1, 20, 20)), {"0": (8, 8)})
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())

    def colour(x, y):
        across, up = figure.axes[0].transData.transform((x, y))
        return to_hex(pixels[pixels.shape[0] - 1 - int(up), int(across)] / 255).upper()

    assert colour(7.5, 9) == colour(12.5, 9) == colour(9, 7.5) == colour(9, 12.5) == FRAMES[0]
    assert colour(9, 9) == colour(3, 3) == "#000000"


def test_a_picture_takes_the_place_of_the_image():
    model = nn.Sequential(nn.Conv2d(3, 1, 3))
    picture = np.linspace(0, 1, 80).reshape(8, 10)
    shown = plot_receptive_field(model, np.zeros((3, 8, 10)), picture=picture).axes[0].images[0].get_array()
    assert shown.shape == (8, 10, 3) and (np.diff(shown[:, :, 0].astype(int).ravel()) >= 0).all()


def test_wrong_input_is_named():
    model = network()
    with pytest.raises(ShapeError, match=r"\(C, H, W\)"):
        plot_receptive_field(model, np.zeros((40, 50)))
    with pytest.raises(ShapeError, match="picture is"):
        plot_receptive_field(model, np.zeros((3, 40, 50)), picture=np.zeros((50, 40)))
    with pytest.raises(ArgumentError, match="one of 0, 1, 2, 3"):
        plot_receptive_field(model, np.zeros((3, 40, 50)), {"7": None})
    with pytest.raises(ArgumentError, match="map of size"):
        plot_receptive_field(model, np.zeros((3, 40, 50)), {"3": (9, 20)})
    flat = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    with pytest.raises(ArgumentError, match="maps"):
        plot_receptive_field(flat, np.zeros((1, 2, 2)))
