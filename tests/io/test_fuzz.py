"""Weights files that are nearly right: read, or refused by a documented error; nothing else."""

from __future__ import annotations

import struct
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyconv as tc
from tests.fuzzing import as_json, damaged, edited, many_cases
from tests.io.test_pytorch_file import in_a_zip, tensor_of
from tinyconv.errors import CheckpointError
from tinyconv.io import load_state, save_state
from tinyconv.io.nested import rebuild

ENTRY = {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}
HEADERS = [
    {"__metadata__": {"note": "x"}, "w": ENTRY},
    {"w": ENTRY, "b": {"dtype": "I64", "shape": [], "data_offsets": [16, 24]}},
    {"w": ENTRY, "b": {"dtype": "F64", "shape": [0, 3], "data_offsets": [16, 16]}},
]
STRUCTURES = [
    {"dict": [["a", {"tensor": "0"}], ["b", {"list": [{"value": 3}, {"tuple": [{"array": "1"}]}]}]]},
    {"tuple": [{"value": None}, {"dict": [[3, {"value": 0.5}]]}]},
]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("weights") / "net.safetensors"


@pytest.fixture(scope="module")
def whole_files():
    """A plain file, one with a structure, and PyTorch's two kinds."""
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_state(folder / "a", {"w": np.ones((2, 3), np.float32), "n": np.array(3)}, {"note": "é"})
        tc.save({"epoch": 3, "net": {"w": tc.ones(2)}, "l": [1, None]}, folder / "b")
        in_a_zip(folder / "c", tensor_of((2, 2), (2, 1)), key0=bytes(16))
        return [(folder / kind).read_bytes() for kind in "abc"]


def loaded(path, content):
    """What `tc.load` returns, or None if it refuses."""
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*infinite somewhere")
        try:
            return tc.load(path, allow_nan=True)
        except CheckpointError as error:
            assert "net.safetensors" in str(error) or "header" in str(error)
            return None


@given(st.data())
@many_cases()
def test_damaged_files(path, whole_files, data):
    loaded(path, data.draw(damaged(whole_files)))


@given(edited(HEADERS), st.integers(0, 40))
@many_cases()
def test_headers_that_were_edited(path, header, length):
    text = as_json(header)
    content = struct.pack("<Q", len(text)) + text + bytes(length)
    state = loaded(path, content)
    if state is not None:
        assert sum(tensor.array.nbytes for tensor in state.values()) <= length
    try:
        load_state(path)
    except CheckpointError:
        assert state is None


@given(edited(STRUCTURES))
@many_cases()
def test_structures_that_were_edited(path, structure):
    arrays = {"0": np.ones(2), "1": np.zeros(1)}
    try:
        rebuild(arrays, as_json(structure).decode())
    except CheckpointError as error:
        assert "header" in str(error)
