"""A web server on this machine that a test can tell to behave badly."""

from __future__ import annotations

import contextlib
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class WebServer:
    """Serves `files` at ``url + name``; what it was asked is in `requests` (path, Range header).

    Attributes
    ----------
    break_after : list of int
        Each is taken by one answer, which stops after so many bytes.
    statuses : list of int
        Each is taken by one answer, which has this status and no file.
    ranges : bool
        Whether the server knows how to send a part.
    if_range : bool
        Whether it sends the whole file if it is of another version than the header If-Range names.
    headers : dict
        What else each answer says, e.g. an ETag.
    redirect : dict
        Path to another URL.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.requests: list[tuple[str, str | None]] = []
        self.break_after: list[int] = []
        self.statuses: list[int] = []
        self.ranges = self.if_range = True
        self.headers: dict[str, str] = {}
        self.redirect: dict[str, str] = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.answer(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        span = handler.headers.get("Range")
        self.requests.append((handler.path, span))
        name = handler.path.lstrip("/")
        if name in self.redirect:
            handler.send_response(302)
            handler.send_header("Location", self.redirect[name])
            handler.end_headers()
        elif self.statuses or name not in self.files:
            handler.send_error(self.statuses.pop(0) if self.statuses else 404)
        else:
            self._send(handler, self.files[name], span)

    def _send(self, handler: BaseHTTPRequestHandler, content: bytes, span: str | None) -> None:
        wanted = handler.headers.get("If-Range")
        if self.if_range and wanted and wanted not in self.headers.values():
            span = None
        start = int(re.fullmatch(r"bytes=(\d+)-", span)[1]) if span and self.ranges else 0
        if start >= len(content) > 0:
            handler.send_error(416)
            return
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        handler.send_header("Content-Length", str(len(content) - start))
        for name, value in self.headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        end = start + self.break_after.pop(0) if self.break_after else None
        with contextlib.suppress(ConnectionError):
            handler.wfile.write(content[start:end])
