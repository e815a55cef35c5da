from __future__ import annotations

import errno
import json
import os

import numpy as np
import pytest

import tinyconv as tc
from tests.gpu import to_host
from tinyconv import optim
from tinyconv.errors import CheckpointError, StorageError
from tinyconv.train import checkpoint as module
from tinyconv.train.checkpoint import (
    Checkpoint,
    load_checkpoint,
    optimizer_state,
    restore,
    save_checkpoint,
    signed,
)


def checkpoint_of(trainer) -> Checkpoint:
    arrays, optimizer = optimizer_state(trainer.optimizer)
    state = {f"model.{name}": t.data.numpy() for name, t in trainer.model.state_dict().items()}
    return Checkpoint("small", {}, state | arrays, optimizer, {"step": 3}, tc.get_rng_state(), {"dice": 0.5})


@pytest.fixture
def trained(make_trainer):
    trainer = make_trainer(steps=5)
    trainer.fit()
    return trainer


def test_there_and_back(tmp_path, trained, make_trainer, weights_of):
    save_checkpoint(tmp_path, "last", checkpoint_of(trained))
    random_state = tc.get_rng_state()
    other = make_trainer()
    read = load_checkpoint(tmp_path, "last")
    restore(read, other.model, other.optimizer)
    assert weights_of(other) == weights_of(trained)
    assert other.optimizer.param_groups[0]["lr"] == trained.optimizer.param_groups[0]["lr"]
    assert read.random_state == random_state and read.random_state["masks_drawn"] == 5
    assert (read.position, read.scores, read.model_name) == ({"step": 3}, {"dice": 0.5}, "small")


def test_sgd_with_momentum_too(tmp_path, trained, make_trainer):
    optimizer = optim.SGD(trained.model.parameters(), lr=0.1, momentum=0.9)
    optimizer.step()
    trained.optimizer = optimizer
    save_checkpoint(tmp_path, "last", checkpoint_of(trained))
    other = make_trainer()
    again = optim.SGD(other.model.parameters(), lr=0.1, momentum=0.9)
    restore(load_checkpoint(tmp_path, "last"), other.model, again)
    states = again.state_dict()["state"], optimizer.state_dict()["state"]
    assert states[0].keys() == states[1].keys() != set()
    for index, entry in states[1].items():
        restored, saved = (to_host(one["momentum_buffer"]) for one in (states[0][index], entry))
        np.testing.assert_array_equal(restored, saved)


def test_an_earlier_checkpoint_is_replaced_and_cleared_away(tmp_path, trained):
    (tmp_path / "last-layer.safetensors").write_text("mine")
    for value in (1.0, 2.0, 2.0):
        trained.model.state_dict()["layers.0.bias"].fill_(value)
        save_checkpoint(tmp_path, "last", checkpoint_of(trained))
    save_checkpoint(tmp_path, "best", checkpoint_of(trained))
    names = sorted(path.name.partition("-")[0] for path in tmp_path.iterdir())
    assert names == ["best", "best.json", "last", "last", "last.json"]
    assert (tmp_path / "last-layer.safetensors").read_text() == "mine"
    assert load_checkpoint(tmp_path, "last").model_state["layers.0.bias"][0] == 2.0


@pytest.mark.parametrize("fails", ["numbers", "rename", "json"])
def test_a_full_disk_at_any_moment_leaves_the_earlier_checkpoint(tmp_path, trained, monkeypatch, fails):
    save_checkpoint(tmp_path, "last", checkpoint_of(trained))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    trained.model.state_dict()["layers.0.bias"].fill_(9.0)
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def refuse(*args, **options):
        raise full if fails == "rename" else StorageError("save", "x", "not written (No space left)", "room")

    monkeypatch.setattr(*{
        "numbers": (module, "save_state"), "rename": (module.os, "replace"), "json": (module, "write_whole"),
    }[fails], refuse)  # fmt: skip
    if fails == "rename":  # only that of the numbers: io.write_whole renames too
        real = os.rename
        monkeypatch.setattr(
            module.os, "replace", lambda a, b: real(a, b) if str(a).endswith(".tmp") else refuse()
        )
    with pytest.raises(StorageError, match="No space left"):
        save_checkpoint(tmp_path, "last", checkpoint_of(trained))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    monkeypatch.undo()
    assert load_checkpoint(tmp_path, "last").model_state["layers.0.bias"][0] != 9.0


