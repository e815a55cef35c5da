"""Downloading files: taken up again where it broke off, checked, and renamed when whole.

>>> from tinyconv.data.download import RemoteFile, download
>>> file = RemoteFile("t10k-labels-idx1-ubyte.gz", ("https://example.org/t10k-labels-idx1-ubyte.gz",), 4542)
>>> download(file, "data/mnist")  # doctest: +SKIP
PosixPath('data/mnist/t10k-labels-idx1-ubyte.gz')
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from tinyconv.data.download_bar import DownloadBar
from tinyconv.data.http import Interrupted, Reply, open_url
from tinyconv.data.part_version import save_version, saved_version
from tinyconv.errors import ArgumentError, DataError, DownloadError
from tinyconv.io import storage_error
from tinyconv.io.files import check_path

ATTEMPTS = 4
PAUSE_SECONDS = 1.0
"""Before the second attempt; twice as long before each further one."""

CHUNK = 2**18
MAX_BYTES = 2**36
"""No file of unknown size may become larger than this."""

Show = Callable[[int, int | None], None]
"""Told how many bytes are there, and of how many if that is known."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
HEXADECIMAL = {"sha256": 64, "sha256_start": 8, "md5": 32}
"""The checksums, the one to be preferred first, and how many digits each has."""


@dataclass(frozen=True)
class RemoteFile:
    """A file on the net, and how to know it.

    Parameters
    ----------
    name : str
        What the file is called on the disk: letters, digits and ``. _ + -``.
    urls : tuple of str
        Where it is, the official source first; the others are asked if that one does not deliver.
    size : int, optional
        In bytes.
    sha256, md5 : str, optional
        Checksums in hexadecimal, as published; SHA-256 is used where both are known. Leave out what
        is not known for certain.
    sha256_start : str, optional
        The first eight digits of the SHA-256, where no more is published.

    Raises
    ------
    ArgumentError
        For a name that could leave the folder, no URL, or a checksum that cannot be one.
    """

    name: str
    urls: tuple[str, ...]
    size: int | None = None
    sha256: str | None = None
    md5: str | None = None
    sha256_start: str | None = None

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise ArgumentError("RemoteFile", "name", repr(self.name), "letters, digits and . _ + -")
        if isinstance(self.urls, str) or not self.urls:
            raise ArgumentError("RemoteFile", "urls", repr(self.urls), "a tuple of at least one URL")
        for algorithm, digits in HEXADECIMAL.items():
            value = getattr(self, algorithm)
            if value is not None and not re.fullmatch(f"[0-9a-f]{{{digits}}}", value):
                raise ArgumentError("RemoteFile", algorithm, repr(value), f"{digits} digits from 0 to f")

    @property
    def checksum(self) -> tuple[str, str] | None:
        """The algorithm and the value, or its beginning, of the checksum that is used, if one is known."""
        for name in HEXADECIMAL:
            if getattr(self, name) is not None:
                return name.removesuffix("_start"), getattr(self, name)
        return None


def download(
    file: RemoteFile, folder: str | os.PathLike[str], *, show: bool = True, timeout: float = 30.0
) -> Path:
    """Bring a file into a folder, unless it is there already.

    What arrives goes into ``<name>.part``, which a later call takes up where it broke off. Only a
    file of the right size and checksum takes the name, in one step: what has the name is whole. A
    file of that name that fails the check is replaced, once the new one is whole. Broken connections
    are tried again a few times. Where no checksum is known, a broken file is taken up only if the server
    says that its own is still of the same version, and the SHA-256 of what came is shown.

    Parameters
    ----------
    file : RemoteFile
    folder : path
        Made if it is missing.
    show : bool
        Show progress on standard error: a bar in a terminal, a line for each file elsewhere.
    timeout : float
        Seconds without a byte after which a connection counts as broken.

    Returns
    -------
    Path
        ``folder / file.name``.

    Raises
    ------
    DownloadError
        If no URL delivers, e.g. without internet; what has arrived is kept for the next call.
    DataError
        If what arrived is not the file that was asked for; it is removed.
    StorageError
        If the file cannot be written, e.g. on a full disk; what was written is kept.
    ArgumentError
        If another process is downloading the same file.
    """
    target = check_path("download", folder) / file.name
    if is_whole(file, target):
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(target.parent, error) from error
    with DownloadBar(file.name, file.size, show) as bar, _locked_part(target) as part:
        _check_room(file, target, part)
        _fetch_whole(file, part, timeout, bar.show)
        _finish(part, target)
    if show and file.checksum is None:
        found = f"not verified, as no checksum of it is published; its SHA-256 is {checksum(target)}"
        print(f"{file.name}: {found}", file=sys.stderr, flush=True)
    return target


def is_whole(file: RemoteFile, path: str | os.PathLike[str]) -> bool:
    """Whether `path` is a file with the size and the checksum of `file`, as far as they are known."""
    return os.path.isfile(path) and _difference(file, Path(path)) is None


def verify(file: RemoteFile, path: str | os.PathLike[str]) -> None:
    """Raise `DataError` unless `path` has the size and the checksum of `file`."""
    difference = _difference(file, Path(path))
    if difference is not None:
        raise DataError("download", repr(os.fspath(path)), *difference)


def checksum(path: str | os.PathLike[str], algorithm: str = "sha256") -> str:
    """The checksum of a file in hexadecimal; `algorithm` is ``sha256`` or ``md5``."""
    try:
        with open(path, "rb") as content:
            return hashlib.file_digest(content, lambda: _hasher(algorithm)).hexdigest()
    except OSError as error:
        found = f"unreadable ({error.strerror})"
        raise DataError("checksum", repr(os.fspath(path)), found, "a file that can be read") from error


