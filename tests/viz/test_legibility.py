"""Every kind of figure, with as much in it as the lessons show, can be read from the last row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import tinyconv as tc
from tests.viz.legibility import complaints, pixels
from tinyconv import metrics, models, nn, viz
from tinyconv.viz.style import new_figure, style

rng = np.random.default_rng(0)
IMAGE = rng.random((1, 32, 32))
MASK = (np.hypot(*np.mgrid[-16:16, -16:16]) < 9).astype(float)
FOUND = np.roll(MASK, 3, 1)
X = np.linspace(0.1, 2, 40)
DIGITS = [str(digit) for digit in range(10)]
NAMES = ["hummingbird", "golden retriever", "steam locomotive"]
NET = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.MaxPool2d(2), nn.Conv2d(2, 2, 3), nn.Flatten())
RUN = [{"step": s, "loss": 3 / (s + 1), "val_dice": 1 - 1 / (s + 2)} for s in range(100)]
SHARES = {"forward": [0.95, 0.8, 0.3], "backward": [0.9, None, 1.2]}


def same(image: Any, mask: Any, rng: Any) -> Any:
    return image, mask


def loss() -> Any:
    return NET(tc.ones(1, 1, 16, 16)).sum()


FIGURES: dict[str, list[Callable[[], Any]]] = {
    "augmentation_sheet": [lambda: viz.augmentation_sheet(IMAGE, MASK[None], {"flip": same})],
    "feature_map_grid": [
        lambda: viz.feature_map_grid(rng.normal(size=(16, 8, 8))),
        lambda: viz.feature_map_grid(
            rng.normal(size=(5, 8, 8)), 3, ["blur", "left to right", "top to bottom", "diagonal", "all"],
            image=IMAGE, size=3.6,
        ),
    ],
    "gradient_heatmap": [lambda: viz.gradient_heatmap(rng.normal(size=(4, 3, 5, 5)), np.zeros((4, 3, 5, 5)))],
    "graph_figure": [lambda: viz.graph_figure(loss(), NET.named_parameters())],
    "matrix_figure": [
        lambda: viz.matrix_figure([[1e-9, -217.5], [4194304, 0.333333]], "products"),
        lambda: viz.matrix_figure(
            [np.eye(6), np.eye(3), np.eye(4), np.eye(4), np.eye(2)],
            ["input", "filter", "feature map", "ReLU", "max pool 2×2"],
        ),
        lambda: viz.matrix_figure([[1, 2, 3], [4], [5]], ["signal", "a long name", "another long name"]),
    ],
    "plot_agreement": [
        lambda: viz.plot_agreement(metrics.bland_altman([11, 21, 34], [10, 20, 30]), "ml", "left ventricle"),
        lambda: viz.plot_agreement(metrics.bland_altman([1, 2, 3], [1, 2, 3])),
    ],
    "plot_architecture": [
        lambda: viz.plot_architecture(models.create("unet_slides"), (3, 256, 256), "The U-Net of the slides"),
        lambda: viz.plot_architecture(models.create("segnet", widths=(16, 32, 64)), (3, 96, 128), "SegNet"),
        lambda: viz.plot_architecture(models.create("vgg11"), (3, 224, 224), "VGG-11"),
        lambda: viz.plot_architecture(models.create("lenet5"), (1, 28, 28)),
    ],
    "plot_bands": [lambda: viz.plot_bands({"LeNet": {"a": [X, 2 * X]}, "U-Net": {"b": [X, X - 1]}})],
    "plot_bars": [
        lambda: viz.plot_bars({"a": dict.fromkeys(NAMES, 0.123), "b": dict.fromkeys(NAMES, -1.0)}, "share"),
    ],
    "plot_boundary": [
        lambda: viz.plot_boundary([lambda p: p.sum(1) - 1.5] * 3, np.eye(2), [0, 1], ["and", "or", "xor"]),
    ],
    "plot_confusion": [
        lambda: viz.plot_confusion(rng.integers(0, 1000, (10, 10)), DIGITS),
        lambda: viz.plot_confusion(rng.integers(0, 9, (3, 3)), NAMES),
    ],
    "plot_curves": [lambda: viz.plot_curves(RUN), lambda: viz.plot_curves(RUN[:5])],
    "plot_learning_rates": [lambda: viz.plot_learning_rates(X.tolist(), X.tolist(), X.tolist(), 0.5)],
    "plot_lines": [
        lambda: viz.plot_lines({"ReLU": {"f": X, "its slope": X > 1}, "tanh": {"f": X}}, X, ("x", "y")),
        lambda: viz.plot_lines({"log": {"f": X[:4]}}, 10.0 ** np.arange(4), ("images", "error"), "xy"),
    ],
    "plot_points": [lambda: viz.plot_points({"pixels": rng.random((30, 2))}, np.arange(30) % 10, DIGITS)],
    "plot_ratios": [lambda: viz.plot_ratios(NAMES, {"PyTorch": [1.5, None, 9], "JAX": [2, 0.9, 70]}, "CPU")],
    "plot_receptive_field": [lambda: viz.plot_receptive_field(NET, IMAGE, {"0": (0, 0), "2": None})],
    "plot_shares": [lambda: viz.plot_shares(NAMES, SHARES, "memory")],
    "plot_speeds": [lambda: viz.plot_speeds(NAMES, [0.01, 3, 90], {"peak": 115, "memory": 40}, "3x3")],
    "sample_grid": [lambda: viz.sample_grid(rng.random((12, 1, 8, 8)), 6, rows=["code 3", "code 17"])],
    "segmentation_sheet": [
        lambda: viz.segmentation_sheet([IMAGE] * 2, [MASK] * 2, [FOUND] * 2, scores=[0.7, 0.71]),
        lambda: viz.segmentation_sheet([IMAGE], [MASK.astype(int)], [FOUND.astype(int) * 2], classes=NAMES),
    ],
    "titled_images": [
        lambda: viz.titled_images([IMAGE] * 8, [f"{n}: 98 %" for n in range(8)]),
        lambda: viz.titled_images(
            [IMAGE] * 10, ["image", "weighted cross-entropy"] * 5, columns=5, size=2.6
        ),
        lambda: viz.titled_images([IMAGE] * 4, ["blue vessels, orange nodules"] * 4, columns=4, size=3.2),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "draw"), [(name, draw) for name, kinds in FIGURES.items() for draw in kinds]
)
def test_all_text_can_be_read(name: str, draw: Callable[[], Any]) -> None:
    assert complaints(draw()) == []


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_drawn_the_same_twice_and_is_not_empty(name: str) -> None:
    figure = FIGURES[name][0]()
    first = pixels(figure)
    assert np.array_equal(first, pixels(figure))
    share = (first != 255).any(axis=2).mean()
    assert 0.005 < share < 0.999


def test_every_kind_of_figure_is_looked_at() -> None:
    drawing = {n for n in viz.__all__ if getattr(viz, n).__annotations__["return"] == "Figure"}
    assert drawing == FIGURES.keys()


def test_every_step_of_the_animation_can_be_read() -> None:
    animation = viz.convolution_animation(
        rng.integers(-255, 255, (6, 6)), rng.normal(size=(3, 3)).round(1), 0.5
    )
    figure = animation._fig
    figure.canvas.draw()
    for step in range(len(animation.descriptions)):
        animation._draw_next_frame(step, blit=False)
        assert complaints(figure) == [], step


@pytest.mark.parametrize(
    ("place", "size", "says"),
    [((0.9, 0.5), 14, "is cut off"), ((0.5, 0.51), 14, "overlap by"), ((0.1, 0.9), 6, "pixels high")],
)
def test_what_cannot_be_read_is_found(place: tuple[float, float], size: int, says: str) -> None:
    with style():
        figure = new_figure(6, 4, layout=None)
        figure.text(0.5, 0.5, "in the middle")
        assert complaints(figure) == []
        figure.text(*place, "a text too many", fontsize=size)
    assert [says in complaint for complaint in complaints(figure)] == [True]


def test_a_label_beside_a_square_picture_is_saved_whole(tmp_path: Path) -> None:
    figure = viz.plot_receptive_field(NET, IMAGE, {"0": (0, 0)}, path=tmp_path / "field.png")
    with Image.open(tmp_path / "field.png") as saved:
        dark = np.asarray(saved.convert("L")) < 200
    assert np.flatnonzero(dark.any(0))[0] >= 3  # what is cut off has ink in the first column
    assert complaints(figure) == []
