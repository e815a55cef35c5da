"""Every kind of image that cannot be used, or looks as if it could not: named, left out, counted."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data.test_image_folder import save
from tinyconv.data import ImageFolder, NucleiFolder
from tinyconv.data.bad_images import describe_bad, leave_out_bad
from tinyconv.errors import ArgumentError, DataError


def bomb(path: Path, width: int, height: int) -> None:
    """A PNG of a few bytes that says it has width x height pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = zlib.compress(bytes(1000))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


@pytest.fixture
def mixed(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """Images by class, and what is said of each that cannot be used."""
    root = tmp_path / "Bilder mit Lücken"
    grey = np.arange(80, dtype=np.uint8).reshape(8, 10)
    for name in ("a", "b"):
        save(root / name / "fine.png", grey)
    a, b = root / "a", root / "b"
    Image.fromarray(grey.astype(np.uint16) * 800).save(a / "16 bit.png")
    Image.fromarray(grey).convert("P").save(a / "palette.png")
    Image.fromarray(np.dstack([grey] * 4)).save(a / "alpha é.png")
    Image.fromarray(np.dstack([grey] * 4), "CMYK").save(a / "cmyk.jpg")
    Image.fromarray(grey).convert("1").save(a / "one bit.png")
    save(a / "1x1.png", np.zeros((1, 1)))
    save(a / "wide.png", np.zeros((2, 50_000)))
    (b / "empty.png").write_bytes(b"")
    (b / "text.png").write_text("no image at all")
    save(b / "cut.png", np.random.default_rng(0).integers(0, 256, (40, 40)))
    os.truncate(b / "cut.png", 600)
    bomb(b / "bomb.png", 200_000, 200_000)
    bomb(b / "short.png", 2000, 2000)
    Image.fromarray(grey).save(b / "film.gif", save_all=True, append_images=[Image.fromarray(grey + 1)])
    said = {
        "empty.png": "empty (0 bytes)",
        "text.png": "not an image",
        "cut.png": "damaged",
        "bomb.png": "too large",
        "short.png": "damaged",
        "film.gif": "2 frames",
    }
    if os.name != "nt":
        (b / "loop.png").symlink_to("loop.png")
        said["loop.png"] = "Too many levels of symbolic links"
    return root, said


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_bad_ones_are_left_out_and_named(mixed: tuple[Path, dict[str, str]]) -> None:
    root, said = mixed
    data = ImageFolder(root)
    usable, errors = leave_out_bad(data)
    assert len(errors) == len(said) and len(usable) == len(data) - len(said) == 9
    for error in errors:
        (name,) = [name for name in said if os.path.join("b", name) in str(error)]
        assert said[name] in str(error)
    names = [usable.name(index) for index in range(len(usable))]
    assert os.path.join("a", "alpha é.png") in names
    shapes = {os.path.basename(usable.name(i)): usable[i][0].shape for i in range(len(usable))}
    assert shapes["wide.png"] == (1, 2, 50_000) and shapes["1x1.png"] == (1, 1, 1)
    assert shapes["cmyk.jpg"] == shapes["palette.png"] == shapes["alpha é.png"] == (3, 8, 10)
    assert shapes["16 bit.png"] == shapes["one bit.png"] == (1, 8, 10)
    for image, _ in usable:
        assert image.dtype == np.float32 and 0 <= image.min() and image.max() <= 1


def test_or_the_first_is_fatal(mixed: tuple[Path, dict[str, str]]) -> None:
    with pytest.raises(DataError, match=r"\.(png|gif)' is"):
        leave_out_bad(ImageFolder(mixed[0]), "stop")
    with pytest.raises(ArgumentError, match="stop or skip"):
        leave_out_bad([], "ignore")


def test_none_is_usable(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.png").write_bytes(b"")
    with pytest.raises(DataError, match="empty"):
        leave_out_bad(ImageFolder(tmp_path))


def test_what_is_said_of_them() -> None:
    errors = [DataError("read_image", f"'{number}'", "bad", "good") for number in range(7)]
    lines = describe_bad(errors, 20)
    assert len(lines) == 7 and lines[0] == "left out: read_image: '0' is bad, expected good"
    assert lines[5] == "left out: 2 more" and lines[6].startswith("7 of 20 images left out")
    assert describe_bad([], 20) == []


def test_nuclei_without_images_or_masks(kaggle_folder: Path) -> None:
    for file in (kaggle_folder / "a" / "masks").iterdir():
        file.unlink()
    (kaggle_folder / "b" / "images" / "b.png").unlink()
    with pytest.raises(DataError):
        NucleiFolder(kaggle_folder)
    found = NucleiFolder(kaggle_folder, on_bad_image="skip")
    assert [found.name(index) for index in range(len(found))] == ["c", "d"]
    assert len(found.errors) == 2 and "without masks" in str(found.errors[0])
    os.truncate(kaggle_folder / "d" / "images" / "d.png", 40)
    small = NucleiFolder(kaggle_folder, size=(16, 20), on_bad_image="skip")
    assert len(small) == 1 and len(small.errors) == 3
    usable, errors = leave_out_bad(NucleiFolder(kaggle_folder, on_bad_image="skip"))
    assert len(usable) == 1 and "d.png" in str(errors[0])
