"""A checkpoint that was cut or changed anywhere is refused, and never trained on."""

from __future__ import annotations

import random
import struct

import numpy as np
import pytest

from tinyconv.errors import CheckpointError, StorageError
from tinyconv.io import load_state
from tinyconv.train.checkpoint import Checkpoint, load_checkpoint, save_checkpoint, signed

ARRAYS = {
    "model.weight": np.arange(300, dtype=np.float32).reshape(3, 100),
    "model.bias": np.ones(3, np.float32),
    "optimizer.0.exp_avg": np.zeros((3, 100), np.float32),
}


@pytest.fixture
def saved(tmp_path):
    """A checkpoint's folder, its numbers and its description."""
    save_checkpoint(
        tmp_path, "last", Checkpoint("small", {}, ARRAYS, {"lr": 0.1}, {"step": 3}, {}, {"dice": 0.5})
    )
    (file,) = tmp_path.glob("last-*.safetensors")
    return tmp_path, file, tmp_path / "last.json"


def places(content):
    """Every byte of the header, and 100 others."""
    (length,) = struct.unpack("<Q", content[:8])
    begin = 8 + length
    assert 100 < length < 1000 < len(content)
    return [*range(begin + 1), *random.Random(0).sample(range(begin + 1, len(content)), 100)]


def test_cut_anywhere(saved):
    folder, file, _ = saved
    content = file.read_bytes()
    for place in places(content):
        file.write_bytes(content[:place])
        with pytest.raises(CheckpointError, match=r"last-\w+\.safetensors.*damaged or cut short"):
            load_checkpoint(folder, "last")
        with pytest.raises(CheckpointError, match="damaged or cut short"):
            load_state(file)


def test_a_bit_flipped_anywhere(saved):
    folder, file, _ = saved
    content, chance = file.read_bytes(), random.Random(1)
    for place in places(content):
        if place == len(content):
            continue
        changed = bytearray(content)
        changed[place] ^= 1 << chance.randrange(8)
        file.write_bytes(changed)
        with pytest.raises(CheckpointError, match="SHA-256"):
            load_checkpoint(folder, "last")


def test_a_description_that_is_cut_anywhere(saved):
    folder, _, described = saved
    content = described.read_bytes()
    whole = len(content.rstrip())
    for place in range(whole):
        described.write_bytes(content[:place])
        with pytest.raises(CheckpointError, match=r"last\.json"):
            load_checkpoint(folder, "last")
    described.write_bytes(content[:whole])
    assert load_checkpoint(folder, "last").scores == {"dice": 0.5}


def test_a_bit_flipped_anywhere_in_the_description(saved):
    """Each of its bits: it is refused, or (in the space between) says the same."""
    folder, _, described = saved
    content, before = described.read_bytes(), vars(load_checkpoint(folder, "last")) | {"tensors": None}
    accepted = 0
    for place in range(len(content)):
        for bit in range(8):
            changed = bytearray(content)
            changed[place] ^= 1 << bit
            described.write_bytes(changed)
            try:
                found = vars(load_checkpoint(folder, "last")) | {"tensors": None}
            except CheckpointError:
                continue
            assert found == before, (place, bit)
            accepted += 1
    assert accepted < 0.1 * 8 * len(content)


def test_the_signature_does_not_depend_on_order_or_spaces():
    assert signed({"b": 1, "a": {"y": 2.5, "x": None}}) == signed({"a": {"x": None, "y": 2.5}, "b": 1})
    assert signed(signed({"a": 1})) == signed({"a": 1}) != signed({"a": 2})


def test_a_folder_that_cannot_be_written_to(saved, monkeypatch):
    """Permissions do not stop root, so the refusal is the system call's."""
    folder, *_ = saved
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    real = open

    def refuse(path, mode="r", *args, **options):
        if "w" in mode:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, mode, *args, **options)

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(StorageError, match="Permission denied"):
        save_checkpoint(folder, "last", Checkpoint("small", {}, {"model.weight": np.ones(2)}))
    monkeypatch.undo()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
