from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tinyconv.data.archives import unpack
from tinyconv.errors import DataError, StorageError

FILES = {"a/one.bin": b"1" * 5000, "a/b/two é.bin": b"2", "three": b""}


def make_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def make_tar(path: Path, files: dict[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_all_files_come_out(tmp_path: Path, make) -> None:
    archive = make(tmp_path / "archive", FILES)
    folder = unpack(archive, tmp_path / "deep" / "folder")
    assert contents(folder) == FILES
    assert [p.name for p in folder.parent.iterdir()] == ["folder"]


def test_what_an_earlier_call_left_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "folder.unpacking").mkdir()
    (tmp_path / "folder.unpacking" / "half").write_bytes(b"x")
    assert contents(unpack(make_zip(tmp_path / "z", FILES), tmp_path / "folder")) == FILES


@pytest.mark.parametrize("name", ["../out", "/etc/out", "a/../../out", "..\\out", "C:\\out", "C:/out"])
@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_names_that_lead_outside(tmp_path: Path, make, name: str) -> None:
    folder = tmp_path / "in" / "folder"
    with pytest.raises(DataError, match="names that stay in the folder"):
        unpack(make(tmp_path / "archive", {"fine": b"1", name: b"2"}), folder)
    assert list(folder.parent.iterdir()) == [] and not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices(tmp_path: Path, kind: bytes) -> None:
    path = tmp_path / "archive.tar"
    with tarfile.open(path, "w") as archive:
        member = tarfile.TarInfo("link")
        member.type, member.linkname = kind, "/etc/passwd"
        archive.addfile(member)
    with pytest.raises(DataError, match="'link', which is no file"):
        unpack(path, tmp_path / "folder")
    assert not (tmp_path / "folder").exists()


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_more_than_was_expected(tmp_path: Path, make) -> None:
    bomb = make(tmp_path / "bomb", {"zeros": bytes(30_000_000)})
    assert bomb.stat().st_size < 100_000
    with pytest.raises(DataError, match="more than 1,000,000 bytes"):
        unpack(bomb, tmp_path / "folder", max_bytes=1_000_000)
    assert [p.name for p in tmp_path.iterdir()] == ["bomb"]


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_every_damage_is_told(tmp_path: Path, make) -> None:
    whole = make(tmp_path / "whole", {"noise": np.random.default_rng(0).bytes(20_000)}).read_bytes()
    damaged = [b"", b"no archive", whole[: len(whole) // 2], whole[:20]]
    flipped = bytearray(whole)
    flipped[len(whole) // 3] ^= 0x10
    for content in [*damaged, bytes(flipped)]:
        (tmp_path / "bad").write_bytes(content)
        with pytest.raises(DataError, match="bad' is damaged"):
            unpack(tmp_path / "bad", tmp_path / "folder")
        assert not (tmp_path / "folder").exists() and not (tmp_path / "folder.unpacking").exists()


def test_a_place_that_cannot_be_written_to(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "z", FILES)
    with pytest.raises(StorageError, match="z"):
        unpack(archive, archive / "folder")
