"""A finished run, copies of it to be damaged, and folders of images."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.command import TINY, tinyconv_command


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """A finished run: 4 epochs of 3 batches."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    done = tinyconv_command("train", "unet", *TINY, "--epochs", 4, "--run", folder)
    assert done.exit_code == 0, done.output
    return folder, done.output


@pytest.fixture
def copy(run, tmp_path):
    """A copy of the finished run, to be damaged."""
    return Path(shutil.copytree(run[0], tmp_path / "copy"))


@pytest.fixture
def save_nuclei(tmp_path):
    """A function that makes a folder in the Kaggle layout: colour, opacity, and sizes that differ."""

    def make(count=6):
        root = tmp_path / "cells"
        for number in range(count):
            folder = root / f"cell{number}"
            for name in ("images", "masks"):
                (folder / name).mkdir(parents=True)
            height, width = 30 + 7 * number, 50 - 5 * number
            mask = np.zeros((height, width), np.uint8)
            mask[5:15, 5 + number : 15 + number] = 255
            grey = mask // 2 + 20
            opaque = np.full_like(grey, 255)
            colours = [grey, grey // (1 + number % 2), grey, opaque]
            image = np.dstack(colours) if number % 3 else grey
            Image.fromarray(image).save(folder / "images" / f"cell{number}.png")
            Image.fromarray(mask).save(folder / "masks" / "one.png")
        return root

    return make
