"""The MNI ICBM152 template: an average brain in T1, with maps of grey and white matter, that nilearn ships.

Fonov et al., "Unbiased average age-appropriate brain templates from birth to adulthood" (2009): the mean of
152 brains, brought to one shape; here its symmetric form. It is one brain and a smooth one: what a network
reaches on it says that the network learns, not how well it would do on a patient.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from tinyconv.data.dataset import Dataset, check_index
from tinyconv.data.datasets.volumes import read_nifti
from tinyconv.errors import ArgumentError, PackageError

Array = Any

FILE = "mni_icbm152_{}_tal_nlin_sym_09a_converted.nii.gz"
CLASSES = ("other", "grey matter", "white matter")
HELD_OUT = (68, 92)
"""Axial slices of the slab that is held out, through basal ganglia and ventricles; 1 mm each."""

GAP = 10
"""Slices on either side of it that nobody sees: neighbours look alike."""


class MNI(Dataset):
    """Slabs of the MNI template, from nilearn's own files: nothing is downloaded.

    Parameters
    ----------
    part : {"training", "held-out", "whole"}
        All below and all above the held-out slab but a gap of 10 mm (two items), the slab (one),
        or the whole brain (one).

    Raises
    ------
    PackageError
        Without nilearn or nibabel, or if nilearn has no such files.

    Notes
    -----
    An item is (volume, mask): float32 (1, D, 233, 197), and int64 (1, D, 233, 197): 1 where grey matter is
    more likely than not, 2 white matter, 0 all else. Voxels measure 1 mm. Left and right are mirror images,
    so that halves of the brain could not be told to be different data; slabs are.
    """

    def __init__(self, part: str = "training") -> None:
        whole, low, high = slice(None), *HELD_OUT
        slabs = {
            "training": [slice(0, low - GAP), slice(high + GAP, None)],
            "held-out": [slice(low, high)],
            "whole": [whole],
        }
        if part not in slabs:
            raise ArgumentError("MNI", "part", repr(part), " or ".join(map(repr, slabs)))
        self.part = part
        template, grey, white = (read_nifti(path) for path in _files())
        labels = np.zeros(template.values.shape, np.int64)
        for number, tissue in enumerate((grey, white), start=1):
            labels[tissue.values > 0.5 * tissue.values.max()] = number
        self._spacing = template.spacing
        self._items = [(template.values[None, slab], labels[None, slab]) for slab in slabs[part]]

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int) -> tuple[Array, Array]:
        return self._items[check_index(self, index)]

    def spacing(self, index: int) -> tuple[float, float, float]:
        """Millimetres from voxel to voxel along D, H and W."""
        return self._spacing

    def name(self, index: int) -> str:
        """Which slab it is."""
        return f"{self.part} slab {index + 1}"


def _files() -> list[Path]:
    """The files of the template, grey and white matter, where nilearn keeps them; it is not imported."""
    found = find_spec("nilearn")
    if found is None or not found.submodule_search_locations:
        raise PackageError("MNI", "nilearn", "missing", "pip install tinyconv[brain]")
    folder = Path(found.submodule_search_locations[0]) / "datasets" / "data"
    files = [folder / FILE.format(kind) for kind in ("t1", "gm", "wm")]
    for file in files:
        if not file.is_file():
            raise PackageError("MNI", "nilearn", f"without {file.name}", "nilearn 0.10 or newer")
    return files
