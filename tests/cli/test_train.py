"""`tinyconv train` from end to end, interrupted too, and every bad input."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tests.cli.command import ROOT, TINY, UNIX, metrics, numbers, refused, start, tinyconv_command
from tinyconv.data import DataLoader, split
from tinyconv.errors import TrainingError
from tinyconv.train import Trainer

LONG = "a" * 300


def test_a_run_writes_what_it_names(run):
    folder, output = run
    for name in ("curves.png", "samples.png", "held_out.json", "metrics.jsonl", "best.json", "last.json"):
        assert f"  {folder / name}\n" in output
    for name, height in (("curves.png", 300), ("samples.png", 500)):
        assert Image.open(folder / name).size[1] >= height
    lines = metrics(folder)
    steps = [line for line in lines if "loss" in line]
    assert [line["step"] for line in steps] == list(range(1, 13))
    assert [line["step"] for line in lines if "held_out_dice" in line] == [6, 12]
    assert steps[-1]["lr"] < steps[3]["lr"]
    assert np.mean([line["loss"] for line in steps[-3:]]) < np.mean([line["loss"] for line in steps[:3]])
    best = max(line["held_out_dice"] for line in lines if "held_out_dice" in line)
    assert f"best {best:.4f}" in output
    scored = json.loads((folder / "held_out.json").read_text())["images"]
    assert np.mean([image["dice"] for image in scored]) == pytest.approx(best)
    assert len(scored) == 2 and json.loads((folder / "config.json").read_text())["epochs"] == 4
    assert not list(folder.glob(".*tmp*"))


@UNIX
@pytest.mark.parametrize(("after", "threads"), [(4, 1), (6, 2)], ids=["within an epoch", "between epochs"])
def test_interrupted_and_resumed_is_the_same_run(run, tmp_path, after, threads):
    if threads > len(os.sched_getaffinity(0)):
        threads = 1
    folder = tmp_path / "cut run"
    script = f"""
import os, signal, sys
from tinyconv.train import records
count = records.Recorder.on_step
def on_step(self, trainer):
    count(self, trainer)
    if trainer.position.step == {after}:
        signal.raise_signal(signal.SIGINT)
