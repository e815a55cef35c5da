from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.data.test_archives import make_tar
from tests.data.web_server import WebServer
from tinyconv.data import catalogue
from tinyconv.data.catalogue import CATALOGUE, CIFAR10, MNIST, data_root, find, get, is_there
from tinyconv.data.download import RemoteFile
from tinyconv.errors import ArgumentError, DataError


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = WebServer()
    yield server
    server.close()


def served(server: WebServer, entry: catalogue.Entry, **contents: bytes) -> catalogue.Entry:
    """The entry with these files, on this server."""
    server.files.update(contents)
    files = tuple(
        RemoteFile(name, (server.url + name,), len(content), hashlib.sha256(content).hexdigest())
        for name, content in contents.items()
    )
    return dataclasses.replace(entry, files=files)


def test_the_catalogue_is_complete() -> None:
    for entry in CATALOGUE.values():
        assert entry.title and entry.terms
        for file in entry.files:
            assert all(
                url.startswith(("https://", "http://")) and url.endswith(file.name) for url in file.urls
            )
            assert file.urls[0].startswith("https://"), "the first source is a safe one"
            assert (file.sha256 and file.size) or entry.name == "dsb2018"
    sums = [file.sha256 for entry in CATALOGUE.values() for file in entry.files if file.sha256]
    assert len(sums) == len(set(sums)) == 9
    assert MNIST.size == 11_594_722  # TensorFlow Datasets: the download size of mnist


def test_names() -> None:
    assert find("mnist") is MNIST
    with pytest.raises(ArgumentError, match="did you mean 'cifar10'"):
        find("cifar")


def test_where_data_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TINYCONV_DATA", raising=False)
    assert data_root() == Path("data")
    monkeypatch.setenv("TINYCONV_DATA", "there")
    assert data_root() == Path("there") and data_root("here") == Path("here")


def test_what_comes_with_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "find_spec", lambda name: None if name == "nilearn" else "there")
    assert not is_there(find("mni"), tmp_path) and is_there(find("digits"), tmp_path)
    monkeypatch.setattr(catalogue, "find_spec", lambda name: name)
    assert is_there(find("mni"), tmp_path)


def test_files_are_brought_once(server: WebServer, tmp_path: Path) -> None:
    entry = served(server, MNIST, one=b"1", two=b"22")
    assert not is_there(entry, tmp_path)
    assert get(entry, tmp_path, show=False) == tmp_path / "mnist"
    assert is_there(entry, tmp_path) and (tmp_path / "mnist" / "two").read_bytes() == b"22"
    get(entry, tmp_path, show=False)
    assert len(server.requests) == 2


def test_an_archive_is_unpacked_and_removed(server: WebServer, tmp_path: Path) -> None:
    content = make_tar(tmp_path / "tar", {"batches/test.bin": b"x"}).read_bytes()
    entry = served(server, CIFAR10, **{"a.tar.gz": content})
    folder = get(entry, tmp_path, show=False)
    assert folder == tmp_path / "cifar10" / "cifar-10-binary"
    assert (folder / "batches" / "test.bin").read_bytes() == b"x" and is_there(entry, tmp_path)
    assert [p.name for p in folder.parent.iterdir()] == ["cifar-10-binary"]
    get(entry, tmp_path, show=False)
    assert len(server.requests) == 1


def test_an_archive_that_is_none(server: WebServer, tmp_path: Path) -> None:
    entry = served(server, CIFAR10, **{"a.tar.gz": b"no archive"})
    with pytest.raises(DataError, match="damaged"):
        get(entry, tmp_path, show=False)
    assert not is_there(entry, tmp_path)
