"""All scores of a segmentation: overlap, distances of outlines, single objects; as a table and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinyconv.data import SegmentationData
from tinyconv.data.dataset import base_item, item_name
from tinyconv.metrics import (
    Counts,
    Matches,
    connected_components,
    dsb2018_score,
    hausdorff,
    hausdorff_95,
    match_instances,
    mean_surface_distance,
)
from tinyconv.train.evaluate import score
from tinyconv.train.segmenter import Segmenter, labels_of
from tinyconv.train.waiting import waiting

Array = Any

DISTANCES = {
    "hausdorff_mm": hausdorff,
    "hausdorff_95_mm": hausdorff_95,
    "mean_surface_distance_mm": mean_surface_distance,
}
TITLES = ("Dice", "(all)", "IoU", "(all)", "HD", "HD95", "surface")


@dataclass(frozen=True)
class ImageScores:
    """How well one image was segmented; arrays have a place for each mask, or class but the background.

    Attributes
    ----------
    index, name
        Of the image.
    counts : Counts
        Of arrays.
    distances : dict of str to array
        In mm, of volumes whose spacing is known; NaN where nothing is and nothing was found.
    matches : Matches or None
        Of single objects at an IoU above 0.5, where the truth tells objects apart.
    dsb2018 : float
        The score of the 2018 Data Science Bowl, NaN where there are no single objects.
    """

    index: int
    name: str
    counts: Counts
    distances: dict[str, Array] = field(default_factory=dict)
    matches: Matches | None = None
    dsb2018: float = float("nan")

    @property
    def dice(self) -> float:
        """The mean of the masks' or classes', NaN if none is there and none was found."""
        return mean(self.counts.dice)


def score_images(segmenter: Segmenter, data: SegmentationData) -> Iterator[ImageScores]:
    """Segment each held-out image at the size it has, and score it."""
    for index in waiting(range(len(data)), "scoring"):
        image, mask = data[index]
        probability = segmenter(image)
        counts, _ = score(probability, mask, segmenter.exclusive)
        base, place = base_item(data, index)
        scores: dict[str, Any] = {}
        spacing = _spacing(base, place)
        if spacing is not None:
            scores["distances"] = _distances(probability, mask, segmenter.exclusive, spacing)
        if hasattr(base, "instances") and len(probability) == 1:
            truth, found = base.instances(place), connected_components(probability[0] >= 0.5)
            scores |= {"matches": match_instances(found, truth), "dsb2018": dsb2018_score(found, truth)}
        yield ImageScores(index, item_name(data, index), counts, **scores)


def table(scores: list[ImageScores], names: list[str]) -> list[str]:
    """Lines of text: a row for each mask or class, then the single objects.

    Dice and IoU are the mean of the images', those without the class left out, and, after it, that of
    all their pixels together.
    """
    columns = len(scores[0].distances)
    width = max(len("class"), *map(len, names))
    numbers = per_class(scores, names)
    titles = "".join(f"{title:>9}" for title in TITLES[: 4 + columns])
    lines = [f"{'class':{width}}  images{titles}" + ("  (mm)" if columns else "")]
    for name in names:
        row = numbers[name]
        shown = [row[key] for key in ("dice", "dice_pooled", "iou", "iou_pooled", *DISTANCES) if key in row]
        lines.append(f"{name:{width}}  {row['images']:6}" + "".join(f"{_text(value):>9}" for value in shown))
    objects = of_objects(scores)
    if objects:
        lines += [
            "",
            f"objects: F1 {_text(objects['f1'])} at IoU 0.5 (found {objects['found']}, "
            f"extra {objects['extra']}, missed {objects['missed']})",
            f"DSB2018 score (mean precision over IoU 0.5 to 0.95): {_text(objects['dsb2018'])}",
        ]
    return lines


def per_class(scores: list[ImageScores], names: list[str]) -> dict[str, dict[str, Any]]:
    """Scores by class: means over the images that have it (or where it was found), and of all pixels."""
    pooled = sum((entry.counts for entry in scores), Counts())
    found: dict[str, dict[str, Any]] = {}
    for place, name in enumerate(names):
        dice = np.array([entry.counts.dice[place] for entry in scores])
        found[name] = {
            "images": int((~np.isnan(dice)).sum()),
            "dice": mean(dice),
            "dice_pooled": float(pooled.dice[place]),
            "iou": mean([entry.counts.iou[place] for entry in scores]),
            "iou_pooled": float(pooled.iou[place]),
        }
        for key in scores[0].distances:
            found[name][key] = mean([entry.distances[key][place] for entry in scores])
    return found


def of_objects(scores: list[ImageScores]) -> dict[str, Any]:
    """Scores of single objects; empty where they are not told apart."""
    if any(entry.matches is None for entry in scores):
        return {}
    total = sum((entry.matches for entry in scores if entry.matches), Matches())
    return {**vars(total), "f1": total.f1, "dsb2018": mean([entry.dsb2018 for entry in scores])}


def as_json(scores: list[ImageScores], names: list[str]) -> dict[str, Any]:
    """All numbers for a file; what is not defined, or infinite, is None."""
    images = []
    for entry in scores:
        line: dict[str, Any] = {"name": entry.name, "index": entry.index}
        line["dice"] = dict(zip(names, entry.counts.dice.tolist(), strict=True))
        line["iou"] = dict(zip(names, entry.counts.iou.tolist(), strict=True))
        for key, values in entry.distances.items():
            line[key] = dict(zip(names, values.tolist(), strict=True))
        if entry.matches is not None:
            line |= {**vars(entry.matches), "f1": entry.matches.f1, "dsb2018": entry.dsb2018}
        images.append(line)
    content = {"classes": per_class(scores, names), "objects": of_objects(scores), "images": images}
    cleaned: dict[str, Any] = _finite(content)
    return cleaned


def mean(values: Any) -> float:
    """The mean of what is defined; NaN if nothing is."""
    there = np.asarray(values, np.float64)
    there = there[~np.isnan(there)]
    return float(there.mean()) if len(there) else float("nan")


def _distances(probability: Array, mask: Array, exclusive: bool, spacing: Any) -> dict[str, Array]:
    found, there = probability >= 0.5, mask >= 0.5
    if exclusive:
        classes = np.arange(1, len(probability)).reshape(-1, *[1] * (mask.ndim - 1))
        found, there = labels_of(probability, True) == classes, labels_of(mask, True) == classes
    return {
        key: np.array([measure(f, t, spacing) for f, t in zip(found, there, strict=True)])
        for key, measure in DISTANCES.items()
    }


def _spacing(base: Any, index: int) -> Any:
    """Millimetres along D, H and W, if the dataset knows them."""
    spacing = getattr(base, "spacing", None)
    return spacing(index) if callable(spacing) else spacing


def _text(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.4f}" if value < 10 else f"{value:.2f}"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
