from __future__ import annotations

import hashlib
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.data.web_server import WebServer
from tinyconv.data import download as module
from tinyconv.data.download import RemoteFile, checksum, download, is_whole, verify
from tinyconv.errors import ArgumentError, DataError, DownloadError, StorageError

CONTENT = np.random.default_rng(0).bytes(700_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.0)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = WebServer()
    server.files["data.bin"] = CONTENT
    yield server
    server.close()


def remote(server: WebServer, **known: object) -> RemoteFile:
    return RemoteFile("data.bin", (server.url + "data.bin",), **{"sha256": SHA256, **known})


def test_a_file_comes_whole_and_only_once(server: WebServer, tmp_path: Path) -> None:
    folder = tmp_path / "some where é" / "data"
    path = download(remote(server, size=len(CONTENT)), folder, show=False)
    assert path == folder / "data.bin" and path.read_bytes() == CONTENT
    assert [p.name for p in folder.iterdir()] == ["data.bin"]
    assert download(remote(server), folder, show=False) == path
    assert server.requests == [("/data.bin", None)]


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_connection_is_taken_up_again(server: WebServer, tmp_path: Path, ranges: bool) -> None:
    server.break_after, server.ranges = [300_000, 100_000 if ranges else 450_000], ranges
    path = download(remote(server), tmp_path, show=False)
    assert path.read_bytes() == CONTENT
    spans = [span for _, span in server.requests]
    assert spans == [None, "bytes=300000-", "bytes=400000-" if ranges else "bytes=450000-"]


def test_the_next_call_goes_on_where_the_last_gave_up(server: WebServer, tmp_path: Path) -> None:
    server.break_after = [100_000] * 4
    with pytest.raises(DownloadError, match=r"broke off after 400,000 of 700,000 bytes.*kept"):
        download(remote(server), tmp_path, show=False)
    assert (tmp_path / "data.bin.part").read_bytes() == CONTENT[:400_000]
    assert not (tmp_path / "data.bin").exists()
    server.requests.clear()
    assert download(remote(server), tmp_path, show=False).read_bytes() == CONTENT
    assert server.requests == [("/data.bin", "bytes=400000-")]
    assert not (tmp_path / "data.bin.part").exists()


@pytest.mark.parametrize("left", [CONTENT[:5000], b"x" * 5000, CONTENT, CONTENT + b"more"])
def test_whatever_is_left_of_an_earlier_call_the_file_is_right(
    server: WebServer, tmp_path: Path, left: bytes
) -> None:
    (tmp_path / "data.bin.part").write_bytes(left)
    assert download(remote(server), tmp_path, show=False).read_bytes() == CONTENT
    (tmp_path / "data.bin").unlink()
    (tmp_path / "data.bin.part").write_bytes(left)
    assert download(remote(server, size=len(CONTENT)), tmp_path, show=False).read_bytes() == CONTENT


def test_without_size_and_checksum_nothing_old_is_taken(server: WebServer, tmp_path: Path) -> None:
    (tmp_path / "data.bin.part").write_bytes(b"an older version")
    path = download(remote(server, sha256=None), tmp_path, show=False)
    assert path.read_bytes() == CONTENT and server.requests == [("/data.bin", None)]


OLD = {"Last-Modified": "Wed, 01 Jan 2020 00:00:00 GMT"}


@pytest.mark.parametrize("headers", [{"ETag": '"1"'}, OLD, {"ETag": '"1"', **OLD}])
def test_without_a_checksum_the_same_version_is_taken_up(
    server: WebServer, tmp_path: Path, headers: dict[str, str]
) -> None:
    file, server.headers, server.break_after = remote(server, sha256=None), headers, [100_000] * 4
    with pytest.raises(DownloadError, match="400,000 of 700,000"):
        download(file, tmp_path, show=False)
    server.requests.clear()
    assert download(file, tmp_path, show=False).read_bytes() == CONTENT
    assert server.requests == [("/data.bin", "bytes=400000-")]
    assert [p.name for p in tmp_path.iterdir()] == ["data.bin"]