records.Recorder.on_step = on_step
from tinyconv.cli import main
main()
"""
    arguments = ["train", "unet", *TINY, "--epochs", "4", "--threads", str(threads), "--run", str(folder)]
    first = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, cwd=ROOT
    )
    assert first.returncode == 130, first.stderr
    assert f"stopped after step {after} (epoch 2)" in first.stdout
    assert f'tinyconv train --resume "{folder}"' in first.stdout
    assert "Traceback" not in first.stderr
    assert numbers(folder)[2]["step"] == after
    if threads == 1:
        second = start("train", "unet", "--resume", folder, "--threads", threads)
        output, errors = second.communicate(timeout=300)
        assert second.returncode == 0, errors
    else:
        assert tinyconv_command("train", "unet", "--resume", folder).exit_code == 0
    assert numbers(folder) == numbers(run[0])
    assert numbers(folder, "best")[0] == numbers(run[0], "best")[0]
    assert metrics(folder) == metrics(run[0])
    assert (folder / "samples.png").exists()


@UNIX
def test_sigterm_from_outside_saves_too(tmp_path):
    process = start("train", *TINY, "--epochs", 500, "--run", tmp_path / "run")
    for line in process.stdout:
        if "step 1," in line:
            break
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 143 and "saved in" in output
    assert errors.strip().startswith("finishing the current step") and "Traceback" not in errors
    assert numbers(tmp_path / "run")[2]["step"] >= 1


@UNIX
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_process_and_its_worker_at_once(number, tmp_path):
    """As a terminal and a service manager send it."""
    process = start("train", *TINY, "--epochs", 500, "--run", tmp_path / "run", start_new_session=True)
    for line in process.stdout:
        if "step 1," in line:
            break
    os.killpg(process.pid, number)
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 128 + number and "saved in" in output
    assert errors.strip().startswith("finishing the current step") and "Traceback" not in errors
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_a_folder_of_images_of_any_size_and_colour(save_nuclei, tmp_path):
    arguments = ["--size", "32", "--batch-size", "2", "--steps", "2", "--run", tmp_path / "run"]
    done = tinyconv_command("train", "unet", "--data", save_nuclei(), *arguments)
    assert done.exit_code == 0, (done.output, done.exception)
    assert "stain: all" in done.stdout
    assert json.loads((tmp_path / "run" / "config.json").read_text())["images"] == 6


def test_a_mask_folder_without_masks(save_nuclei, tmp_path):
    root = save_nuclei()
    (root / "cell2" / "masks" / "one.png").unlink()
    done = tinyconv_command("train", "--data", root, "--run", tmp_path / "run")
    refused(done, "cell2", "without masks", "one PNG file per nucleus")
    assert not (tmp_path / "run").exists()


def test_a_truncated_image(save_nuclei, tmp_path):
    root = save_nuclei()
    for number in range(6):
        file = root / f"cell{number}" / "images" / f"cell{number}.png"
        os.truncate(file, file.stat().st_size - 20)
    done = tinyconv_command("train", "--data", root, "--size", "32", "--run", tmp_path / "run")
    refused(done, ".png", "damaged")


def test_an_empty_folder_and_none_at_all(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TINYCONV_DATA", raising=False)
    (tmp_path / "empty").mkdir()
    refused(tinyconv_command("train", "--data", tmp_path / "empty"), "empty", "images/*.png")
    refused(tinyconv_command("train", "--data", "nowhere"), "nowhere", "synthetic")
    refused(tinyconv_command("train", "--data", "nuclei"), "data/dsb2018", "BBBC038")


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["train", "alexnet"], "'alexnet'"),
        (["train", "--size", "33"], "multiple of 16"),
        (["train", "--lr", "-1"], "lr"),
        (["train", "--threads", "100000"], "num_threads"),
        (["train", "--data", LONG], "mni, or a folder"),
        (["train", "--run", LONG], "too long"),
        (["train", "--resume", LONG], "config.json"),
        (["predict", LONG, "x.png"], "RUN"),
        (["train", "--resume", "none"], "config.json"),
        (["train", "--resume", "none", "--lr", "0.1"], "--lr"),
        (["predict", "none", "x.png"], "RUN"),
        (["learn", "99"], "99"),
    ],
)
def test_bad_arguments(arguments, part, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused(tinyconv_command(*arguments), part)
    assert list(tmp_path.iterdir()) == []


def test_a_run_is_not_overwritten_unasked(run):
    before = numbers(run[0])
    refused(tinyconv_command("train", *TINY, "--run", run[0]), "--overwrite")
    assert numbers(run[0]) == before


def test_a_run_is_replaced_only_by_one_that_is_saved(copy, monkeypatch):
    before = numbers(copy)
    (copy / "lasting_notes.txt").write_text("mine")
    (copy / "best_masks").mkdir()

    def fail(trainer, batches):
        raise TrainingError("training step 1", "the loss", "not finite", "numbers")

    command = ["train", *TINY, "--steps", "1", "--run", copy, "--overwrite"]
    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "train_step", fail)
        refused(tinyconv_command(*command), "not finite")
    assert numbers(copy) == before
    assert (copy / "curves.png").exists() and not (copy / ".replaced").exists()
    assert tinyconv_command(*command).exit_code == 0
    assert numbers(copy)[2]["step"] == 1
    assert (copy / "lasting_notes.txt").read_text() == "mine" and (copy / "best_masks").is_dir()
    assert not (copy / ".replaced").exists() and len(list(copy.glob("*.safetensors"))) == 2


def test_a_held_out_file_that_is_damaged_is_found_before_training(save_nuclei, tmp_path):
    root = save_nuclei()
    (index,) = split(range(6), 0.2)[1]
    file = root / f"cell{index}" / "masks" / "one.png"
    os.truncate(file, file.stat().st_size // 2)
    command = ["train", "--data", root, "--size", "32", "--steps", "1", "--run", tmp_path / "run"]
    refused(tinyconv_command(*command), f"cell{index}", "damaged")
    assert not (tmp_path / "run").exists()


def test_what_was_trained_before_a_damaged_file_is_saved(save_nuclei, tmp_path):
    root = save_nuclei()
    *_, last = DataLoader(split(range(6), 0.2)[0], shuffle=True).iterate(0)
    file = root / f"cell{last.item()}" / "images" / f"cell{last.item()}.png"
    content = file.read_bytes()
    options = ["--data", root, "--size", "32", "--batch-size", "1", "--epochs", "2"]
    assert tinyconv_command("train", *options, "--run", tmp_path / "whole").exit_code == 0
    file.write_bytes(content[: len(content) // 2])
    done = tinyconv_command("train", *options, "--run", tmp_path / "cut")
    refused(done, file.name, "damaged")
    assert f"saved after step 4 in {tmp_path / 'cut'}" in done.stdout
    file.write_bytes(content)
    assert tinyconv_command("train", "--resume", tmp_path / "cut").exit_code == 0
    assert numbers(tmp_path / "cut") == numbers(tmp_path / "whole")
