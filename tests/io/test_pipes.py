"""A pipe in the place of a file: no reader waits for it, no writer replaces it by a file."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import numpy as np
import pytest

import tinyconv as tc
from tinyconv.data import read_idx, read_image, read_nifti
from tinyconv.errors import StorageError, TinyconvError
from tinyconv.io import load_state
from tinyconv.train.fields import read_json

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "x.nii"
    os.mkfifo(path)
    return path


READERS = {
    "load": tc.load,
    "load_state": load_state,
    "read_idx": read_idx,
    "read_image": read_image,
    "read_json": lambda path: read_json(path, 100, "options"),
}


@pytest.mark.parametrize("name", READERS)
def test_a_reader_does_not_wait(pipe: Path, name: str) -> None:
    with pytest.raises(TinyconvError, match="not a file"):
        READERS[name](pipe)


def test_nor_does_that_of_volumes(pipe: Path) -> None:
    pytest.importorskip("nibabel")
    with pytest.raises(TinyconvError, match="not a file"):
        read_nifti(pipe)


def test_it_is_not_replaced(pipe: Path) -> None:
    with pytest.raises(StorageError, match="a device or a pipe"):
        tc.save({"x": np.ones(2)}, pipe)
    assert stat.S_ISFIFO(os.stat(pipe).st_mode) and [file.name for file in pipe.parent.iterdir()] == ["x.nii"]
