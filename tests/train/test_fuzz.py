"""Run folders whose JSON is nearly right: read, or refused by a documented error; nothing else."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyconv as tc
from tests.fuzzing import as_json, damaged, edited, many_cases
from tests.train.configs import make_config
from tinyconv import nn, optim
from tinyconv.data import DataLoader
from tinyconv.errors import CheckpointError
from tinyconv.train import EarlyStopping, Trainer
from tinyconv.train.checkpoint import signed
from tinyconv.train.folder import Metrics, RunFolder
from tinyconv.train.records import Recorder
from tinyconv.train.resume import go_back, load_last


def make_trainer():
    tc.manual_seed(0)
    model = nn.Linear(2, 1)
    items = [(np.ones(2, np.float32), np.ones(1, np.float32))] * 4
    options = {"validate": lambda: {"held_out_dice": 0.5}, "callbacks": [EarlyStopping("held_out_dice")]}
    optimizer = optim.Adam(model.parameters())
    return Trainer(model, optimizer, nn.functional.mse_loss, DataLoader(items, 2), 2, **options)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run; what its JSON files hold."""
    config = make_config("unet", "synthetic", None, quick=True)
    folder = RunFolder.create(tmp_path_factory.mktemp("runs") / "run", config)
    folder.start()
    trainer = make_trainer()
    trainer.callbacks.append(Recorder(folder, config.model, {}, {}))
    trainer.fit()
    return folder, [json.loads((folder.path / f"{name}.json").read_text()) for name in ("config", "last")]


def attempt(folder):
    """Go on with the run, as far as that goes."""
    try:
        opened = RunFolder.open(folder.path)
        checkpoint = load_last(opened, "dice")
        trainer = make_trainer()
        go_back(checkpoint, trainer)
    except CheckpointError:
        return
    assert all(np.isfinite(p.data.numpy()).all() for p in trainer.model.parameters())
    assert 0 <= trainer.position.batch <= len(trainer.loader)


@given(st.data())
@many_cases()
def test_checkpoints_that_were_edited(run, data):
    folder, (config, last) = run
    folder.write_json("config.json", config)
    new = data.draw(edited([last]))
    (folder.path / "last.json").write_bytes(as_json(signed(new) if isinstance(new, dict) else new))
    attempt(folder)


@given(st.data())
@many_cases()
def test_options_that_were_edited(run, data):
    folder, (config, last) = run
    folder.write_json("last.json", last)
    (folder.path / "config.json").write_bytes(as_json(data.draw(edited([config]))))
    attempt(folder)


@given(st.data())
@many_cases()
def test_damaged_json(run, data):
    folder, both = run
    for name, content in zip(("config", "last"), both, strict=True):
        (folder.path / f"{name}.json").write_bytes(data.draw(damaged([json.dumps(content).encode()])))
    attempt(folder)


@given(damaged([b'{"step": 1, "loss": 0.5}\n{"step": 2, "held_out_dice": 0.5}\n' * 2]), st.integers(-1, 3))
@many_cases()
def test_damaged_metrics(run, content, step):
    folder, _ = run
    path = folder.path / "metrics.jsonl"
    path.write_bytes(content)
    metrics = Metrics(path)
    lines = metrics.read()
    metrics.cut_after(step, step)
    kept = metrics.read()
    assert len(kept) <= len(lines) and all(line["step"] <= step for line in kept)
