"""Mistakes in downloads, transforms, samplers and the reading of data."""

from __future__ import annotations

from tests.mutations.mutation import wrong

DOWNLOAD, SPATIAL = "tests/data/test_download.py", "tests/data/test_spatial.py"
AVERAGING, LOADED = "tests/data/test_averaging.py", "tests/data/test_classification_data.py"

MUTATIONS = (
    wrong(
        "download: a wrong checksum passes",
        "data/download.py",
        "if not found.startswith(wanted):",
        "if not found:",
        DOWNLOAD,
    ),
    wrong(
        "download: a part that the server did not skip is kept",
        "data/download.py",
        "if reply.start != have:",
        "if reply.start > have:",
        DOWNLOAD,
    ),
    wrong(
        "affine: the shift goes the other way",
        "data/spatial.py",
        "middle - back @ (middle + shift)",
        "middle - back @ (middle - shift)",
        SPATIAL,
    ),
    wrong(
        "affine: the inverse is left out",
        "data/spatial.py",
        "np.linalg.inv(matrix)",
        "matrix.copy()",
        SPATIAL,
    ),
    wrong(
        "elastic: the image alone is bent",
        "data/spatial.py",
        "_sample(mask, places, 0, self.mode)",
        "mask",
        SPATIAL,
    ),
    wrong(
        "lesions: they leave the organ",
        "data/lesions.py",
        "share = share * allowed[window]",
        "share = share * 1",
        SPATIAL,
    ),
    wrong(
        "views: answers are not turned back",
        "data/averaging.py",
        "np.rot90(answer, -turn, (-2, -1))",
        "np.rot90(answer, turn, (-2, -1))",
        AVERAGING,
    ),
    wrong(
        "shift: the image moves the other way",
        "data/classification.py",
        "_moved(image, *self.places[index])",
        "_moved(image, *(-n for n in self.places[index]))",
        LOADED,
    ),
    wrong(
        "balanced: classes by their frequency",
        "data/sampler.py",
        "1 / np.bincount(classes).clip(1)",
        "1.0 * np.bincount(classes).clip(1)",
        "tests/data/test_process_workers.py",
    ),
)
