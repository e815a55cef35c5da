"""Options of a step on the command line and in a file, and that runs which have them go on exactly."""

from __future__ import annotations

import json

import pytest

from tests.cli.command import TINY, metrics, numbers, refused, tinyconv_command
from tinyconv.train import Trainer
from tinyconv.train.folder import RunFolder

SMALL = ["train", "unet_bn", "--widths", "2,4"]
OPTIONS = ["--accumulate", "2", "--clip-norm", "0.5", "--ema", "0.9", "--patience", "9"]


def test_a_run_with_all_of_them_goes_on_exactly(tmp_path, monkeypatch):
    command = [*SMALL, *TINY, *OPTIONS, "--epochs", 4]
    assert tinyconv_command(*command, "--run", tmp_path / "whole").exit_code == 0
    real = Trainer.train_step

    def stop_after_five(trainer, batches):
        real(trainer, batches)
        if trainer.position.step == 4:
            trainer.stop(15)

    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "train_step", stop_after_five)
        assert tinyconv_command(*command, "--run", tmp_path / "cut").exit_code == 128 + 15
    done = tinyconv_command("train", "--resume", tmp_path / "cut")
    assert done.exit_code == 0, (done.output, done.exception)
    for name in ("last", "best"):
        assert numbers(tmp_path / "cut", name) == numbers(tmp_path / "whole", name)
    assert metrics(tmp_path / "cut") == metrics(tmp_path / "whole")
    steps = [line for line in metrics(tmp_path / "cut") if "loss" in line]
    assert len(steps) == 4 * 2 and all(line["gradient_norm"] > 0 for line in steps)


def test_a_file_sets_what_the_command_line_does_not(tmp_path):
    path = tmp_path / "options.toml"
    path.write_text(
        'images = 8\nsize = 32\nbatch-size = 2\nsteps = 9\nheld_out = 0.25\non-not-finite = "skip"\n'
    )
    done = tinyconv_command(*SMALL, "--config", path, "--steps", 1, "--run", tmp_path / "run")
    assert done.exit_code == 0, (done.output, done.exception)
    config = RunFolder.open(tmp_path / "run").config
    assert (config.size, config.batch_size, config.steps, config.on_not_finite) == (32, 2, 1, "skip")


@pytest.mark.parametrize("content", ["size = 'large'", "epoch = 3", "size", "accumulate = 0", "dims = 2.0"])
def test_a_file_that_makes_no_sense(tmp_path, content):
    (tmp_path / "o.toml").write_text(content)
    refused(tinyconv_command("train", "--config", tmp_path / "o.toml", "--run", tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_a_run_keeps_its_options(run):
    for option in OPTIONS[::2]:
        refused(tinyconv_command("train", "--resume", run[0], option, 1), option)
    refused(tinyconv_command("train", "--resume", run[0], "--config", "x.toml"), "--config")


@pytest.mark.parametrize("ending", ["stop", "skip"])
def test_a_loss_that_is_not_finite(tmp_path, monkeypatch, ending):
    """Every second batch is one; the op is named, and the batch is in the folder."""
    from tinyconv.train.mask_loss import MaskLoss

    real, calls = MaskLoss.__call__, iter(range(1000))

    def broken(self, output, target):
        loss = real(self, output, target)
        bad = output.requires_grad and next(calls) == 1
        return (loss - loss).log() if bad else loss

    monkeypatch.setattr(MaskLoss, "__call__", broken)
    command = [*SMALL, *TINY, "--steps", 3, "--on-not-finite", ending, "--run", tmp_path / "run"]
    done = tinyconv_command(*command)
    assert (tmp_path / "run" / "bad_batch.safetensors").exists()
    if ending == "stop":
        refused(done, "training step 2", "the loss is not finite")
    else:
        assert done.exit_code == 0, (done.output, done.exception)
        assert json.loads((tmp_path / "run" / "last.json").read_text())["position"]["skipped"] == 1
        assert "not finite: training step 2" in done.stdout
