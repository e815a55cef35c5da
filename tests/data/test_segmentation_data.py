from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyconv.data import (
    Compose,
    ConcatDataset,
    Kept,
    Normalized,
    NucleiFolder,
    RandomCrop,
    RandomFlip,
    RandomIntensity,
    RandomRotate90,
    SegmentationData,
    Subset,
    SyntheticNuclei,
    normalize,
    split,
    with_channels,
)
from tinyconv.errors import ArgumentError, ShapeError


def test_sample_depends_on_seed_epoch_and_index_alone() -> None:
    source = SyntheticNuclei(3, size=48)
    data = SegmentationData.training(source, size=32, seed=1)
    samples = {(epoch, i): data.at_epoch(epoch)[i][0] for epoch in range(3) for i in range(3)}
    for (epoch, i), image in reversed(samples.items()):
        fresh = SegmentationData.training(source, size=32, seed=1).at_epoch(epoch)
        np.testing.assert_array_equal(fresh[i][0], image)
    assert len({image.tobytes() for image in samples.values()}) == 9
    other = SegmentationData.training(source, size=32, seed=2)
    assert not np.array_equal(other[0][0], data[0][0])
    np.testing.assert_array_equal(data[-1][0], data[2][0])


def test_training_samples_have_the_size_whatever_the_image(kaggle_folder: Path) -> None:
    data = SegmentationData.training(NucleiFolder(kaggle_folder), size=(24, 24))
    for epoch in range(4):
        for image, mask in data.at_epoch(epoch):
            assert image.shape == (3, 24, 24) and mask.shape == (1, 24, 24)
            assert image.dtype == mask.dtype == np.float32
            assert image.flags.c_contiguous and mask.flags.c_contiguous
            assert set(np.unique(mask)) <= {0, 1}
            assert np.isfinite(image).all()
    oblong = SegmentationData.training(NucleiFolder(kaggle_folder), size=(16, 32))
    assert all(oblong.at_epoch(epoch)[0][0].shape == (3, 16, 32) for epoch in range(8))


def test_the_mask_stays_on_the_nuclei(kaggle_folder: Path) -> None:
    """Nuclei are brighter than all else in item b, and stay so through every augmentation."""
    data = SegmentationData.training(NucleiFolder(kaggle_folder), size=24)
    for epoch in range(10):
        image, mask = data.at_epoch(epoch)[1]
        inside = mask[0] > 0
        if inside.any():
            assert image[0][inside].min() > image[0][~inside].max()


def test_held_out_samples_are_whole_and_the_same_in_every_epoch(kaggle_folder: Path) -> None:
    folder = NucleiFolder(kaggle_folder)
    data = SegmentationData.held_out(folder)
    assert [image.shape for image, _ in data] == [(3, 16, 20), (3, 24, 32), (3, 16, 20), (3, 16, 20)]
    for i in range(4):
        np.testing.assert_array_equal(data.at_epoch(9)[i][0], data[i][0])
        np.testing.assert_array_equal(data[i][1], folder[i][1])
    np.testing.assert_array_equal(data[1][0], np.repeat(normalize(folder[1][0]), 3, axis=0))


def test_works_on_a_split_and_keeps_names(kaggle_folder: Path) -> None:
    train, held = split(NucleiFolder(kaggle_folder), held_out=0.25)
    data = [SegmentationData.training(train, size=16), SegmentationData.held_out(held)]
    assert sorted(part.name(i) for part in data for i in range(len(part))) == ["a", "b", "c", "d"]
    assert data[0].at_epoch(3)[0][0].shape == (3, 16, 16)


def test_channels() -> None:
    grey, colour = np.ones((1, 2, 2)), np.arange(12.0).reshape(3, 2, 2)
    assert with_channels(grey, 3).shape == (3, 2, 2)
    assert with_channels(colour, 3) is colour
    np.testing.assert_array_equal(with_channels(colour, 1), colour.mean(0)[None])
    with pytest.raises(ShapeError, match=r"image is \(3, 2, 2\)"):
        with_channels(colour, 4)
    assert SegmentationData.held_out(SyntheticNuclei(1, size=16), channels=1)[0][0].shape == (1, 16, 16)
    with pytest.raises(ArgumentError, match="channels is 0"):
        SegmentationData(SyntheticNuclei(1), channels=0)


