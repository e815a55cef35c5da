"""`tinyconv data` from end to end."""

from __future__ import annotations

import dataclasses
import hashlib

import numpy as np
import pytest

from tests.cli.command import refused, tinyconv_command
from tests.data.test_catalogue import served
from tests.data.test_image_folder import save
from tests.data.web_server import WebServer
from tinyconv.data import catalogue
from tinyconv.data.download import RemoteFile
from tinyconv.models import published


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = WebServer()
    monkeypatch.setitem(catalogue.CATALOGUE, "mnist", served(server, catalogue.MNIST, one=b"1" * 1500))
    yield server
    server.close()


def test_list(server, tmp_path, monkeypatch):
    monkeypatch.setenv("TINYCONV_DATA", str(tmp_path))
    lines = tinyconv_command("data", "list").stdout.splitlines()
    (mnist,) = [line for line in lines if line.startswith("mnist ")]
    assert mnist.split()[1:5] == ["1.5", "kB", "sha256", "no"]
    (digits,) = [line for line in lines if line.startswith("digits ")]
    assert digits.split()[1:4] == ["-", "-", "yes"]
    assert tinyconv_command("data", "get", "mnist").exit_code == 0
    lines = tinyconv_command("data", "list").stdout.splitlines()
    assert next(line for line in lines if line.startswith("mnist ")).split()[4] == "yes"


def test_get(server, tmp_path):
    done = tinyconv_command("data", "get", "mnist", "--to", tmp_path)
    assert done.exit_code == 0 and (tmp_path / "mnist" / "one").read_bytes() == b"1" * 1500
    assert done.stderr == "downloading one (1.5 kB)\n"
    assert f'tinyconv train lenet5 --data mnist --data-dir "{tmp_path / "mnist"}"' in done.stdout
    done = tinyconv_command("data", "get", "digits")
    assert done.exit_code == 0 and "nothing to download" in done.stdout


def test_get_what_is_not_there(server, tmp_path, monkeypatch):
    refused(tinyconv_command("data", "get", "mnits"), "'mnits'", "did you mean 'mnist'")
    wrong = dataclasses.replace(catalogue.MNIST, files=(RemoteFile("x", (server.url + "x",)),))
    monkeypatch.setitem(catalogue.CATALOGUE, "mnist", wrong)
    done = tinyconv_command("data", "get", "mnist", "--to", tmp_path)
    assert done.exit_code == 2 and "error: download: " in done.stderr and "404" in done.stderr


def test_weights(server, tmp_path, monkeypatch):
    content = b"weights"
    name = f"vgg16-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    server.files[name] = content
    monkeypatch.setattr(published, "HOST", server.url)
    monkeypatch.setitem(published.FILES, "vgg16", {"IMAGENET1K_V1": name})
    line = f"vgg16          IMAGENET1K_V1  {name[6:14]}… %-5s  {name}"
    assert line % "no" in tinyconv_command("data", "list", "--root", tmp_path).stdout.splitlines()
    done = tinyconv_command("data", "get", "vgg16", "--to", tmp_path)
    path = tmp_path / "weights" / name
    assert done.exit_code == 0 and path.read_bytes() == content
    assert f"vgg16: IMAGENET1K_V1 is in {path}\n" in done.stdout
    assert done.stdout.endswith(f'next:  models.create("vgg16", weights="{path}")  in Python\n')
    assert line % "yes" in tinyconv_command("data", "list", "--root", tmp_path).stdout.splitlines()
    server.files[name] = content + b"?"
    path.unlink()
    done = tinyconv_command("data", "get", "vgg16", "--to", tmp_path)
    assert done.exit_code == 2 and f"expected sha256 {name[6:14]}…" in done.stderr and not path.exists()
    refused(tinyconv_command("data", "get", "vgg61"), "did you mean 'vgg1")


def test_check(tmp_path):
    for name in ("a", "b"):
        save(tmp_path / name / "1.png", np.zeros((5, 4)))
    done = tinyconv_command("data", "check", tmp_path)
    assert done.exit_code == 0 and "all 2 items can be used" in done.stdout
    for number in range(25):
        (tmp_path / "a" / f"bad{number}.png").write_bytes(b"")
    done = tinyconv_command("data", "check", tmp_path)
    lines = done.stderr.splitlines()
    assert done.exit_code == 2 and len(lines) == 22
    assert "bad0.png' is empty (0 bytes)" in lines[0] and lines[20] == "bad: 5 more"
    assert "unusable in 25 of 27 items" in lines[21]
    refused(tinyconv_command("data", "check", tmp_path / "gone"), "gone")
