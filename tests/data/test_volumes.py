"""Volumes written by nibabel and pydicom, read back with their millimetres; and files that are none."""

from __future__ import annotations

import gzip
import logging.handlers
import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from tinyconv.data import read_dicom, read_nifti, write_nifti
from tinyconv.errors import DataError

VALUES = np.random.default_rng(0).integers(-1000, 1500, (5, 6, 7)).astype(np.int16)  # (D, H, W)
SPACING = (3.0, 0.5, 0.75)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_nifti(tmp_path: Path, suffix: str) -> None:
    nibabel = pytest.importorskip("nibabel")
    path = tmp_path / f"Kopf é{suffix}"
    image = nibabel.Nifti1Image(VALUES.transpose(), np.diag([*SPACING[::-1], 1.0]))
    nibabel.save(image, path)
    volume = read_nifti(path)
    np.testing.assert_array_equal(volume.values, VALUES)
    assert volume.values.dtype == np.float32 and volume.spacing == SPACING
    whole = path.read_bytes()
    for content in (b"", b"no volume", whole[:200], whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(DataError, match="Kopf é"):
            read_nifti(path)
    with pytest.raises(DataError, match="unreadable"):
        read_nifti(tmp_path / "gone.nii")


@pytest.mark.parametrize(
    ("unit", "millimetres"), [("meter", 1000), ("mm", 1), ("micron", 0.001), ("unknown", 1)]
)
def test_the_unit_of_the_header_counts_and_is_kept(tmp_path: Path, unit: str, millimetres: float) -> None:
    nibabel = pytest.importorskip("nibabel")
    path, written = tmp_path / "x.nii", tmp_path / "labels.nii"
    affine = np.diag([*SPACING[::-1], 1.0])
    affine[:3, 3] = 4, 5, 6
    image = nibabel.Nifti1Image(VALUES.transpose(), affine)
    image.header.set_xyzt_units(unit)
    nibabel.save(image, path)
    volume = read_nifti(path)
    assert volume.spacing == pytest.approx([step * millimetres for step in SPACING])
    at = volume.affine @ [2, 1, 3, 1]  # of the voxel (x, y, z) = (2, 1, 3)
    np.testing.assert_allclose(at, [*np.multiply([5.5, 5.5, 15], millimetres), 1])
    write_nifti(written, (VALUES > 0).astype(np.uint8), like=path)
    made = nibabel.load(written)
    np.testing.assert_array_equal(made.affine, affine)
    assert made.header.get_xyzt_units()[0] == unit
    again = read_nifti(written)
    assert again.spacing == volume.spacing and np.array_equal(again.affine, volume.affine)


@pytest.mark.parametrize(("code", "millimetres"), [(58, 1), (3 | 192, 0.001), (5, 1)])
def test_units_that_nobody_knows(tmp_path: Path, code: int, millimetres: float) -> None:
    """Of time, which does not matter, and of length."""
    nibabel = pytest.importorskip("nibabel")
    image = nibabel.Nifti1Image(VALUES.transpose(), np.diag([*SPACING[::-1], 1.0]))
    image.header["xyzt_units"] = code
    nibabel.save(image, tmp_path / "x.nii")
    volume = read_nifti(tmp_path / "x.nii")
    assert volume.spacing == pytest.approx([step * millimetres for step in SPACING])
    write_nifti(tmp_path / "y.nii", (VALUES > 0).astype(np.uint8), like=tmp_path / "x.nii")
    assert nibabel.load(tmp_path / "y.nii").header["xyzt_units"] == code


def test_nifti_that_is_no_volume(tmp_path: Path) -> None:
    nibabel = pytest.importorskip("nibabel")
    path = tmp_path / "x.nii"
    nibabel.save(nibabel.Nifti1Image(np.zeros((4, 5, 6, 3), np.float32), np.eye(4)), path)
    with pytest.raises(DataError, match="one volume"):
        read_nifti(path)
    nibabel.save(nibabel.Nifti1Image(np.zeros((4, 5, 6, 1), np.float32), np.eye(4)), path)
    assert read_nifti(path).values.shape == (6, 5, 4)
    nibabel.save(nibabel.Nifti1Image(np.full((4, 5, 6), np.nan, np.float32), np.eye(4)), path)
    with pytest.raises(DataError, match="no numbers"):
        read_nifti(path)
    header = bytearray(path.read_bytes())
    header[42:48] = np.array([32767] * 3, "<i2").tobytes()  # the sizes that the header claims
    path.write_bytes(header)
    with pytest.raises(DataError, match="one volume of at most"):
        read_nifti(path)


def test_a_header_that_was_put_right_is_warned_of_with_its_name(tmp_path: Path) -> None:
    """What nibabel says of it is given with the file's name, and not printed as well."""
    nibabel = pytest.importorskip("nibabel")
    path = tmp_path / "case 7.nii"
    nibabel.save(nibabel.Nifti1Image(VALUES.transpose(), np.diag([*SPACING[::-1], 1.0])), path)
    header = bytearray(path.read_bytes())
    header[252:254] = np.int16(17).tobytes()  # qform_code, which is at most 5
    path.write_bytes(header)
    logger, printed = nibabel.imageglobals.logger, logging.handlers.BufferingHandler(99)
    logger.addHandler(printed)
    try:
        with pytest.warns(UserWarning, match=r"case 7\.nii': qform_code 17 not valid") as seen:
            volume = read_nifti(path)
        assert len(seen) == 1 and seen[0].filename == __file__
        np.testing.assert_array_equal(volume.values, VALUES)
        with pytest.warns(UserWarning, match="qform_code 17"):
            write_nifti(tmp_path / "labels.nii", (VALUES > 0).astype(np.uint8), like=path)
        assert printed.buffer == []
        nibabel.load(path)  # what others make of it is theirs
        assert len(printed.buffer) == 1
    finally:
        logger.removeHandler(printed)


def test_nifti_that_claims_more_than_it_holds(tmp_path: Path) -> None:
    """Four gigabytes in a file of a few bytes: no memory is taken for them."""
    nibabel = pytest.importorskip("nibabel")
    path = tmp_path / "x.nii"
    nibabel.save(nibabel.Nifti1Image(np.zeros((4, 5, 6), np.float64), np.eye(4)), path)
    header = bytearray(path.read_bytes())
    header[42:48] = np.array([800] * 3, "<i2").tobytes()
    (tmp_path / "x.nii.gz").write_bytes(gzip.compress(header))
    for name in ("x.nii", "x.nii.gz"):
        path = tmp_path / name
        path.write_bytes(gzip.compress(header) if path.suffix == ".gz" else header)
        tracemalloc.start()
        with pytest.raises(DataError, match="too few for 4096000000 bytes"):
            read_nifti(path)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
        tracemalloc.stop()


def test_nifti_of_other_numbers_and_other_names(tmp_path: Path) -> None:
    nibabel = pytest.importorskip("nibabel")
    path = tmp_path / "x.nii"
    nibabel.save(nibabel.Nifti1Image(np.ones((4, 5, 6), np.complex64), np.eye(4)), path)
    with pytest.raises(DataError, match="of complex64, expected one real number per voxel"):
        read_nifti(path)
    path.rename(tmp_path / "x.mgz")
    with pytest.raises(DataError, match=r"ends in \.nii or \.nii\.gz"):
        read_nifti(tmp_path / "x.mgz")


def write_slice(path: Path, number: int, pixels: np.ndarray, **changed: object) -> None:
    pydicom = pytest.importorskip("pydicom")
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, f"1.2.3.{number + 1}"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    data.Modality, data.SeriesInstanceUID = "CT", "1.2.3"
    data.ImageOrientationPatient, data.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [0, 0, 10 + 3.0 * number]
    data.PixelSpacing, data.SliceThickness = [0.5, 0.75], 3.0
    data.RescaleSlope, data.RescaleIntercept = 2, -1024
    data.Rows, data.Columns = pixels.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation = 15, 1
    data.PixelData = pixels.astype("<i2").tobytes()
    for name, value in changed.items():
        setattr(data, name, value)
    assert pydicom.__version__ >= "3"
    data.save_as(path, enforce_file_format=True)


@pytest.fixture
def series(tmp_path: Path) -> Path:
    """Five slices whose names are not in the order of their places, and a file that is none."""
    folder = tmp_path / "CT é"
    folder.mkdir()
    for number, name in enumerate("ecadb"):
        write_slice(folder / name, number, VALUES[number])
    (folder / "notes.txt").write_text("no slice")
    return folder


def test_dicom(series: Path) -> None:
    volume = read_dicom(series)
    np.testing.assert_array_equal(volume.values, VALUES.astype(np.float32) * 2 - 1024)
    assert volume.values.dtype == np.float32 and volume.spacing == pytest.approx(SPACING)


def test_a_series_with_a_hole_and_other_folders(series: Path, tmp_path: Path) -> None:
    (series / "a").rename(series / ".hidden")
    with pytest.raises(DataError, match=r"slices 3\.000 to 6\.000 mm apart"):
        read_dicom(series)
    write_slice(series / "a", 2, VALUES[2], SeriesInstanceUID="9.9")
    with pytest.raises(DataError, match="5 slices of 2 series"):
        read_dicom(series)
    write_slice(series / "a", 1, VALUES[2])
    with pytest.raises(DataError, match="none twice"):
        read_dicom(series)
    os.truncate(series / "a", 400)
    with pytest.raises(DataError, match="a' is unreadable"):
        read_dicom(series)
    for folder in (tmp_path, tmp_path / "gone"):
        with pytest.raises(DataError):
            read_dicom(folder)
