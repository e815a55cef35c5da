"""Data files and folders that are nearly right: read, or refused by a `DataError`; nothing else."""

from __future__ import annotations

import gzip
import io
import shutil
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.fuzzing import NUMBERS, damaged, many_cases
from tinyconv.data import CIFAR10, NucleiFolder, read_idx, read_image, read_nifti
from tinyconv.data.images import read_mask
from tinyconv.errors import DataError

IDX = [
    b"\0\0\x08\x03" + struct.pack(">III", 2, 3, 4) + bytes(24),
    b"\0\0\x0d\x01" + struct.pack(">I", 3) + np.ones(3, ">f4").tobytes(),
    b"\0\0\x0b\x02" + struct.pack(">II", 0, 5),
]
IDX += [gzip.compress(content, mtime=0) for content in IDX]


def encoded(kind, mode="L", size=(6, 5), **options):
    out, channels = io.BytesIO(), {"L": (), "RGB": (3,), "P": (), "RGBA": (4,), "I;16": ()}[mode]
    pixels = np.arange(np.prod(size) * (channels or (1,))[0]).reshape(*size, *channels)
    image = Image.fromarray(pixels.astype(np.uint16 if mode == "I;16" else np.uint8), None)
    if mode == "P":
        image = image.convert("P")
    image.save(out, kind, **options)
    return out.getvalue()


