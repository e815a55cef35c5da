"""The scores of `tinyconv eval`, from pixels that were counted here."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tinyconv.data import SegmentationData
from tinyconv.train.mask_scores import as_json, mean, of_objects, per_class, score_images, table

SPACING = (2.0, 1.0, 0.5)


class Answers:
    """In the place of a Segmenter: gives these probabilities, one after the other."""

    def __init__(self, probabilities, exclusive):
        self.answers, self.exclusive = iter(probabilities), exclusive

    def __call__(self, image):
        return next(self.answers)


class Items(list):
    """Items (image, mask), which tell their names."""

    def name(self, index):
        return f"image {index}"


class Volumes(Items):
    def spacing(self, index):
        return SPACING


class Cells(Items):
    def instances(self, index):
        return self.objects[index]


def box(shape, *slices):
    mask = np.zeros(shape, np.float32)
    mask[slices] = 1
    return mask


def scored(dataset, probabilities, exclusive=False):
    data = SegmentationData.held_out(dataset, 1)
    return list(score_images(Answers(probabilities, exclusive), data))


IMAGE = np.random.default_rng(0).random((1, 8, 8)).astype(np.float32)
FIRST, SECOND = box((8, 8), slice(0, 4), slice(0, 4)), box((8, 8), slice(0, 4), slice(2, 6))
NOTHING = np.zeros((8, 8), np.float32)


def test_means_and_pooled_scores():
    """Image 0: two masks of 16 pixels that share 8. Image 1: 4 of 16 pixels are found, and no other."""
    found = np.stack([SECOND, NOTHING]), np.stack([box((8, 8), slice(0, 1), slice(0, 4)), NOTHING])
    items = Items((IMAGE, np.stack([FIRST, NOTHING])) for _ in range(2))
    scores = scored(items, found)
    assert [entry.name for entry in scores] == ["image 0", "image 1"]
    numbers = per_class(scores, ["cell", "absent"])
    cell = numbers["cell"]
    assert cell["images"] == 2
    assert cell["dice"] == pytest.approx((16 / 32 + 8 / 20) / 2)
    assert cell["iou"] == pytest.approx((8 / 24 + 4 / 16) / 2)
    assert cell["dice_pooled"] == pytest.approx(2 * 12 / (16 + 4 + 16 + 16))
    assert cell["iou_pooled"] == pytest.approx(12 / (24 + 16))
    assert numbers["absent"]["images"] == 0 and np.isnan(numbers["absent"]["dice"])
    assert scores[0].dice == pytest.approx(0.5)  # of the mask that is there
    lines = table(scores, ["cell", "absent"])
    assert lines[1].split() == ["cell", "2", "0.4500", "0.4615", "0.2917", "0.3000"]
    assert lines[2].split() == ["absent", "0", "-", "-", "-", "-"]


def test_an_image_without_a_class_is_left_out_of_its_mean():
    items = Items([(IMAGE, FIRST[None]), (IMAGE, NOTHING[None]), (IMAGE, NOTHING[None])])
    scores = scored(items, [SECOND[None], NOTHING[None], FIRST[None]])
    cell = per_class(scores, ["cell"])["cell"]
    assert cell["images"] == 2 and cell["dice"] == pytest.approx((0.5 + 0) / 2)
    content = as_json(scores, ["cell"])
    assert [image["dice"]["cell"] for image in content["images"]] == [0.5, None, 0.0]
    json.dumps(content, allow_nan=False)


def test_distances_are_in_millimetres():
    """Two boxes, one slice (2 mm) apart along D, 3 voxels (1.5 mm) along W."""
    truth = box((8, 8, 8), slice(0, 4), slice(0, 8), slice(0, 4))
    for found, apart in (
        (box((8, 8, 8), slice(1, 5), slice(0, 8), slice(0, 4)), 2.0),
        (box((8, 8, 8), slice(0, 4), slice(0, 8), slice(3, 7)), 1.5),
    ):
        for exclusive in (False, True):
            answer = np.stack([1 - found, found]) if exclusive else found[None]
            mask = truth[None].astype(np.int64) if exclusive else truth[None]
            volume = np.random.default_rng(0).random((1, 8, 8, 8)).astype(np.float32)
            (entry,) = scored(Volumes([(volume, mask)]), [answer], exclusive)
            assert entry.distances["hausdorff_mm"].tolist() == [apart]
            assert 0 < entry.distances["mean_surface_distance_mm"][0] < apart
            row = table([entry], ["box"])
            assert row[0].split()[-4:] == ["HD", "HD95", "surface", "(mm)"]
            assert row[1].split()[6] == f"{apart:.4f}"


def test_classes_are_scored_but_the_background():
    labels = np.zeros((1, 8, 8), np.int64)
    labels[0, :4], labels[0, 4:, :4] = 1, 2
    answer = np.full((3, 8, 8), 0.1, np.float32)
    answer[1, :, :4], answer[2, :, 4:] = 0.8, 0.8
    (entry,) = scored(Items([(IMAGE, labels)]), [answer], exclusive=True)
    # class 1: 16 of its 32 pixels are found, and 16 others; class 2: 16 pixels, 32 found, none of them right
    np.testing.assert_allclose(entry.counts.dice, [0.5, 0])
    np.testing.assert_allclose(entry.counts.iou, [16 / 48, 0])
    assert entry.distances == {} and entry.matches is None


def test_single_objects():
    """Three cells; found are one as it is, five sevenths of another, and two that are none."""
    truth = np.zeros((8, 8), np.int64)
    truth[0:2, 0:2], truth[3, 0:7], truth[5:7, 0:2] = 1, 2, 3
    found = box((8, 8), slice(0, 2), slice(0, 2)) + box((8, 8), slice(3, 4), slice(0, 5))
    found += box((8, 8), slice(5, 8), slice(5, 8)) + box((8, 8), slice(0, 1), slice(7, 8))
    cells = Cells([(IMAGE, (truth > 0)[None].astype(np.float32))])
    cells.objects = [truth]
    scores = scored(cells, [found[None]])
    objects = of_objects(scores)
    assert (objects["found"], objects["extra"], objects["missed"]) == (2, 2, 1)
    assert objects["f1"] == pytest.approx(2 * 2 / (2 * 2 + 2 + 1))
    # two of 5 objects in all at thresholds from 0.5 to 0.7; one of 6 at those from 0.75 to 0.95
    assert objects["dsb2018"] == pytest.approx((5 * 2 / 5 + 5 * 1 / 6) / 10)
    assert "F1 0.5714 at IoU 0.5 (found 2, extra 2, missed 1)" in table(scores, ["cell"])[-2]


def test_means_of_what_is_defined():
    assert mean([1.0, float("nan"), 2.0]) == 1.5 and np.isnan(mean([float("nan")]))
