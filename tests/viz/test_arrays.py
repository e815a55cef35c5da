"""Matrices, gradients and feature maps as figures; saving; no trace left behind."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from tinyconv.errors import ArgumentError, ShapeError, StorageError
from tinyconv.viz import feature_map_grid, gradient_heatmap, matrix_figure, save_figure
from tinyconv.viz.gradients import tile
from tinyconv.viz.matrix import format_number
from tinyconv.viz.style import CYCLE, GREEN, rgb


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1 + 0.2, "0.3"),
        (-105.49999999999999, "−105.5"),
        (4194304, "4.19e+06"),
        (-0.0, "0"),
        (1e-17, "1e−17"),
        (123456, "123456"),
        (float("nan"), "nan"),
        (float("-inf"), "−inf"),
    ],
)
def test_numbers_are_written_as_on_a_slide(value, text):
    assert format_number(value) == text


def test_matrices_stand_side_by_side(tmp_path):
    figure = matrix_figure([[[1, 2], [3, 4]], [5, 6, 7]], ["a", "b"], tmp_path / "m.png", grey=[True, False])
    assert texts(figure) == ["a", "1", "2", "3", "4", "b", "5", "6", "7"]
    assert (tmp_path / "m.png").exists()


def test_a_number_has_the_same_grey_in_each_matrix_with_the_same_largest():
    figure = matrix_figure([[[212, 126]], [[212, 0], [0, 126]]], ["pooled", "unpooled"], grey=True)
    cells = [patch for patch in figure.axes[0].patches if patch.get_width() == 1 and patch.get_fill()]
    first, again, dark = cells[1].get_facecolor(), cells[5].get_facecolor(), cells[3].get_facecolor()
    assert first == again and dark[0] < first[0] < 1


def test_numbers_fit_their_cells():
    values = np.array([[-105.5, 217.5], [-1e-9, 4194304.0]])
    figure = matrix_figure(values)
    figure.canvas.draw()
    axis = figure.axes[0]
    cell = axis.transData.transform((1, 0))[0] - axis.transData.transform((0, 0))[0]
    assert max(text.get_window_extent().width for text in axis.texts) < cell


@pytest.mark.parametrize("values", [np.zeros((1, 1)), np.full((2, 2), np.nan), np.ones((2, 9), bool)])
def test_odd_matrices_are_drawn(values):
    matrix_figure(values, grey=True).canvas.draw()


def test_bad_matrices_are_named():
    with pytest.raises(ShapeError, match="matrices is"):
        matrix_figure(np.zeros((2, 2, 2)))
    with pytest.raises(ShapeError, match="titles is of length 1"):
        matrix_figure([[[1]], [[2]]], ["a"])


def test_tiles_keep_each_element_in_its_tile():
    values = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    assert np.array_equal(tile(values)[4:8, 10:15], values[1, 2])


def test_worst_gradient_element_is_framed_and_named(tmp_path):
    numeric = np.random.default_rng(0).normal(size=(4, 3, 5, 5))
    analytic = numeric.copy()
    analytic[1, 2, 3, 4] += 0.5
    figure = gradient_heatmap(analytic, numeric, tmp_path / "gradient.png")
    frames = [axis.patches[0] for axis in figure.axes[:3]]
    assert {(frame.get_x(), frame.get_y()) for frame in frames} == {(14 - 0.5, 8 - 0.5)}
    assert "element (1, 2, 3, 4)" in figure.get_suptitle()
    assert "difference 0.5" in figure.get_suptitle()
    assert np.allclose(figure.axes[2].images[0].get_array(), tile(analytic - numeric))


@pytest.mark.parametrize("shape", [(), (7,), (1, 1), (2, 3, 4), (2, 1, 2, 3, 2)])
def test_gradients_of_any_rank_are_drawn(shape):
    figure = gradient_heatmap(np.full(shape, np.nan), np.zeros(shape))
    figure.canvas.draw()
    assert "nan" in figure.get_suptitle()


def test_gradients_of_different_shapes_are_refused():
    with pytest.raises(ShapeError, match="numeric is"):
        gradient_heatmap(np.zeros((2, 3)), np.zeros((3, 2)))


@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 4, 3), (1, 16, 8, 8)])
def test_feature_maps_have_a_picture_per_channel(shape):
    values = np.random.default_rng(0).normal(size=shape)
    figure = feature_map_grid(values)
    figure.canvas.draw()
    pictures = [axis.images[0].get_array() for axis in figure.axes if axis.images]
    planes = values.reshape(-1, *shape[-2:])
    assert len(pictures) == len(planes)
    assert all(np.array_equal(picture, plane) for picture, plane in zip(pictures, planes, strict=True))


@pytest.mark.parametrize(("sign", "ends"), [((1, 1), (0, 3)), ((-1, -1), (-3, 0)), ((-1, 1), (-3, 3))])
def test_the_colour_bar_has_the_numbers_that_there_are(sign, ends):
    maps = np.stack([sign[0] * np.eye(3), sign[1] * 3 * np.eye(3)])
    figure = feature_map_grid(maps)
    assert figure.axes[-1].get_ylim() == ends
    assert {axis.images[0].get_clim() for axis in figure.axes if axis.images} == {(-3, 3)}  # 0 stays white


def test_bad_feature_maps_are_named():
    with pytest.raises(ShapeError, match="maps is"):
        feature_map_grid(np.zeros((2, 3, 4, 4)))
    with pytest.raises(ShapeError, match="titles is of length 2"):
        feature_map_grid(np.zeros((3, 4, 4)), titles=["a", "b"])
    with pytest.raises(ArgumentError, match="columns is 0"):
        feature_map_grid(np.zeros((3, 4, 4)), columns=0)


def test_saving_makes_folders_and_leaves_no_other_file(tmp_path):
    path = save_figure(matrix_figure([[1]]), tmp_path / "a" / "b.png")
    assert [file.name for file in path.parent.iterdir()] == ["b.png"]


def test_a_file_that_cannot_be_written_is_named_and_the_old_one_stays(tmp_path):
    figure = matrix_figure([[1]])
    (tmp_path / "file").write_text("old")
    with pytest.raises(StorageError, match=r"\.png.* is not written"):
        save_figure(figure, tmp_path / "file" / "b.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(StorageError, match=r"\.png.* is not written"):
        save_figure(figure, tmp_path / "folder.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.png"]
    assert (tmp_path / "file").read_text() == "old"
    with pytest.raises(ArgumentError, match=r"\.png"):
        save_figure(figure, tmp_path / "a.exe")


def test_drawing_leaves_no_global_state():
    import matplotlib

    before = dict(matplotlib.rcParams)
    matrix_figure([[1]])
    feature_map_grid(np.zeros((1, 2, 2)))
    assert dict(matplotlib.rcParams) == before


def test_viz_imports_matplotlib_only_when_asked():
    code = (
        "import sys, tinyconv.viz; assert not {'matplotlib', 'PIL'} & sys.modules.keys(), sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_colours_are_told_apart_without_red_and_green():
    """Simulated deuteranopia (Vienot 1999): every two of the first six colours stay apart."""
    simulate = np.array([[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]])
    linear = np.array([(rgb(colour) / 255.0) ** 2.2 for colour in CYCLE[:6]])
    seen = np.clip(linear @ simulate.T, 0, 1) ** (1 / 2.2)
    distances = np.linalg.norm(seen[:, None] - seen[None], axis=-1)[np.triu_indices(6, 1)]
    assert distances.min() > 0.15
    assert rgb(GREEN).tolist() == [0, 158, 115]


def test_feature_map_grid_draws_the_input_first():
    maps = np.stack([np.full((4, 5), -2.0), np.full((4, 5), 1.0)])
    figure = feature_map_grid(maps, image=np.eye(4), titles=["a", "b"], columns=3, size=3)
    first, second, third = figure.axes[:3]
    assert [axis.get_title() for axis in (first, second, third)] == ["image", "a", "b"]
    assert first.images[0].get_array().shape == (4, 4, 3)
    assert np.array_equal(second.images[0].get_array(), maps[0])
    assert np.array_equal(third.images[0].get_array(), maps[1])
    assert tuple(figure.get_size_inches()) == pytest.approx((3 * 3 + 1.2, 3.25))  # the image is square


def test_a_grid_of_wide_maps_is_as_high_as_they_are():
    figure = feature_map_grid(np.ones((2, 20, 40)), columns=1, size=4)
    assert tuple(figure.get_size_inches()) == pytest.approx((5.2, 2 * (2 + 0.25)))
