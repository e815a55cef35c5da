"""Volumes of CT and MRI: NIfTI files (nibabel) and folders of DICOM slices (pydicom), in millimetres.

Both packages are optional: ``pip install tinyconv[medical]``.
"""

from __future__ import annotations

import contextlib
import gzip
import logging
import os
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from tinyconv.errors import DataError, PackageError, ShapeError
from tinyconv.io import write_whole

Array = Any

MAX_VOXELS = 2**29
UNEVEN = 0.01
"""Distances between slices may differ by this share, no more."""

MILLIMETRES = {1: 1e3, 2: 1.0, 3: 1e-3}
"""In a unit of a NIfTI file, by its code (nifti1.h: metres, millimetres, microns)."""
UNIT_OF_LENGTH = 7
"""Bits of the code; the others are of time."""

MOST_DEFLATED = 1032
"""A byte of a gzip file holds at most so many."""


@dataclass(frozen=True)
class Volume:
    """A volume and how large its voxels are.

    Attributes
    ----------
    values : array (D, H, W), float32
        As the scanner says them, e.g. Hounsfield units of CT.
    spacing : (float, float, float)
        Millimetres from voxel to voxel along D, H and W; what the metrics of `tinyconv.metrics` take.
    affine : array (4, 4) or None
        Of a NIfTI file: from the numbers (x, y, z) of a voxel, in the file's order, to millimetres.
    """

    values: Array
    spacing: tuple[float, float, float]
    affine: Array = None


def read_nifti(path: str | os.PathLike[str]) -> Volume:
    """Read a ``.nii`` or ``.nii.gz`` file; its axes x, y, z become W, H, D.

    The header says whether it measures in metres, millimetres or microns; what does not say is taken to
    measure in millimetres.

    Raises
    ------
    PackageError
        Without nibabel.
    DataError
        If the file is missing, damaged, no single volume, or has more than `MAX_VOXELS` voxels.
        No size that its header claims is believed before it is compared with the size the file has.

    Warns
    -----
    UserWarning
        If the header breaks a rule of the format in a way that can be put right.
    """
    try:
        import nibabel
    except ImportError as error:
        raise PackageError("read_nifti", "nibabel", "missing", "pip install tinyconv[medical]") from error
    where = repr(os.fspath(path))
    if not os.fsdecode(path).lower().endswith((".nii", ".nii.gz")):
        raise DataError("read_nifti", where, "named otherwise", "a name that ends in .nii or .nii.gz")
    try:
        if not os.path.isfile(path):  # a pipe would be waited for
            raise FileNotFoundError("missing, or not a file")
        with _notes_of_nibabel() as notes:
            image: Any = nibabel.load(path)
        shape = _nifti_shape(where, image, os.stat(path).st_size)
        with np.errstate(all="ignore"):  # what overflows is refused below
            values = np.asarray(image.dataobj, np.float32).reshape(shape)
        unit = MILLIMETRES.get(int(image.header["xyzt_units"]) & UNIT_OF_LENGTH, 1.0)
        spacing = tuple(float(step) * unit for step in image.header.get_zooms()[:3])
        affine = np.diag([unit, unit, unit, 1.0]) @ np.asarray(image.affine, np.float64)
    except DataError:
        raise
    except Exception as error:  # nibabel has many, and what lies below it has more
        found = f"unreadable ({type(error).__name__}: {error})"
        raise DataError("read_nifti", where, found, "a NIfTI file") from error
    for note in notes:
        warnings.warn(f"read_nifti: the header of {where}: {note}", UserWarning, stacklevel=2)
    volume = _checked("read_nifti", where, np.ascontiguousarray(values.transpose()), spacing[::-1])
    return replace(volume, affine=affine)


def write_nifti(path: str | os.PathLike[str], labels: Array, like: str | os.PathLike[str]) -> None:
    """Write labels as a NIfTI file that lies where another one does: its affine, spacing and units.

    Parameters
    ----------
    path : path
        Ends in ``.nii`` or ``.nii.gz``; a file of that name is replaced.
    labels : array (D, H, W) of whole numbers from 0 to 65535
    like : path
        The file whose volume the labels belong to.

    Raises
    ------
    ShapeError
        If the labels are of another shape than its volume.
    PackageError, DataError, StorageError
        As `read_nifti`; if the file cannot be written.
    """
    volume = read_nifti(like)
    import nibabel

    if labels.shape != volume.values.shape:
        raise ShapeError("write_nifti", "labels", labels.shape, f"{volume.values.shape}, as {str(like)!r}")
    kind: Any = np.uint8 if labels.max(initial=0) < 256 else np.uint16
    with _notes_of_nibabel():  # read_nifti has passed them on
        source: Any = nibabel.load(like)
    made = nibabel.Nifti1Image(np.asarray(labels, kind).transpose(), source.affine)
    made.header["xyzt_units"] = source.header["xyzt_units"]
    for name in ("sform", "qform"):
        affine, code = getattr(source, f"get_{name}")(coded=True)
        if affine is not None and code:
            getattr(made, f"set_{name}")(affine, int(code))
    content = made.to_bytes()
    if os.fspath(path).lower().endswith(".gz"):
        content = gzip.compress(content, 6, mtime=0)
    write_whole(path, content)


