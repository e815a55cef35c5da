"""Unpacking archives from elsewhere: files only, only into the folder, only as much as was expected."""

from __future__ import annotations

import gzip
import os
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from tinyconv.errors import DataError
from tinyconv.io import storage_error

MAX_BYTES = 2**34
MAX_FILES = 2**20
CHUNK = 2**20
DAMAGED = (
    *(zipfile.BadZipFile, NotImplementedError, RuntimeError),  # RuntimeError: a member with a password
    *(tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError),
)


def unpack(
    archive: str | os.PathLike[str], folder: str | os.PathLike[str], max_bytes: int = MAX_BYTES
) -> Path:
    """Unpack a ``.zip``, ``.tar`` or ``.tar.gz`` into a folder that does not exist yet.

    The files are written into ``<folder>.unpacking``, which takes the name when all of them are
    there: a folder of that name is whole. Checksums of the archive's own format are compared.

    Parameters
    ----------
    archive, folder : path
    max_bytes : int
        The files together may not be larger than this.

    Raises
    ------
    DataError
        If the archive is damaged, or holds what is neither a file nor a folder, a name that leads
        outside, or too much. Nothing is left of it.
    StorageError
        If a file cannot be written. Nothing is left.
    """
    archive, folder = Path(archive), Path(folder)
    unfinished = folder.with_name(f"{folder.name}.unpacking")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        _write_all(archive, unfinished, max_bytes)
        os.replace(unfinished, folder)
    except OSError as error:
        raise storage_error(folder, error) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def _write_all(archive: Path, folder: Path, max_bytes: int) -> None:
    left = max_bytes
    try:
        for number, (name, content) in enumerate(_members(archive)):
            if number >= MAX_FILES:
                raise _refuse(archive, f"of more than {MAX_FILES} files", "fewer files")
            left = _write(folder / _inside(archive, name), content, left)
            if left < 0:
                raise _refuse(archive, f"of more than {max_bytes:,} bytes", "a smaller archive")
    except DAMAGED as error:
        raise _refuse(archive, f"damaged ({error})", "an archive that can be unpacked") from error


def _write(path: Path, content: IO[bytes], left: int) -> int:
    """Write one file; what is left of the bytes that may be written, negative if that is too little."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with content, open(path, "xb") as file:
        while left >= 0 and (chunk := content.read(CHUNK)):
            left -= len(chunk)
            file.write(chunk)
    return left


def _members(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """(name, content) of each file in the archive."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            for member in zipped.infolist():
                if not member.is_dir():
                    yield member.filename, zipped.open(member)
        return
    with _plain(archive) as stream, tarfile.open(fileobj=stream, mode="r:") as tarred:
        for entry in tarred:
            content: Any = tarred.extractfile(entry) if entry.isfile() else None
            if content is not None:
                yield entry.name, content
            elif not entry.isdir():
                raise _refuse(archive, f"with {entry.name!r}, which is no file", "files and folders only")
        while stream.read(CHUNK):
            pass  # gzip compares its checksum at the end


def _plain(archive: Path) -> IO[bytes]:
    """The archive, decompressed if gzip has compressed it."""
    with open(archive, "rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(archive, "rb")) if compressed else open(archive, "rb")


def _inside(archive: Path, name: str) -> PurePosixPath:
    """The path of a member, which must stay in the folder."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in name or not path.parts or "\0" in name:
        raise _refuse(archive, f"with the name {name!r}", "names that stay in the folder")
    return path


def _refuse(archive: Path, value: str, expected: str) -> DataError:
    return DataError("unpack", repr(str(archive)), value, expected)