@pytest.mark.parametrize("if_range", [True, False])
def test_without_a_checksum_another_version_is_brought_whole(
    server: WebServer, tmp_path: Path, if_range: bool
) -> None:
    """Also from a server that knows parts, but does not heed If-Range."""
    file, server.headers, server.break_after = remote(server, sha256=None), {"ETag": '"1"'}, [100_000] * 4
    with pytest.raises(DownloadError):
        download(file, tmp_path, show=False)
    server.files["data.bin"], server.headers, server.if_range = CONTENT[::-1], {"ETag": '"2"'}, if_range
    assert download(file, tmp_path, show=False).read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize(
    "headers",
    [{}, {"ETag": 'W/"1"'}, {"ETag": 'W/"1"', **OLD}, {"Last-Modified": "Fri, 01 Jan 2100 00:00:00 GMT"}],
)
def test_without_a_checksum_what_names_no_version_is_brought_whole(
    server: WebServer, tmp_path: Path, headers: dict[str, str]
) -> None:
    file, server.headers, server.break_after = remote(server, sha256=None), headers, [100_000]
    assert download(file, tmp_path, show=False).read_bytes() == CONTENT
    assert server.requests == [("/data.bin", None)] * 2


def test_without_a_checksum_the_start_from_another_url_is_not_taken(
    server: WebServer, tmp_path: Path
) -> None:
    server.files["other"], server.headers, server.break_after = CONTENT[::-1], {"ETag": '"1"'}, [9] * 4
    with pytest.raises(DownloadError):
        download(RemoteFile("data.bin", (server.url + "other",)), tmp_path, show=False)
    server.requests.clear()
    assert download(remote(server, sha256=None), tmp_path, show=False).read_bytes() == CONTENT
    assert server.requests == [("/data.bin", None)]


def test_another_content_is_refused_and_removed(server: WebServer, tmp_path: Path) -> None:
    server.files["data.bin"] = b"y" + CONTENT[1:]
    (tmp_path / "data.bin").write_bytes(b"what was there before")
    with pytest.raises(DataError, match=f"of sha256 .*expected sha256 {SHA256}"):
        download(remote(server), tmp_path, show=False)
    assert [p.name for p in tmp_path.iterdir()] == ["data.bin"]
    assert (tmp_path / "data.bin").read_bytes() == b"what was there before"


def test_a_damaged_file_is_replaced(server: WebServer, tmp_path: Path) -> None:
    (tmp_path / "data.bin").write_bytes(CONTENT[:-1])
    assert download(remote(server), tmp_path, show=False).read_bytes() == CONTENT


@pytest.mark.parametrize("length", [699_999, 700_001, 5_000_000])
def test_a_file_of_another_size_is_refused(server: WebServer, tmp_path: Path, length: int) -> None:
    server.files["data.bin"] = b"z" * length
    with pytest.raises(DataError, match="expected 700000 bytes"):
        download(remote(server, size=700_000, sha256=None), tmp_path, show=False)
    assert list(tmp_path.iterdir()) == []


def test_md5_where_no_sha256_is_known(server: WebServer, tmp_path: Path) -> None:
    right = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
    known = remote(server, sha256=None, md5=right)
    assert known.checksum == ("md5", right)
    download(known, tmp_path, show=False)
    with pytest.raises(DataError, match="of md5"):
        download(remote(server, sha256=None, md5="0" * 32), tmp_path, show=False)
    assert remote(server, md5="0" * 32).checksum == ("sha256", SHA256)


def test_answers_that_are_no_file(server: WebServer, tmp_path: Path) -> None:
    del server.files["data.bin"]
    with pytest.raises(DownloadError, match=r"data\.bin is answered with 404 \(Not Found\)") as caught:
        download(remote(server), tmp_path, show=False)
    assert isinstance(caught.value, OSError) and len(server.requests) == 1
    server.statuses = [503] * 4
    with pytest.raises(DownloadError, match="503"):
        download(remote(server), tmp_path, show=False)
    assert len(server.requests) == 5 and list(tmp_path.iterdir()) == []
    server.files["data.bin"], server.statuses = CONTENT, [500, 429]
    assert download(remote(server), tmp_path, show=False).read_bytes() == CONTENT


def test_no_server_and_no_network(server: WebServer, tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/data.bin"
        with pytest.raises(DownloadError, match=r"not reached \(Connection refused\).*internet"):
            download(RemoteFile("data.bin", (url,)), tmp_path, show=False)
        both = RemoteFile("data.bin", (url, server.url + "data.bin"), sha256=SHA256)
        assert download(both, tmp_path, show=False).read_bytes() == CONTENT
    for bad in ("http://does.not.exist.invalid/x", "ftp://127.0.0.1/x", "file:///etc/hostname"):
        with pytest.raises(DownloadError):
            download(RemoteFile("other", (bad,)), tmp_path, show=False)
    with pytest.raises(DownloadError, match=r"every source of x\.bin is without success.*refused.*404"):
        download(RemoteFile("x.bin", (url, server.url + "x.bin")), tmp_path, show=False)


def test_a_server_that_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.0)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/data.bin"
        with pytest.raises(DownloadError, match="timed out"):
            download(RemoteFile("data.bin", (url,)), tmp_path, show=False, timeout=0.05)


