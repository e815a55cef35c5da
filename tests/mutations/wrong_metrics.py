"""Mistakes in the metrics."""

from __future__ import annotations

from tests.mutations.mutation import wrong

OVERLAP, SURFACE = "tests/metrics/test_overlap.py", "tests/metrics/test_surface.py"
INSTANCES, QUALITY = "tests/metrics/test_instances.py", "tests/metrics/test_quality.py"

MUTATIONS = (
    wrong(
        "dice: the shared pixels count once",
        "metrics/overlap.py",
        "2 * self.true_positive",
        "self.true_positive",
        OVERLAP,
    ),
    wrong(
        "dice: absent is 0",
        "metrics/overlap.py",
        "np.full(total.shape, np.nan)",
        "np.zeros(total.shape)",
        OVERLAP,
    ),
    wrong(
        "classes: ignored pixels count",
        "metrics/overlap.py",
        "found[use], there[use]",
        "found, there",
        OVERLAP,
    ),
    wrong(
        "hausdorff: one direction only",
        "metrics/surface.py",
        "max(np.percentile(there, percent), np.percentile(back, percent))",
        "np.percentile(there, percent)",
        SURFACE,
    ),
    wrong(
        "surface: the spacing is forgotten", "metrics/surface.py", "sampling=steps", "sampling=None", SURFACE
    ),
    wrong(
        "surface: the whole mask", "metrics/surface.py", "array & ~binary_erosion(array)", "array", SURFACE
    ),
    wrong(
        "instances: at the threshold too",
        "metrics/instances.py",
        "ious > threshold",
        "ious >= threshold",
        INSTANCES,
    ),
    wrong(
        "instances: the shared pixels count twice",
        "metrics/instances.py",
        "(there + 1)] - shared",
        "(there + 1)]",
        INSTANCES,
    ),
    wrong(
        "ssim: the windows at the border too",
        "metrics/quality.py",
        "slice(REACH, -REACH)",
        "slice(None)",
        QUALITY,
    ),
    wrong(
        "ssim: the two constants are swapped",
        "metrics/quality.py",
        "K1, K2 = 0.01, 0.03",
        "K1, K2 = 0.03, 0.01",
        QUALITY,
    ),
    wrong("psnr: of the root", "metrics/quality.py", "data_range**2 / error", "data_range / error", QUALITY),
    wrong(
        "auc: the ranks of all begin at 0",
        "metrics/classification.py",
        "count * (count + 1) / 2",
        "count * (count - 1) / 2",
        "tests/metrics/test_classification.py",
    ),
    wrong(
        "confusion: transposed",
        "metrics/classification.py",
        "targets.ravel() * classes + predicted.ravel()",
        "predicted.ravel() * classes + targets.ravel()",
        "tests/metrics/test_classification.py",
    ),
    wrong(
        "calibration: an edge belongs to the bin above",
        "metrics/calibration.py",
        'side="left") - 1',
        'side="right") - 1',
        "tests/metrics/test_calibration.py",
    ),
    wrong(
        "Bland-Altman: N below the line",
        "metrics/agreement.py",
        "differences.std(ddof=1)",
        "differences.std()",
        "tests/metrics/test_agreement.py",
    ),
    wrong(
        "ejection fraction: of what is left",
        "metrics/volume.py",
        "(full - emptied) / full",
        "emptied / full",
        "tests/metrics/test_volume.py",
    ),
)
