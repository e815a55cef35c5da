"""`tinyconv train --tensorboard`: what TensorBoard reads is what the run wrote into metrics.jsonl."""

from __future__ import annotations

import numpy as np
import pytest

from tests.cli.command import TINY, metrics, tinyconv_command
from tinyconv.train import Trainer

events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")


def read(run):
    """By tag, the (step, value) pairs that TensorBoard's own reader finds."""
    found = events.EventAccumulator(str(run / "tensorboard"), {"tensors": 0})
    found.Reload()
    return {
        tag: [(event.step, event.tensor_proto.float_val[0]) for event in found.Tensors(tag)]
        for tag in found.Tags()["tensors"]
    }


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


def test_a_run_that_was_gone_on_with(tmp_path, monkeypatch):
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


def test_none_without_the_option(tmp_path):
    assert tinyconv_command(*COMMAND[:-1], "--steps", 1, "--run", tmp_path / "run").exit_code == 0
    assert not (tmp_path / "run" / "tensorboard").exists()
