"""Images smaller than a network's poolings take: extended by reflection, or refused with the size needed."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.cli.command import metrics, refused, tinyconv_command

FIVE_LEVELS = ["unet_bn", "--widths", "2,2,2,2,2"]
"""Four poolings: sides that are multiples of 16."""


@pytest.fixture
def small(tmp_path):
    """A folder of images of 20 x 20 pixels with masks."""
    rng = np.random.default_rng(0)
    for number in range(4):
        mask = np.zeros((20, 20), np.uint8)
        mask[4 : 12 + number, 6:15] = 255
        for part, array in (("images", mask // 2 + rng.integers(0, 50, mask.shape)), ("masks", mask)):
            (tmp_path / "small" / part).mkdir(parents=True, exist_ok=True)
            Image.fromarray(array.astype(np.uint8)).save(tmp_path / "small" / part / f"{number}.png")
    return tmp_path / "small"


def test_training_and_predicting(small, tmp_path):
    """Crops of 32 of images of 20; masks have the sizes of the images, down to one pixel."""
    run = tmp_path / "run"
    options = ["--size", 32, "--batch-size", 2, "--steps", 2, "--held-out", 0.25]
    done = tinyconv_command("train", *FIVE_LEVELS, "--data", small, *options, "--run", run)
    assert done.exit_code == 0, (done.output, done.exception)
    assert "crops of 32 x 32" in done.stdout and len([m for m in metrics(run) if "loss" in m]) == 2
    assert tinyconv_command("eval", run).exit_code == 0
    sizes = [(1, 1), (4, 4), (20, 20), (3, 50)]
    files = [tmp_path / f"{width}x{height}.png" for width, height in sizes]
    for file, (width, height) in zip(files, sizes, strict=True):
        pixels = np.arange(width * height, dtype=np.uint8).reshape(height, width)
        Image.fromarray(pixels).save(file)
    done = tinyconv_command("predict", run, *files, "--out", tmp_path / "out")
    assert done.exit_code == 0, (done.output, done.exception)
    assert [Image.open(tmp_path / "out" / f"{file.stem}_mask.png").size for file in files] == sizes


def test_a_size_that_the_poolings_do_not_divide(small, tmp_path):
    command = ["train", *FIVE_LEVELS, "--data", small, "--run", tmp_path / "run"]
    refused(tinyconv_command(*command, "--size", 20), "size is 20", "a multiple of 16")
    refused(tinyconv_command(*command, "--size", 8), "size is 8", "from 16 to")
    assert not (tmp_path / "run").exists()


def test_one_pixel_where_batch_normalisation_needs_several(small, tmp_path):
    """Crops of 16 are one pixel after four poolings, and a batch of 1 has no variance there."""
    command = ["train", *FIVE_LEVELS, "--data", small, "--size", 16, "--batch-size", 1, "--steps", 1]
    refused(tinyconv_command(*command, "--run", tmp_path / "run"), "batch_norm", "more than one")
