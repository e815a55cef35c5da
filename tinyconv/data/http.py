"""Asking a web server for a file, or for the rest of one."""

from __future__ import annotations

import contextlib
import http.client
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

from tinyconv._version import __version__
from tinyconv.data.part_version import version_of
from tinyconv.errors import DownloadError

AGAIN = (408, 425, 429, 500, 502, 503, 504)
"""Answers that say: not now."""

RANGE_NOT_SATISFIABLE = 416


class Interrupted(Exception):
    """A connection that broke, or an answer that says "not now": worth another attempt."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, reason)
        self.url, self.reason = url, reason

    def final(self) -> DownloadError:
        """The error for when there are no more attempts."""
        return DownloadError(
            "download", self.url, self.reason, "the file; what has arrived is kept: try again"
        )


class Reply:
    """A server's answer.

    Attributes
    ----------
    start : int
        The place in the file of the first byte that `read` gives.
    total : int or None
        The size of the whole file, if the server says it.
    version : str or None
        What names the version of the file, see `part_version.version_of`.
    """

    def __init__(self, url: str, response: Any, have: int) -> None:
        self.url, self._response = url, response
        self.version = version_of(response.headers)
        self.start, self.total = 0, _number(response.headers.get("Content-Length"))
        if response.status == 206:
            span = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
            if span is None or int(span[1]) != have:
                raise DownloadError("download", url, "a part that was not asked for", f"bytes {have} and on")
            self.start, self.total = have, _number(span[2])

    def read(self, count: int) -> bytes:
        """At most `count` more bytes; none at the end.

        Raises
        ------
        Interrupted
            If the connection breaks.
        """
        try:
            return self._response.read(count)
        except (OSError, http.client.HTTPException) as error:
            raise Interrupted(self.url, _reason(error)) from error


@contextlib.contextmanager
def open_url(url: str, start: int = 0, timeout: float = 30.0, version: str | None = None) -> Iterator[Reply]:
    """Ask for the file at `url` from byte `start` on; a server may answer with the whole file.

    It does where `version` is given and the file there is of another one.

    Raises
    ------
    DownloadError
        If the URL is not of http or https, or the server cannot be reached or does not give the file.
    Interrupted
        If the connection breaks, or the server asks to come back later.
    """
    with _connect(url, start, timeout, version) as response:
        yield Reply(url, response, start)


def _connect(url: str, start: int, timeout: float, version: str | None = None) -> Any:
    try:
        return _opener().open(_request(url, start, version), timeout=timeout)
    except DownloadError:
        raise
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == RANGE_NOT_SATISFIABLE and start:
            return _connect(url, 0, timeout)
        reason = f"answered with {error.code} ({error.reason})"
        if error.code in AGAIN:
            raise Interrupted(url, reason) from error
        raise DownloadError("download", url, reason, "the file") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        cause = getattr(error, "reason", error)
        if isinstance(cause, TimeoutError | ConnectionResetError | http.client.HTTPException):
            raise Interrupted(url, f"not reached ({_reason(cause)})") from error
        expected = "a server that answers: is there an internet connection?"
        raise DownloadError("download", url, f"not reached ({_reason(cause)})", expected) from error


def _request(url: str, start: int, version: str | None) -> urllib.request.Request:
    if not url.startswith(("https://", "http://")):
        raise DownloadError("download", "the URL", repr(url), "one that starts with https:// or http://")
    headers = {"User-Agent": f"tinyconv/{__version__}", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    if start and version is not None:
        headers["If-Range"] = version
    return urllib.request.Request(url, headers=headers)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follow a server to another address, but not from https to http, nor to files."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        secure = req.full_url.startswith("https://")
        if not newurl.startswith("https://" if secure else ("https://", "http://")):
            raise DownloadError(
                "download", req.full_url, f"moved to {newurl}", "an address as safe as it was"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    """What opens http and https, through a proxy if the environment names one, and nothing else."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPErrorProcessor,
        urllib.request.UnknownHandler,
        _Redirects,
    ):
        opener.add_handler(handler())
    return opener


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None


def _reason(error: Any) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
