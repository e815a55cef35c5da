"""One figure or more of every kind, with as much in it as the lessons show, and what each kind looks like.

`python -m tests.viz.figures` writes mosaics.json anew: look at the figures first.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import tinyconv as tc
from tests.coarse import mosaic, written
from tests.viz.legibility import pixels
from tinyconv import metrics, models, nn, viz

MOSAICS = Path(__file__).parent / "mosaics.json"

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


def seen(name: str, change: Callable[[Any], Any] = lambda figure: None) -> Any:
    """The mosaic of the first figure of a kind, changed before it is saved."""
    global rng
    rng = np.random.default_rng(1)
    figure = FIGURES[name][0]()
    change(figure)
    return mosaic(pixels(figure))


if __name__ == "__main__":
    mosaics = {name: written(seen(name)) for name in FIGURES}
    MOSAICS.write_text(json.dumps(mosaics, indent=0) + "\n", encoding="utf-8")
