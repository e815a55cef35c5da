"""What is timed is the step with the wait for its batch; the files are read, not remembered."""

from __future__ import annotations

import time

import numpy as np
import pytest

pytest.importorskip("numba")

from benchmarks import loader
from tinyconv.data import MaskFolder, NucleiFolder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("images")
    loader.write_images(path, 5)
    return path


def test_both_layouts_hold_the_same_images(folder):
    pairs, nuclei = MaskFolder(folder / loader.PAIRS), NucleiFolder(folder / loader.NUCLEI)
    assert len(pairs) == len(nuclei) == 5
    for (image, mask), (same_image, same_mask) in zip(pairs, nuclei, strict=True):
        np.testing.assert_array_equal(image, same_image)
        np.testing.assert_array_equal(mask, same_mask)


@pytest.mark.parametrize("way", loader.WAYS)
def test_each_way_gives_whole_batches(folder, way):
    batches = loader.WAYS[way](folder)
    for _ in range(3):
        images, masks = next(batches)
        assert images.shape == (4, 3, 256, 256)
        assert masks.shape == (4, 1, 256, 256)
    if hasattr(batches, "close"):
        batches.close()


def test_the_wait_counts(monkeypatch):
    monkeypatch.setattr(loader, "WARM", 0)
    monkeypatch.setattr(loader.models, "create", lambda name: loader.tc.nn.Conv2d(3, 1, 1))
    monkeypatch.setattr(loader, "bce_dice_loss", lambda output, masks: output.mean())
    batch = (loader.tc.zeros(1, 3, 8, 8), loader.tc.zeros(1, 1, 8, 8))

    def slow():
        while True:
            time.sleep(0.2)
            yield batch

    (seconds,) = loader.step_seconds(slow(), 1)
    assert seconds >= 0.2
