"""Files that run code when they are unpickled, under every name that something reads: nothing runs."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

import tinyconv as tc
from tinyconv.data import CIFAR10, MNIST, ImageFolder, NucleiFolder, read_idx, read_image
from tinyconv.errors import TinyconvError
from tinyconv.io import load_state
from tinyconv.train.checkpoint import load_checkpoint
from tinyconv.train.folder import RunFolder


class Trap:
    """Unpickled, it makes a file."""

    def __init__(self, mark):
        self.mark = str(mark)

    def __reduce__(self):
        return Path.touch, (Path(self.mark),)


def numpy_file(trap):
    out = io.BytesIO()
    np.save(out, np.array([trap], object), allow_pickle=True)
    return out.getvalue()


def archive(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return out.getvalue()


def contents(trap):
    """What an attacker would send."""
    plain = {f"protocol {p}": pickle.dumps({"weight": trap}, p) for p in range(pickle.HIGHEST_PROTOCOL + 1)}
    return {
        **plain,
        "gzip": gzip.compress(plain["protocol 2"], mtime=0),
        "torch": archive({"a/data.pkl": plain["protocol 2"], "a/version": b"3"}),
        "old torch": b"".join(pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, {}, trap)),
        "npy": numpy_file(trap),
        "npz": archive({"weight.npy": numpy_file(trap)}),
    }


def name_of_numbers(folder, content):
    """A last.json that names the file."""
    numbers = folder / "last-000000000000.safetensors"
    numbers.write_bytes(content)
    fields = {key: {} for key in ("model_options", "optimizer", "position", "random_state", "scores")}
    sha = hashlib.sha256(content).hexdigest()
    described = {"format": "tinyconv checkpoint", "version": 1, "tinyconv": "0", "model_name": "x", **fields}
    described["numbers"] = {"file": numbers.name, "sha256": sha}
    (folder / "last.json").write_text(json.dumps(described))


def at(*names):
    """Write the content under these names."""

    def write(folder, content):
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)

    return write


WEIGHTS = [
    f"net.{end}" for end in ("safetensors", "pt", "pth", "pkl", "pickle", "ckpt", "bin", "npy", "npz", "json")
]
MNIST_FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
CIFAR_FILES = tuple(f"data_batch_{n}.bin" for n in range(1, 6))
READERS = {
    **{f"tc.load {name}": (at(name), lambda f, name=name: tc.load(f / name)) for name in WEIGHTS},
    **{f"load_state {name}": (at(name), lambda f, name=name: load_state(f / name)) for name in WEIGHTS},
    "last.json": (at("last.json"), lambda f: load_checkpoint(f, "last")),
    "last.safetensors": (name_of_numbers, lambda f: load_checkpoint(f, "last")),
    "config.json": (at("config.json"), RunFolder.open),
    "idx": (at("x"), lambda f: read_idx(f / "x")),
    "MNIST": (at(*MNIST_FILES), MNIST),
    "CIFAR-10": (at(*CIFAR_FILES), CIFAR10),
    "image": (at("x.png"), lambda f: read_image(f / "x.png")),
    "nuclei": (at("a/images/a.png", "a/masks/b.png"), lambda f: NucleiFolder(f)[0]),
    "classes": (at("a/x.png", "b/x.png"), lambda f: ImageFolder(f)[0]),
}


@pytest.mark.parametrize("reader", READERS)
def test_nothing_in_a_file_is_run(tmp_path, reader):
    write, read = READERS[reader]
    mark = tmp_path / "ran"
    for name, content in contents(Trap(mark)).items():
        folder = tmp_path / name.replace(" ", "_")
        folder.mkdir()
        write(folder, content)
        with pytest.raises(TinyconvError):
            read(folder)
        assert not mark.exists(), name


def test_an_onnx_file_too(tmp_path):
    pytest.importorskip("onnx")
    from tinyconv.io import onnx

    mark = tmp_path / "ran"
    for content in contents(Trap(mark)).values():
        (tmp_path / "net.onnx").write_bytes(content)
        with pytest.raises(TinyconvError):
            onnx.load(tmp_path / "net.onnx")
        assert not mark.exists()


def test_the_trap_works(tmp_path):
    mark = tmp_path / "ran"
    pickle.loads(pickle.dumps(Trap(mark)))  # noqa: S301 - it is our own
    assert mark.exists()