def test_redirects_lead_to_the_web_only(server: WebServer, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(CONTENT)
    server.redirect = {"a": server.url + "data.bin", "b": secret.as_uri(), "c": "ftp://127.0.0.1/x"}
    found = download(RemoteFile("a", (server.url + "a",), sha256=SHA256), tmp_path, show=False)
    assert found.read_bytes() == CONTENT
    for name in "bc":
        with pytest.raises(DownloadError):
            download(RemoteFile(name, (server.url + name,)), tmp_path, show=False)


def test_a_full_disk_is_told_before_the_first_byte(
    server: WebServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    with pytest.raises(StorageError, match=r"data\.bin.*No space left.*1,000 bytes are free, 700,000"):
        download(remote(server, size=len(CONTENT)), tmp_path, show=False)
    assert server.requests == [] and list(tmp_path.iterdir()) == []


FULL = """
import resource, signal, sys
from tinyconv.data.download import RemoteFile, download
from tinyconv.errors import StorageError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
try:
    download(RemoteFile("data.bin", (sys.argv[1],), sha256=sys.argv[2]), sys.argv[3], show=False)
except StorageError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of Unix")
def test_a_disk_that_fills_up_on_the_way(server: WebServer, tmp_path: Path) -> None:
    command = [sys.executable, "-c", FULL, server.url + "data.bin", SHA256, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "data.bin.part" in done.stdout and "not written (File too large)" in done.stdout, done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["data.bin.part"]
    assert download(remote(server), tmp_path, show=False).read_bytes() == CONTENT


def test_a_folder_that_cannot_be_written_to(server: WebServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="file"):
        download(remote(server), tmp_path / "file" / "folder", show=False)


@pytest.mark.skipif(sys.platform == "win32", reason="locks of Unix")
def test_one_process_at_a_time(server: WebServer, tmp_path: Path) -> None:
    import fcntl

    with open(tmp_path / "data.bin.part", "wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(ArgumentError, match="another process is downloading"):
            download(remote(server), tmp_path, show=False)
    assert download(remote(server), tmp_path, show=False).read_bytes() == CONTENT


def test_what_is_shown(server: WebServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    download(remote(server, size=len(CONTENT)), tmp_path)
    out, err = capsys.readouterr()
    assert out == "" and err == "downloading data.bin (700.0 kB)\n"
    (tmp_path / "data.bin").unlink()
    download(remote(server, sha256=None), tmp_path)
    out, err = capsys.readouterr()
    told = f"data.bin: not verified, as no checksum of it is published; its SHA-256 is {SHA256}\n"
    assert out == "" and err == f"downloading data.bin\n{told}"


def test_verify(tmp_path: Path) -> None:
    path = tmp_path / "data.bin"
    file = RemoteFile("data.bin", ("https://example.org/x",), sha256=SHA256)
    assert not is_whole(file, path)
    with pytest.raises(DataError, match="not there"):
        verify(file, path)
    path.write_bytes(CONTENT)
    verify(file, path)
    assert is_whole(file, path) and checksum(path) == SHA256
    path.write_bytes(CONTENT[::-1])
    with pytest.raises(DataError, match=r"data\.bin' is of sha256"):
        verify(file, path)
    with pytest.raises(DataError, match="unreadable"):
        checksum(tmp_path / "gone")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "../x"}, "name"),
        ({"name": ""}, "name"),
        ({"name": ".hidden"}, "name"),
        ({"name": "a/b"}, "name"),
        ({"urls": ()}, "urls"),
        ({"urls": "https://example.org"}, "urls"),
        ({"sha256": "0" * 63}, "sha256 .* 64 digits"),
        ({"md5": "G" * 32}, "md5"),
        ({"sha256_start": "0" * 9}, "sha256_start .* 8 digits"),
    ],
)
def test_what_a_remote_file_cannot_be(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        RemoteFile(**{"name": "x", "urls": ("https://example.org/x",), **arguments})