def test_a_crash_between_the_two_files_leaves_the_earlier_pair(tmp_path, trained, monkeypatch):
    save_checkpoint(tmp_path, "last", checkpoint_of(trained))
    trained.model.state_dict()["layers.0.bias"].fill_(9.0)

    class PowerCut(BaseException):
        pass

    def cut(*args):
        raise PowerCut

    monkeypatch.setattr(module, "write_whole", cut)
    with pytest.raises(PowerCut):
        save_checkpoint(tmp_path, "last", checkpoint_of(trained))
    monkeypatch.undo()
    assert len(list(tmp_path.glob("last-*.safetensors"))) == 2
    assert load_checkpoint(tmp_path, "last").model_state["layers.0.bias"][0] != 9.0
    save_checkpoint(tmp_path, "last", checkpoint_of(trained))
    assert len(list(tmp_path.glob("last-*.safetensors"))) == 1
    assert load_checkpoint(tmp_path, "last").model_state["layers.0.bias"][0] == 9.0


def halve(path):
    os.truncate(path, path.stat().st_size // 2)


def test_damage_is_refused_and_named(tmp_path, trained):
    save_checkpoint(tmp_path, "last", checkpoint_of(trained))
    numbers, described = next(tmp_path.glob("last-*.safetensors")), tmp_path / "last.json"
    content, text = numbers.read_bytes(), described.read_text()

    halve(numbers)
    with pytest.raises(CheckpointError, match=r"last-\w+\.safetensors.*cut short"):
        load_checkpoint(tmp_path, "last")
    numbers.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(CheckpointError, match="SHA-256"):
        load_checkpoint(tmp_path, "last")
    numbers.unlink()
    with pytest.raises(CheckpointError, match="missing"):
        load_checkpoint(tmp_path, "last")
    numbers.write_bytes(content)
    halve(described)
    with pytest.raises(CheckpointError, match=r"last\.json.*damaged"):
        load_checkpoint(tmp_path, "last")
    described.unlink()
    with pytest.raises(CheckpointError, match="unreadable"):
        load_checkpoint(tmp_path, "last")
    described.write_text(text)
    assert load_checkpoint(tmp_path, "last").model_name == "small"


@pytest.mark.parametrize(
    "change",
    [
        {"version": 99},
        {"format": "something"},
        {"model_name": 3},
        {"position": []},
        {"numbers": {}},
        {"numbers": {"file": "last.json", "sha256": 3}},
        {"numbers": {"file": "../outside", "sha256": "0"}},
        {"more": 1},
    ],
)
def test_json_that_does_not_fit_is_refused(tmp_path, trained, change):
    save_checkpoint(tmp_path, "last", checkpoint_of(trained))
    path = tmp_path / "last.json"
    path.write_text(json.dumps(signed(json.loads(path.read_text()) | change)))
    with pytest.raises(CheckpointError):
        load_checkpoint(tmp_path, "last")


@pytest.mark.parametrize("content", [b"[]", b"3", b"null", b"\xff\xfe", b'{"a":' * 100_000])
def test_json_of_another_kind_is_refused(tmp_path, content):
    (tmp_path / "last.json").write_bytes(content)
    with pytest.raises(CheckpointError, match="damaged"):
        load_checkpoint(tmp_path, "last")


def test_another_model_or_optimiser_is_refused(tmp_path, trained, make_trainer):
    save_checkpoint(tmp_path, "last", checkpoint_of(trained))
    read, other = load_checkpoint(tmp_path, "last"), make_trainer()
    with pytest.raises(CheckpointError, match=r"optimizer is 'Adam', expected 'SGD'"):
        restore(read, other.model, optim.SGD(other.model.parameters()))
    wider = tc.nn.Sequential(tc.nn.Linear(4, 9))
    with pytest.raises(CheckpointError, match=r"missing \[0\.weight"):
        restore(read, wider, optim.Adam(wider.parameters()))
    read.optimizer["state"] = {"77": {}}
    with pytest.raises(CheckpointError, match="the state is of parameter 77"):
        restore(read, other.model, other.optimizer)
