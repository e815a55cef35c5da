"""Of which version of a file the unfinished one is the start, where no checksum would tell.

A server names the version of what it sends by an entity tag or by the time of its last change
(RFC 9110, sections 8.8 and 13.1.5). It is kept beside ``.part``, with the URL, in ``.part.version``.
"""

from __future__ import annotations

import contextlib
import os
from email.message import Message
from email.utils import parsedate_to_datetime
from pathlib import Path

from tinyconv.errors import StorageError
from tinyconv.io import write_whole

OLD_SECONDS = 60
"""A time of change says which version it is only if the answer is younger by so much."""


def version_of(headers: Message) -> str | None:
    """What names the version in the headers of an answer, if that is sure to differ from any other's.

    Examples
    --------
    >>> headers = Message()
    >>> headers["ETag"] = '"a1"'
    >>> version_of(headers)
    '"a1"'
    """
    tag, changed = headers.get("ETag"), headers.get("Last-Modified")
    if tag is not None:
        return tag if tag.startswith('"') and tag.isascii() and tag.isprintable() else None
    if changed is None:
        return None
    try:
        age = parsedate_to_datetime(headers.get("Date", "")) - parsedate_to_datetime(changed)
    except (ValueError, TypeError):
        return None
    return changed if age.total_seconds() >= OLD_SECONDS else None


def saved_version(part: str | os.PathLike[str], url: str) -> str | None:
    """The version of which `part` is the start, if it came from `url`."""
    try:
        lines = _beside(part).read_text(encoding="ascii").split("\n")
    except (OSError, ValueError):
        return None
    return lines[1] if len(lines) == 2 and lines[0] == url and lines[1] else None


def save_version(part: str | os.PathLike[str], url: str, version: str | None) -> None:
    """Keep it beside `part`; None removes what was kept. What cannot be kept is asked for anew later."""
    with contextlib.suppress(OSError, StorageError, ValueError):
        _beside(part).unlink(missing_ok=True)
        if version is not None:
            write_whole(_beside(part), f"{url}\n{version}".encode("ascii"))


def _beside(part: str | os.PathLike[str]) -> Path:
    return Path(f"{os.fspath(part)}.version")
