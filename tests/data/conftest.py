"""Folders of nuclei in the Kaggle layout, made for the tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def save_item(root: Path, name: str, image: np.ndarray, nuclei: list[np.ndarray]) -> Path:
    """Write one <id> folder: the image, and a black and white mask per nucleus."""
    folder = root / name
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    Image.fromarray(image).save(folder / "images" / f"{name}.png")
    for number, nucleus in enumerate(nuclei):
        Image.fromarray(nucleus.astype(np.uint8) * 255).save(folder / "masks" / f"{number:02d}.png")
    return folder


def two_nuclei(height: int, width: int) -> list[np.ndarray]:
    """A 4x4 and a 3x5 square nucleus that do not touch."""
    first, second = np.zeros((2, height, width), bool)
    first[2:6, 1:5] = True
    second[10:13, 8:13] = True
    return [first, second]


def dark_rgba(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Grey in four channels, dark but for the nuclei."""
    rng = np.random.default_rng(seed)
    grey = rng.integers(0, 20, (height, width), dtype=np.uint8)
    grey[sum(two_nuclei(height, width)) > 0] = 200
    return np.dstack([grey, grey, grey, np.full_like(grey, 255)])


@pytest.fixture
def kaggle_folder(tmp_path: Path) -> Path:
    """dsb2018/stage1_train with a dark grey RGBA item a, a larger one b, a pink c, a bright grey d."""
    root = tmp_path / "some where é" / "dsb2018" / "stage1_train"
    save_item(root, "a", dark_rgba(16, 20), two_nuclei(16, 20))
    save_item(root, "b", dark_rgba(24, 32), two_nuclei(24, 32))
    pink = np.full((16, 20, 3), (200, 100, 180), np.uint8)
    save_item(root, "c", pink, two_nuclei(16, 20))
    save_item(root, "d", np.full((16, 20), 230, np.uint8), two_nuclei(16, 20))
    return root


@pytest.fixture
def save() -> Callable[..., Path]:
    """`save_item`, for tests that make their own folders."""
    return save_item
