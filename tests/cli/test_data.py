"""`tinyconv data` from end to end."""

from __future__ import annotations

import dataclasses
import hashlib

import numpy as np
import pytest

from tests.cli.command import refused, tinyconv_command
from tests.data.test_catalogue import served
from tests.data.test_check import save_volume
from tests.data.test_image_folder import save
from tests.data.web_server import WebServer
from tinyconv.commands import runs
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


def test_what_comes_with_a_package(tmp_path, monkeypatch):
    for there in (True, False):
        monkeypatch.setattr(catalogue, "find_spec", lambda name, there=there: name if there else None)
        lines = tinyconv_command("data", "list", "--root", tmp_path).stdout.splitlines()
        (mni,) = [line for line in lines if line.startswith("mni ")]
        assert mni.split()[1:4] == ["-", "-", "yes" if there else "no"] and "comes with nilearn" in mni
        done = tinyconv_command("data", "get", "mni")
        if there:
            assert done.exit_code == 0 and "nothing to download" in done.stdout
        else:
            refused(done, "nilearn", "pip install tinyconv[brain]")


@pytest.mark.parametrize("name", [e.name for e in catalogue.CATALOGUE.values() if not e.files])
def test_what_is_said_next_is_what_train_takes(tmp_path, monkeypatch, name):
    if name == "mni":
        pytest.importorskip("nilearn")
    done = tinyconv_command("data", "get", name)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("next:  tinyconv train ")]
    opened = []
    monkeypatch.setattr(runs, "open_data", lambda config: config)
    monkeypatch.setattr(runs, "run_session", lambda folder, data, resume: opened.append(data))
    done = tinyconv_command(*line.split()[2:], "--run", tmp_path / "run")
    assert done.exit_code == 0, (line, done.output, done.exception)
    assert [config.label for config in opened] == [name]


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


def test_check_volumes(tmp_path):
    for part, values in (("images", np.ones((4, 5, 6), np.float32)), ("masks", np.ones((4, 5, 6), np.uint8))):
        save_volume(tmp_path / part / "one.nii.gz", values)
    done = tinyconv_command("data", "check", tmp_path)
    assert done.exit_code == 0 and "all 1 items can be used" in done.stdout
    assert "volumes with masks: 1 items of 1 x 6 x 5 x 4" in done.stdout and "classes 1\n" in done.stdout
    (tmp_path / "masks" / "one.nii.gz").write_bytes(b"")
    done = tinyconv_command("data", "check", tmp_path)
    assert done.exit_code == 2 and "one.nii.gz" in done.stderr and "unusable in 1 of 1 items" in done.stderr


def test_help_says_what_is_known():
    said = tinyconv_command("data", "check", "--help").stdout
    for part in ("NIfTI", "mni", "MNIST", "masks"):
        assert part in said
