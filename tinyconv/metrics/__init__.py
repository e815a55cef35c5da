"""How good a result is: each metric with its exact definition and the paper that it is from.

All of them take NumPy arrays (or what `numpy.asarray` makes one of) and compute in float64. What is
not defined, such as the Dice of a class that is neither there nor found, is NaN, and never a 0 or a 1
that would enter a mean: take `numpy.nanmean`.
"""

from __future__ import annotations

from tinyconv.metrics.agreement import BlandAltman, bland_altman
from tinyconv.metrics.calibration import Reliability, expected_calibration_error, reliability
from tinyconv.metrics.classification import accuracy, confusion_matrix, roc_auc, top_k_accuracy
from tinyconv.metrics.instances import Matches, connected_components, dsb2018_score, match_instances
from tinyconv.metrics.overlap import Counts, count, count_classes, dice, iou
from tinyconv.metrics.quality import psnr, ssim
from tinyconv.metrics.surface import hausdorff, hausdorff_95, mean_surface_distance, surface_distances
from tinyconv.metrics.volume import ejection_fraction, volume

__all__ = [
    "BlandAltman",
    "Counts",
    "Matches",
    "Reliability",
    "accuracy",
    "bland_altman",
    "confusion_matrix",
    "connected_components",
    "count",
    "count_classes",
    "dice",
    "dsb2018_score",
    "ejection_fraction",
    "expected_calibration_error",
    "hausdorff",
    "hausdorff_95",
    "iou",
    "match_instances",
    "mean_surface_distance",
    "psnr",
    "reliability",
    "roc_auc",
    "ssim",
    "surface_distances",
    "top_k_accuracy",
    "volume",
]
