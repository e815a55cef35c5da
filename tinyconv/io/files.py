"""Writing a file so that a reader sees the old one or the whole new one, never a part."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from tinyconv.errors import DtypeError, StorageError


def write_whole(path: str | os.PathLike[str], *content: bytes | memoryview) -> Path:
    """Replace the file at `path` by `content`, part after part, in one step and for good.

    The content goes into a temporary file of the same folder, is forced to the disk, and
    then takes the name. A crash, a full disk or a power cut leaves the earlier file.

    Raises
    ------
    StorageError
        If the file cannot be written; the temporary file is removed, an earlier file is as it was.
    DtypeError
        If `path` is no path.
    """
    path = check_path("save", path)
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise OSError("a device or a pipe, which a file would replace")
        unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            with open(unfinished, "wb") as file:
                for part in content:
                    file.write(part)
                file.flush()
                os.fsync(file.fileno())
            os.replace(unfinished, path)
        finally:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)
    except (OSError, ValueError) as error:  # ValueError: an empty name, or one with a null character
        raise storage_error(path, error) from error
    _sync_folder(path.parent)
    return path


def check_path(where: str, path: str | os.PathLike[str]) -> Path:
    """`path` as a Path, or a DtypeError that names `where`."""
    try:
        return Path(path)
    except TypeError as error:
        found = f"{path!r} ({type(path).__name__})"
        raise DtypeError(where, "path", found, "a str or a pathlib.Path") from error


def storage_error(path: str | os.PathLike[str], error: Exception) -> StorageError:
    """The error that says which file could not be written, and why."""
    found = f"not written ({getattr(error, 'strerror', None) or error})"
    return StorageError("save", repr(os.fspath(path)), found, "a place with room that can be written to")


def _sync_folder(folder: Path) -> None:
    """Force the new name to the disk, where the system knows how."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