def test_pairs_that_do_not_belong_together_are_refused() -> None:
    data = SegmentationData([(np.zeros((1, 4, 4)), np.zeros((1, 4, 5)))], Compose([RandomCrop(2)]))
    with pytest.raises(ShapeError, match=r"mask is \(1, 4, 5\), expected \(K, 4, 4\)"):
        data[0]


REAL = next(
    (folder for above in Path(__file__).parents if (folder := above / "shared/data/dsb2018").is_dir()), None
)


@pytest.mark.skipif(REAL is None, reason="needs the images of the 2018 Data Science Bowl")
def test_real_fluorescence_images_of_256_pixels() -> None:
    data = NucleiFolder(REAL, stain="fluorescence", size=256)
    assert len(data) == 220
    image, mask = SegmentationData.held_out(data)[0]
    assert image.shape == (3, 256, 256) and 0 < mask.mean() < 0.5


class Counted(SyntheticNuclei):
    """Counts how often its items are read."""

    reads = 0

    def __getitem__(self, index: int):
        self.reads += 1
        return super().__getitem__(index)


def test_images_are_read_and_normalised_once_and_samples_stay_what_they_were() -> None:
    source = Counted(3, size=48)
    data = SegmentationData.training(Subset(ConcatDataset([source]), range(3)), size=32, seed=1)
    steps = Compose([RandomCrop(32), RandomFlip(), RandomIntensity(), RandomRotate90()])
    plain = SegmentationData(Normalized(SyntheticNuclei(3, size=48)), steps, seed=1)
    for epoch in range(3):
        for (image, mask), (expected, truth) in zip(data.at_epoch(epoch), plain.at_epoch(epoch), strict=True):
            np.testing.assert_array_equal(image, expected)
            np.testing.assert_array_equal(mask, truth)
    assert source.reads == 3
    np.testing.assert_array_equal(Normalized(source)[1][0], normalize(SyntheticNuclei(3, size=48)[1][0]))


def test_a_loader_reads_ahead_what_training_keeps() -> None:
    source = Counted(6, size=48)
    data = SegmentationData.training(Subset(source, [4, 0, 5]), size=32)
    Subset(data, [2, 1]).prepare(0)
    assert source.reads == 1
    data[2]
    assert source.reads == 1
    data[0]
    assert source.reads == 2


def test_images_that_are_drawn_anew_in_each_epoch_are_not_kept() -> None:
    class Drawn(SyntheticNuclei):
        def at_epoch(self, epoch: int) -> SyntheticNuclei:
            return SyntheticNuclei(2, size=48, seed=epoch)

    data = SegmentationData.training(Drawn(2, size=48), size=48)
    found = [SegmentationData(data.at_epoch(epoch).dataset)[0][1] for epoch in range(3)]
    for epoch, mask in enumerate(found):
        np.testing.assert_array_equal(mask, SyntheticNuclei(2, size=48, seed=epoch)[0][1])


def test_a_sample_is_no_view_of_what_is_kept() -> None:
    data = SegmentationData.training(SyntheticNuclei(1, size=48), size=48)
    for epoch in range(8):
        image, mask = data.at_epoch(epoch)[0]
        image[...], mask[...] = np.nan, np.nan
    assert all(np.isfinite(array).all() for array in data.at_epoch(9)[0])


def test_whole_numbers_are_normalised_as_floats() -> None:
    image = np.random.default_rng(0).integers(0, 255, (1, 24, 24)).astype(np.uint8)
    mask = np.ones((1, 24, 24), np.int64)
    for data in (SegmentationData.held_out([(image, mask)]), Normalized([(image, mask)])):
        found, truth = data[0]
        np.testing.assert_array_equal(found[0], normalize(image.astype(np.float32))[0])
        assert found.dtype == truth.dtype == np.float32 and len(np.unique(found)) > 100


def test_kept_counts_what_it_holds() -> None:
    large = np.zeros((100, 100), np.float32)
    kept = Kept([(large[0],), (large[1],)], memory=500)
    assert kept[0][0].base is None and kept[0] is kept[0]
    assert kept[1] is not kept[1]