@contextlib.contextmanager
def _notes_of_nibabel() -> Iterator[list[str]]:
    """What nibabel says meanwhile, in this thread, of a header; it does not appear on stderr."""
    from nibabel.imageglobals import logger

    notes: list[str] = []
    thread = threading.get_ident()

    def take(record: logging.LogRecord) -> bool:
        if record.thread != thread:
            return True
        notes.append(record.getMessage())
        return False

    logger.addFilter(take)
    try:
        yield notes
    finally:
        logger.removeFilter(take)


def _nifti_shape(where: str, image: Any, size: int) -> tuple[int, ...]:
    """The shape without trailing ones, of numbers that a file of `size` bytes can hold."""
    shape = tuple(int(n) for n in image.shape)
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) != 3 or min(shape) < 1 or prod(shape) > MAX_VOXELS:
        raise DataError("read_nifti", where, f"of shape {image.shape}", f"one volume of at most {MAX_VOXELS}")
    dtype = np.dtype(image.get_data_dtype())
    if dtype.kind not in "iuf":
        raise DataError("read_nifti", where, f"of {dtype}", "one real number per voxel")
    claimed = prod(shape) * dtype.itemsize
    if claimed > size * MOST_DEFLATED:
        found = f"{size} bytes long, too few for {claimed} bytes of voxels"
        raise DataError("read_nifti", where, found, "a whole file")
    return shape


def read_dicom(folder: str | os.PathLike[str]) -> Volume:
    """Read the slices of one series from a folder, sorted by where they lie in the body.

    Files that are not DICOM are passed over. Slope and intercept are applied: CT comes in Hounsfield
    units.

    Raises
    ------
    PackageError
        Without pydicom.
    DataError
        If no slice is there, several series are, a slice differs in size or is missing between its
        neighbours, or one cannot be decoded.
    """
    try:
        import pydicom
    except ImportError as error:
        raise PackageError("read_dicom", "pydicom", "missing", "pip install tinyconv[medical]") from error
    where = repr(os.fspath(folder))
    try:
        files = sorted(entry for entry in Path(folder).iterdir() if _is_dicom(entry))
    except OSError as error:
        raise DataError(
            "read_dicom", where, f"unreadable ({error.strerror})", "a folder of slices"
        ) from error
    slices = []
    for file in files:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                slices.append(_slice(pydicom.dcmread(file)))
        except Exception as error:  # pydicom and the decoders below it have many kinds
            found = f"unreadable ({type(error).__name__}: {error})"
            raise DataError("read_dicom", repr(str(file)), found, "a slice of CT or MRI") from error
    if len({(part.series, part.values.shape, part.step) for part in slices}) != 1:
        found = f"a folder of {len(slices)} slices of {len({part.series for part in slices})} series"
        raise DataError("read_dicom", where, found, "the slices of one series, all of one size")
    slices.sort(key=lambda part: part.place)
    values = np.stack([part.values for part in slices])
    return _checked("read_dicom", where, values, (_distance(where, slices), *slices[0].step))


@dataclass(frozen=True)
class _Slice:
    series: str
    place: float
    step: tuple[float, float]
    thickness: float
    values: Array


def _slice(header: Any) -> _Slice:
    """What is needed of a slice; `place` is its distance along the normal of its plane."""
    row, column = np.array(header.ImageOrientationPatient, float).reshape(2, 3)
    place = float(np.cross(row, column) @ np.array(header.ImagePositionPatient, float))
    if int(header.Rows) * int(header.Columns) > MAX_VOXELS:
        raise ValueError(f"{header.Rows} x {header.Columns} pixels")
    pixels = header.pixel_array.astype(np.float32)
    if pixels.ndim != 2:
        raise ValueError(f"pixels of shape {pixels.shape}")
    values = pixels * float(header.get("RescaleSlope", 1)) + float(header.get("RescaleIntercept", 0))
    down, right = (float(step) for step in header.PixelSpacing)
    thickness = float(header.get("SliceThickness", 1) or 1)
    return _Slice(str(header.SeriesInstanceUID), place, (down, right), thickness, values.astype(np.float32))


def _distance(where: str, slices: list[_Slice]) -> float:
    """Millimetres between neighbours, which must be the same everywhere."""
    if len(slices) == 1:
        return slices[0].thickness
    steps = np.diff([part.place for part in slices])
    if steps.min() <= 0 or steps.max() - steps.min() > UNEVEN * steps.max():
        found = f"a series with slices {steps.min():.3f} to {steps.max():.3f} mm apart"
        raise DataError("read_dicom", where, found, "slices at one distance, none missing, none twice")
    return float(steps.mean())


def _is_dicom(path: Path) -> bool:
    """Whether "DICM" follows the preamble of 128 bytes."""
    if not path.is_file() or path.name.startswith("."):
        return False
    with open(path, "rb") as file:
        return file.read(132)[128:] == b"DICM"


def _checked(where: str, path: str, values: Array, spacing: Any) -> Volume:
    if not np.isfinite(values).all():
        raise DataError(where, path, "with voxels that are no numbers", "finite values")
    if not all(np.isfinite(step) and step > 0 for step in spacing):
        raise DataError(where, path, f"of spacing {spacing} mm", "millimetres above 0")
    return Volume(values, tuple(spacing))