IMAGES = [
    *(encoded("PNG", mode) for mode in ("L", "RGB", "P", "RGBA", "I;16")),
    encoded("JPEG"), encoded("JPEG", "RGB"), encoded("TIFF", "RGB"), encoded("BMP", "RGB"), encoded("GIF"),
    encoded("TIFF", compression="tiff_lzw"), encoded("PPM", "RGB"),
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


def read(reader, *arguments):
    """What the reader returns, or None if it refuses."""
    try:
        return reader(*arguments)
    except DataError:
        return None


@given(damaged(IDX))
@many_cases()
def test_idx_files(folder, content):
    path = folder / "idx"
    path.write_bytes(content)
    array = read(read_idx, path)
    assert array is None or array.nbytes <= 1032 * len(content)


@given(st.integers(0, 255), st.lists(st.sampled_from(NUMBERS), max_size=6), st.binary(max_size=40))
@many_cases()
def test_idx_headers(folder, dtype, sizes, data):
    path = folder / "idx"
    header = struct.pack(f">BBBB{len(sizes)}I", 0, 0, dtype, len(sizes), *(size % 2**32 for size in sizes))
    path.write_bytes(header + data)
    array = read(read_idx, path)
    assert array is None or array.nbytes == len(data)


@given(damaged(IMAGES))
@many_cases()
def test_images(folder, content):
    path = folder / "image.png"
    path.write_bytes(content)
    image, mask = read(read_image, path), read(read_mask, path)
    if image is not None:
        assert image.ndim == 3 and len(image) in (1, 3) and np.isfinite(image).all()
        assert image.min() >= 0 and image.max() <= 1
    assert mask is None or mask.ndim == 2


@given(damaged([bytes([3]) + bytes(3072), (bytes([9]) + bytes(3072)) * 2]))
@many_cases()
def test_cifar(folder, content):
    (folder / "test_batch.bin").write_bytes(content)
    data = read(CIFAR10, folder, False)
    if data is not None:
        assert all(0 <= data[index][1] < 10 for index in range(len(data)))


NAMES = st.sampled_from(
    [
        "a",
        "b",
        "images",
        "masks",
        "a.png",
        "b.PNG",
        "c.txt",
        ".hidden",
        "Thumbs.db",
        "stage1_train",
        "é ü",
        "x.png",
    ]
)
GOOD = st.sampled_from([encoded("PNG"), encoded("PNG", "RGB"), encoded("PNG", size=(3, 3)), b""])
FILE = GOOD | damaged(IMAGES[:5])
TREE = st.recursive(FILE | st.none(), lambda inner: st.dictionaries(NAMES, inner, max_size=4), max_leaves=8)
ITEM = st.fixed_dictionaries(
    {
        "images": st.dictionaries(NAMES, FILE, max_size=2) | TREE,
        "masks": st.dictionaries(NAMES, FILE, max_size=3),
    }
)


def write(path, tree):
    """A folder for a dictionary, a file for bytes, a link to nowhere for None."""
    if tree is None:
        path.symlink_to(path)
    elif isinstance(tree, bytes):
        path.write_bytes(tree)
    else:
        path.mkdir()
        for name, entry in tree.items():
            write(path / name, entry)


@given(st.dictionaries(NAMES, ITEM | TREE, max_size=3))
@many_cases()
def test_folders_of_nuclei(folder, tree):
    root = folder / "nuclei"
    shutil.rmtree(root, ignore_errors=True)
    write(root, tree)
    data = read(NucleiFolder, root)
    for index in range(0 if data is None else len(data)):
        item = read(data.__getitem__, index)
        if item is not None:
            assert item[0].shape[1:] == item[1].shape[1:]


def nifti(shape=(4, 3, 2), dtype="<i2", **fields):
    """A NIfTI file, by its specification: 348 bytes of header, no extensions, the voxels."""
    kinds = {"<i2": (4, 16), "|u1": (2, 8), "<f4": (16, 32), "<f8": (64, 64), "<c8": (32, 64)}
    header = bytearray(352)
    values = {
        "sizeof_hdr": (0, "<i", 348),
        "dim": (40, "<8h", len(shape), *shape, *[1] * (7 - len(shape))),
        "datatype": (70, "<2h", *kinds[dtype]),
        "pixdim": (76, "<8f", 1, 0.75, 0.5, 3, 1, 1, 1, 1),
        "vox_offset": (108, "<f", 352),
        "slope": (112, "<2f", 1, 0),
        "magic": (344, "<4s", b"n+1\0"),
    }
    for name, (place, form, *value) in values.items():
        struct.pack_into(form, header, place, *fields.get(name, value))
    return bytes(header) + np.arange(np.prod(shape)).astype(dtype).tobytes()


VOLUMES = [
    nifti(), nifti(dtype="|u1", slope=(2, -1)), nifti(dtype="<f4"), nifti(dtype="<f8"), nifti(dtype="<c8"),
    nifti((4, 3, 2, 1)), nifti((4, 3, 2, 2)), nifti() + bytes(100),
]  # fmt: skip


def attempt_volume(path, content):
    path.write_bytes(content)
    volume = read(read_nifti, path)
    if volume is not None:
        assert volume.values.dtype == np.float32 and volume.values.ndim == 3
        assert np.isfinite(volume.values).all() and min(volume.spacing) > 0
        assert volume.values.size <= 1032 * len(content)


@given(damaged([content[:352] for content in VOLUMES]), st.sampled_from(VOLUMES), st.booleans())
@many_cases()
def test_nifti_headers(folder, header, whole, is_packed):
    """The header is damaged, the voxels are not."""
    pytest.importorskip("nibabel")
    content = header + whole[352:]
    path = folder / ("x.nii.gz" if is_packed else "x.nii")
    attempt_volume(path, gzip.compress(content, 1) if is_packed else content)


PLACES = [(40 + 2 * n, "<h") for n in range(5)] + [(0, "<i"), (70, "<h"), (72, "<h"), (80, "<f"), (84, "<f")]
PLACES += [(place, "<f") for place in (108, 112, 116)]


@given(st.sampled_from(VOLUMES), st.sampled_from(PLACES), st.sampled_from(NUMBERS) | st.integers(-9, 9))
@many_cases()
def test_nifti_fields(folder, whole, place, value):
    """One field of the header says something else."""
    pytest.importorskip("nibabel")
    content, (start, form) = bytearray(whole), place
    struct.pack_into(form, content, start, value if form == "<f" else (value + 2**15) % 2**16 - 2**15)
    attempt_volume(folder / "x.nii", bytes(content))


@given(damaged([gzip.compress(content, 1, mtime=0) for content in VOLUMES]))
@many_cases()
def test_packed_nifti_files(folder, content):
    pytest.importorskip("nibabel")
    attempt_volume(folder / "x.nii.gz", content)
