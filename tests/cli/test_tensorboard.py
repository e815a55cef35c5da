"""`tinyconv train --tensorboard`: what TensorBoard reads is what the run wrote into metrics.jsonl."""

from __future__ import annotations

import time
from types import SimpleNamespace

import numpy as np
import pytest

from tests.cli.command import TINY, metrics, tinyconv_command
from tinyconv.train import TensorBoard, Trainer
from tinyconv.train.records import Recorder

events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
event_file_writer = pytest.importorskip("tensorboard.summary.writer.event_file_writer")
plugins = pytest.importorskip("tensorboard.backend.event_processing.plugin_event_accumulator")


@pytest.fixture
def boards(monkeypatch):
    """The callbacks that were made, each a second later: the seconds are the order of event files."""
    made, real = [], TensorBoard.__init__
    later = SimpleNamespace(time=lambda: time.time() + len(made))
    monkeypatch.setattr(event_file_writer, "time", later)

    def watched(board, *arguments):
        real(board, *arguments)
        made.append(board)

    monkeypatch.setattr(TensorBoard, "__init__", watched)
    return made


def read(run):
    """By tag, the (step, value) pairs that TensorBoard's readers find, the one for scripts and its own."""
    found = events.EventAccumulator(str(run / "tensorboard"), {"scalars": 0})
    own = plugins.EventAccumulator(str(run / "tensorboard"), {"tensors": 0}, {"scalars": 0})
    for reader in (found, own):
        reader.Reload()
    tags = found.Tags()["scalars"]
    assert set(tags) == set(own.Tags()["tensors"])
    for tag in tags:
        assert [event.step for event in found.Scalars(tag)] == [event.step for event in own.Tensors(tag)]
    return {tag: [(event.step, event.value) for event in found.Scalars(tag)] for tag in tags}


def expected(run, key):
    """The same of metrics.jsonl, in float32, as event files hold it."""
    return [(line["step"], float(np.float32(line[key]))) for line in metrics(run) if key in line]


def check(run, steps):
    found = read(run)
    names = {
        "loss": "training/loss",
        "lr": "training/learning_rate",
        "gradient_norm": "training/gradient_norm",
    }
    names |= {f"held_out_{part}": f"validation/held_out_{part}" for part in ("loss", "dice", "iou")}
    for key, tag in names.items():
        assert found[tag] == expected(run, key), tag
    assert [step for step, _ in found["training/loss"]] == steps
    assert len({value for _, value in found["training/learning_rate"]}) > 1


COMMAND = ["train", "unet_bn", "--widths", "2,4", *TINY, "--epochs", 4, "--clip-norm", 1, "--tensorboard"]


def test_a_run(tmp_path):
    assert tinyconv_command(*COMMAND, "--run", tmp_path / "run").exit_code == 0
    check(tmp_path / "run", list(range(1, 13)))


def test_a_run_that_was_gone_on_with(tmp_path, monkeypatch, boards):
    """The reader joins the files of both sessions."""
    real = Trainer.train_step

    def stop_after_five(trainer, batches):
        real(trainer, batches)
        if trainer.position.step == 4:
            trainer.stop(15)

    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "train_step", stop_after_five)
        assert tinyconv_command(*COMMAND, "--run", tmp_path / "run").exit_code == 128 + 15
    assert [step for step, _ in read(tmp_path / "run")["training/loss"]] == [1, 2, 3, 4, 5]
    assert tinyconv_command("train", "--resume", tmp_path / "run").exit_code == 0
    check(tmp_path / "run", list(range(1, 13)))


def test_a_run_in_the_place_of_another(tmp_path, boards):
    command = [*COMMAND, "--run", tmp_path / "run"]
    assert tinyconv_command(*command).exit_code == 0
    assert tinyconv_command(*command, "--seed", 1, "--overwrite", "--steps", 5).exit_code == 0
    check(tmp_path / "run", [1, 2, 3, 4, 5])


@pytest.mark.parametrize("kill_at", ["step", "validation", "save"])
def test_a_run_that_was_killed(tmp_path, monkeypatch, kill_at, boards):
    """What came after the last save is in the event files twice, and read once."""

    class Killed(BaseException):
        pass

    real_step, real_end = Trainer.train_step, Recorder.on_epoch_end

    def step(trainer, batches):
        if kill_at == "step" and trainer.position.step == 8:
            raise Killed
        real_step(trainer, batches)

    def end(recorder, trainer):
        if kill_at == "validation" and trainer.position.step == 12:
            raise Killed
        real_end(recorder, trainer)
        if kill_at == "save" and trainer.position.step == 6:
            recorder._save(trainer)
            raise Killed

    def save_at_5_and_12(recorder, trainer):
        if trainer.position.step in (5, 12):
            recorder._save(trainer)

    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "train_step", step)
        patched.setattr(Recorder, "on_epoch_end", end)
        patched.setattr(Recorder, "_save_if_due", save_at_5_and_12)
        with pytest.raises(Killed):
            tinyconv_command(*COMMAND, "--run", tmp_path / "run")
    boards[-1]._writer.flush()  # as much as a killed process can have written
    assert tinyconv_command("train", "--resume", tmp_path / "run").exit_code == 0
    check(tmp_path / "run", list(range(1, 13)))


def test_none_without_the_option(tmp_path):
    assert tinyconv_command(*COMMAND[:-1], "--steps", 1, "--run", tmp_path / "run").exit_code == 0
    assert not (tmp_path / "run" / "tensorboard").exists()