def _hasher(algorithm: str) -> Any:
    return hashlib.new(algorithm, usedforsecurity=False)


def _difference(file: RemoteFile, path: Path) -> tuple[str, str] | None:
    """What the file at `path` is and what it should be, or None if it is that."""
    if not path.is_file():
        return "not there", "a file"
    size = path.stat().st_size
    if file.size is not None and size != file.size:
        return f"of {size} bytes", f"{file.size} bytes"
    if file.checksum is not None:
        algorithm, wanted = file.checksum
        found = checksum(path, algorithm)
        if not found.startswith(wanted):
            more = "" if len(wanted) == len(found) else "…"
            return f"of {algorithm} {found}", f"{algorithm} {wanted}{more}"
    return None


@contextlib.contextmanager
def _locked_part(target: Path) -> Iterator[BinaryIO]:
    """The unfinished file, open, which no other process is writing (where the system has flock)."""
    path = target.with_name(f"{target.name}.part")
    try:
        part = open(path, "a+b")  # noqa: SIM115 - closed below
    except OSError as error:
        raise storage_error(path, error) from error
    with part:
        try:
            import fcntl

            fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not (path.exists() and os.path.samestat(os.fstat(part.fileno()), os.stat(path))):
                raise BlockingIOError  # the other process has just finished and renamed it
        except ImportError:
            pass
        except OSError as error:
            found = f"{str(target)!r}, which another process is downloading"
            raise ArgumentError("download", "the file", found, "one process at a time") from error
        try:
            yield part
        finally:
            if not path.exists() or not _length(part):
                path.unlink(missing_ok=True)
                save_version(path, "", None)


def _check_room(file: RemoteFile, target: Path, part: BinaryIO) -> None:
    """Refuse before the first byte what the disk has no room for."""
    if file.size is None:
        return
    missing = file.size - os.fstat(part.fileno()).st_size
    free = shutil.disk_usage(target.parent).free
    if missing > free:
        reason = f"No space left on device: {free:,} bytes are free, {missing:,} are needed"
        raise storage_error(target, OSError(reason))


def _fetch_whole(file: RemoteFile, part: BinaryIO, timeout: float, show: Show) -> None:
    """Fill `part` from the first URL that delivers the file."""
    problems: list[Exception] = []
    for url in file.urls:
        try:
            _fetch_from(url, file, part, timeout, show)
            return
        except (DownloadError, DataError) as error:
            problems.append(error)
    if len(problems) == 1:
        raise problems[0]
    expected = "one that delivers; " + "; ".join(str(problem) for problem in problems)
    raise DownloadError("download", f"every source of {file.name}", "without success", expected)


def _fetch_from(url: str, file: RemoteFile, part: BinaryIO, timeout: float, show: Show) -> None:
    """Fill `part` from one URL, taking it up again where the connection breaks."""
    for attempt in range(ATTEMPTS):
        kept = _length(part)
        try:
            _fetch_rest(url, file, part, timeout, show)
        except Interrupted as error:
            if attempt + 1 == ATTEMPTS:
                raise error.final() from error
            time.sleep(PAUSE_SECONDS * 2**attempt)
            continue
        difference = _difference(file, Path(part.name))
        if difference is None:
            return
        _cut(part)
        if not kept:
            raise DataError("download", repr(url), *difference)
    raise DataError("download", repr(url), "not what was asked for", f"the file {file.name}")


def _fetch_rest(url: str, file: RemoteFile, part: BinaryIO, timeout: float, show: Show) -> None:
    """Append to `part` what is missing of it, or all if the server cannot give less."""
    have, known = _length(part), file.checksum is not None
    version = None if known else saved_version(part.name, url)
    if not known and version is None:
        have = _cut(part)  # it could be the start of another version of the file
    if have and have == file.size:
        return
    if file.size is not None and have > file.size:
        have = _cut(part)
    with open_url(url, have, timeout, version) as reply:
        goes_on = known or not reply.start or reply.version == version
        if goes_on:
            if reply.start != have:
                have = _cut(part)
            if not have:
                save_version(part.name, url, None if known else reply.version)
            most = MAX_BYTES if file.size is None else file.size
            total = reply.total if file.size is None else file.size
            _copy(reply, part, most, lambda have: show(have, total))
    if not goes_on:  # the server has not heeded If-Range, and has another version now
        _cut(part)
        return _fetch_rest(url, file, part, timeout, show)
    if reply.total is not None and _length(part) < min(reply.total, most + 1):
        raise Interrupted(url, f"broke off after {_length(part):,} of {reply.total:,} bytes")


def _copy(reply: Reply, part: BinaryIO, most: int, show: Callable[[int], None]) -> None:
    """Write what arrives, up to one byte more than `most`, so that a longer file fails its check."""
    have = _length(part)
    show(have)
    while have <= most and (chunk := reply.read(min(CHUNK, most + 1 - have))):
        try:
            part.write(chunk)
            part.flush()
        except OSError as error:
            raise storage_error(part.name, error) from error
        have += len(chunk)
        show(have)


def _length(part: BinaryIO) -> int:
    return os.fstat(part.fileno()).st_size


def _cut(part: BinaryIO) -> int:
    """Empty the unfinished file."""
    part.truncate(0)
    return 0


def _finish(part: BinaryIO, target: Path) -> None:
    """Force the content to the disk and give it its name."""
    try:
        os.fsync(part.fileno())
        if os.name == "nt":
            part.close()
        os.replace(part.name, target)
    except OSError as error:
        raise storage_error(target, error) from error
