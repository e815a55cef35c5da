"""The step-by-step convolution shows the numbers that SciPy computes, and S4's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import correlate2d

from tinyconv.errors import ArgumentError, DtypeError, ShapeError
from tinyconv.viz.convolution import convolution_animation
from tinyconv.viz.player import animation_html, save_animation

IMAGE = np.array(
    [
        [255, 220, 150, 200, 110, 100],
        [240, 50, 35, 45, 200, 130],
        [0, 20, 245, 250, 230, 120],
        [170, 180, 235, 145, 170, 255],
        [190, 185, 170, 165, 130, 120],
        [255, 255, 245, 190, 200, 175],
    ]
)
KERNEL = np.array([[-0.7, 0.2, 0.1], [0.3, 0.5, 0.4], [-0.2, -0.4, 0.2]])
# S4 prints its maps column by column: the first window's right neighbour stands below it.
S4_MAP = np.array([[32.5, -105.5, 185.5, 54], [-105.5, 104, 217.5, 31], [-44, 224, 38.5, -18]])
S4_MAP = np.vstack([S4_MAP, [-60.5, 213.5, 52.5, 37.5]]).T
S4_POOLED = np.array([[104, 217.5], [224, 52.5]]).T


def drawn(animation, frame):
    """Draw one frame; give the matrices by title, "" for an empty cell, and the caption."""
    figure = animation._fig
    figure.canvas.draw()  # matplotlib starts an animation when its figure is first drawn
    animation._draw_next_frame(frame, blit=False)
    matrices, title = {}, ""
    *texts, caption = (text.get_text() for text in figure.axes[0].texts)
    for text in texts:
        if any(character.isalpha() for character in text):
            title = text
            matrices[title] = []
        else:
            matrices[title].append(text.replace("\N{MINUS SIGN}", "-"))
    return matrices, caption.replace("\N{MINUS SIGN}", "-")


def frames(animation):
    return list(animation.new_frame_seq())


def filled(cells):
    return [float(cell) for cell in cells if cell]


@pytest.fixture
def example():
    return convolution_animation(IMAGE, KERNEL)


def test_has_a_frame_per_cell_one_for_relu_and_one_to_begin_with(example):
    assert len(frames(example)) == 1 + 16 + 1 + 4
    drawn(example, 0)


def test_begins_with_empty_maps(example):
    matrices, _ = drawn(example, 0)
    assert filled(matrices["input"]) == IMAGE.ravel().tolist()
    assert filled(matrices["filter"]) == KERNEL.ravel().tolist()
    assert filled(matrices["feature map"]) == filled(matrices["input × filter"]) == []


def test_third_window_of_the_second_row(example):
    matrices, caption = drawn(example, 7)
    assert filled(matrices["feature map"]) == S4_MAP.ravel()[:7].tolist()
    assert filled(matrices["input × filter"]) == pytest.approx((IMAGE[1:4, 2:5] * KERNEL).ravel())
    assert caption == "sum of the 9 products = 224"


def test_last_frame_shows_the_slides_numbers(example):
    matrices, caption = drawn(example, 21)
    assert filled(matrices["feature map"]) == S4_MAP.ravel().tolist()
    assert "217.5" in matrices["ReLU"]
    assert filled(matrices["ReLU"]) == np.maximum(S4_MAP, 0).ravel().tolist()
    assert filled(matrices["max pool 2×2"]) == S4_POOLED.ravel().tolist()
    assert caption == "max(38.5, 52.5, 0, 37.5) = 52.5"


def test_a_frame_does_not_depend_on_those_drawn_before(example):
    early = drawn(example, 3)
    drawn(example, 21)
    assert drawn(example, 3) == early


def test_windows_are_framed_where_they_are(example):
    drawn(example, 1 + 4 * 2 + 1)  # the cell (2, 1) of the feature map
    boxes = [patch for patch in example._fig.axes[0].patches if patch.get_visible() and not patch.get_fill()]
    sizes = {(box.get_width(), box.get_height()) for box in boxes}
    assert sizes == {(3, 3), (1, 1)}
    window = next(box for box in boxes if box.get_width() == 3)
    assert (window.get_x(), window.get_y()) == (1, 2)


@pytest.mark.parametrize(("stride", "padding", "size"), [(1, 0, (6, 5)), (2, 1, (5, 7)), (3, 2, (4, 4))])
def test_bias_stride_and_padding_agree_with_scipy(stride, padding, size):
    rng = np.random.default_rng(0)
    image, kernel = rng.integers(-9, 10, size), rng.integers(-3, 4, (3, 2))
    expected = correlate2d(np.pad(image, padding), kernel, mode="valid")[::stride, ::stride] + 5
    animation = convolution_animation(image, kernel, bias=5, stride=stride, padding=padding, then=())
    assert len(frames(animation)) == 1 + expected.size
    matrices, caption = drawn(animation, expected.size)
    assert filled(matrices["feature map"]) == expected.ravel().tolist()
    assert caption.endswith(f"plus b = 5: z = {expected[-1, -1]}")


def test_a_line_is_padded_along_the_line_only():
    animation = convolution_animation([10, 50, 60, 10, 20, 30, 40], [1 / 3] * 3, padding=1)
    matrices, _ = drawn(animation, len(frames(animation)) - 1)
    assert filled(matrices["feature map"]) == pytest.approx([20, 40, 40, 30, 20, 30, 70 / 3], abs=5e-3)
    assert filled(matrices["max pool 1×2"]) == [40, 40, 30]


def test_smallest_case():
    animation = convolution_animation([[2]], [[3]], then=("relu",))
    assert len(frames(animation)) == 3
    assert drawn(animation, 2)[0]["ReLU"] == ["6"]


@pytest.mark.parametrize(
    ("arguments", "error", "names"),
    [
        ({"image": np.ones((2, 3, 3))}, ShapeError, "image is (2, 3, 3)"),
        ({"kernel": np.ones((7, 1))}, ShapeError, "kernel is (7, 1)"),
        ({"kernel": np.ones((0, 1))}, ShapeError, "kernel is (0, 1)"),
        ({"kernel": [["a"]]}, DtypeError, "kernel is"),
        ({"stride": 0}, ArgumentError, "stride is 0"),
        ({"padding": -1}, ArgumentError, "padding is -1"),
        ({"then": ("softmax",)}, ArgumentError, "then is 'softmax'"),
        ({"kernel": np.ones((6, 6))}, ShapeError, "max_pool of a map (1, 1)"),
    ],
)
def test_bad_input_is_named(arguments, error, names):
    given = {"image": IMAGE, "kernel": KERNEL, "then": ("max_pool",), **arguments}
    with pytest.raises(error) as caught:
        convolution_animation(**given)
    assert names in str(caught.value)


@pytest.fixture
def short():
    return convolution_animation(IMAGE[:3, :4], KERNEL, then=())


def test_player_has_every_frame_and_needs_no_network(short):
    html = animation_html(short)
    assert html.count("data:image/png;base64") == 3
    assert "://" not in html
    assert '.fa.fa-play::before { content: "▶"; }' in html


def test_every_frame_is_told_in_words(example):
    words = [text.replace("\N{MINUS SIGN}", "-") for text in example.descriptions]
    assert len(words) == len(frames(example))
    for number, text in enumerate(words):
        matrices, caption = drawn(example, number)
        assert text.startswith(caption)
        maps = text.removeprefix(caption).removeprefix(". ")
        told = dict(part.split(": ") for part in maps.split(". ") if part)
        shown = {title: matrices[title] for title in ("feature map", "ReLU", "max pool 2×2")}
        assert told.keys() == {title for title, cells in shown.items() if any(cells)}
        for title, rows in told.items():
            assert rows.replace(";", ",").split(", ") == [cell for cell in shown[title] if cell]
    assert words[-1].endswith("max pool 2×2: 104, 224; 217.5, 52.5")


def test_the_player_speaks_only_where_there_are_words(short, tmp_path):
    page = save_animation(short, tmp_path / "window.html").read_text(encoding="utf-8")
    assert page.count("const words = [") == 1 and "The filter slides over the input" in page
    del short.descriptions
    page = save_animation(short, tmp_path / "window.html").read_text(encoding="utf-8")
    assert "const words" not in page


def test_html_and_gif_are_written(short, tmp_path):
    page = save_animation(short, tmp_path / "window.html")
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>") and "max-height: calc(100vh" in text
    for key, title in (("ArrowLeft", "Previous"), ("ArrowRight", "Next"), ("Home", "First"), ("End", "Last")):
        assert f'{key}: "{title}"' in text and f'button title="{title} frame"' in text
    save_animation(short, tmp_path / "window.gif")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["window.gif", "window.html"]


def test_the_gif_shows_each_frame_for_its_time(short, tmp_path):
    """In 256 colours, so that pixels at the edge of letters may differ a little."""
    from PIL import Image

    path = save_animation(short, tmp_path / "window.gif", frames_per_second=2)
    shown, expected = [], []
    with Image.open(path) as gif:
        for frame in range(gif.n_frames):
            gif.seek(frame)
            assert gif.info["duration"] == 500
            shown.append(np.asarray(gif.convert("RGB"), int))
            drawn(short, frame)
            short._fig.canvas.draw()
            expected.append(np.asarray(short._fig.canvas.buffer_rgba(), int)[:, :, :3])
    assert len(shown) == 3 and shown[0].shape == expected[0].shape
    difference = [[np.abs(one - other).mean() for other in expected] for one in shown]
    assert np.argmin(difference, axis=1).tolist() == [0, 1, 2]
    assert max(np.diag(difference)) < 1


def test_another_suffix_is_refused(short, tmp_path):
    with pytest.raises(ArgumentError, match=r"\.html or \.gif"):
        save_animation(short, tmp_path / "window.mp4")
    animation_html(short)
