"""The command from end to end: train, interrupt, resume, predict, and every bad input."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import tinyconv
from tinyconv.cli import app
from tinyconv.io import load_state
from tinyconv.train.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from tinyconv.train.folder import METRICS, Metrics

ROOT = Path(__file__).parents[1]
TINY = ["--images", "8", "--size", "32", "--batch-size", "2", "--held-out", "0.25", "--validate-every", "2"]
UNIX = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits of Unix")


def tinyconv_command(*arguments):
    """Run the command in this process."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def start(*arguments, **options):
    """Start the command in a process of its own."""
    command = [sys.executable, "-m", "tinyconv", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def refused(done, *parts):
    """Whether a command said what was wrong in one line, with exit status 2 and no traceback."""
    assert done.exit_code == 2, (done.output, done.exception)
    assert done.exception is None or isinstance(done.exception, SystemExit)
    (line,) = [line for line in done.stderr.splitlines() if line]
    assert line.startswith("error: ") and "expected" in line
    for part in parts:
        assert part in line, (part, line)


def numbers(run, name="last"):
    """All that a checkpoint holds but the clock."""
    checkpoint = load_checkpoint(Path(run), name)
    position = {key: value for key, value in checkpoint.position.items() if "seconds" not in key}
    tensors = {key: array.tobytes() for key, array in checkpoint.tensors.items()}
    return tensors, checkpoint.optimizer, position, checkpoint.random_state, checkpoint.scores


def metrics(run):
    return [
        {key: value for key, value in line.items() if key != "seconds"}
        for line in Metrics(Path(run) / METRICS).read()
    ]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run: 4 epochs of 3 batches."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    done = tinyconv_command("train", "unet", *TINY, "--epochs", 4, "--run", folder)
    assert done.exit_code == 0, done.output
    return folder, done.output


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
        os.kill(os.getpid(), signal.SIGINT)
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


def test_a_finished_run_has_nothing_left_to_do(run):
    before = numbers(run[0])
    done = tinyconv_command("train", "--resume", run[0])
    assert done.exit_code == 0 and "wrote" in done.stdout
    assert numbers(run[0]) == before


def test_predict_writes_masks_and_overlays(run, tmp_path):
    for name, size in (("wide", (70, 41)), ("small", (9, 5))):
        Image.fromarray(np.random.default_rng(0).integers(0, 255, size, np.uint8)).save(
            tmp_path / f"{name}.png"
        )
    done = tinyconv_command(
        "predict", run[0], tmp_path / "wide.png", tmp_path / "small.png", "--out", tmp_path / "o"
    )
    assert done.exit_code == 0, done.output
    assert np.asarray(Image.open(tmp_path / "o" / "wide_mask.png")).shape == (70, 41)
    assert np.asarray(Image.open(tmp_path / "o" / "small_overlay.png")).shape == (9, 5, 3)
    assert "wide.png: " in done.stdout and f"for 2 images into {tmp_path / 'o'}" in done.stdout


def test_predict_reports_bad_images_and_does_the_others(run, tmp_path):
    Image.new("L", (30, 20)).save(tmp_path / "good.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "good.png").read_bytes()[:50])
    done = tinyconv_command(
        "predict", run[0], tmp_path / "cut.png", tmp_path / "good.png", "--out", tmp_path / "o"
    )
    assert done.exit_code == 2
    assert "cut.png" in done.stderr and "1 of 2 images" in done.stderr and "Traceback" not in done.output
    assert (tmp_path / "o" / "good_mask.png").exists()


@pytest.fixture
def copy(run, tmp_path):
    """A copy of the finished run, to be damaged."""
    return Path(shutil.copytree(run[0], tmp_path / "copy"))


def test_a_checkpoint_cut_in_half(copy):
    for name in ("last", "best"):
        (file,) = copy.glob(f"{name}-*.safetensors")
        os.truncate(file, file.stat().st_size // 2)
        command = ("train", "--resume", copy) if name == "last" else ("predict", copy, "x.png")
        refused(tinyconv_command(*command), file.name, "cut short")


def test_a_checkpoint_of_another_model(copy):
    path = copy / "last.json"
    text = path.read_text()
    path.write_text(text.replace('"unet_slides"', '"lenet5"'))
    refused(tinyconv_command("train", "--resume", copy), "'lenet5'", "'unet_slides'")
    described = json.loads(text)
    tensors, _ = load_state(copy / described["numbers"]["file"])
    tensors["model.head.weight"] = np.zeros((2, 16, 1, 1), np.float32)
    fields = {key: described[key] for key in ("optimizer", "position", "random_state", "scores")}
    save_checkpoint(copy, "last", Checkpoint("unet_slides", {}, tensors, **fields))
    refused(tinyconv_command("train", "--resume", copy), "head.weight", "(1, 16, 1, 1)")


def test_data_of_a_resumed_run_that_changed(copy, save_nuclei):
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"data": str(save_nuclei(3)), "images": 5}))
    refused(tinyconv_command("train", "--resume", copy), "3 images", "the 5")


@UNIX
def test_a_full_disk_while_saving_leaves_the_earlier_checkpoint(copy):
    """A limit of the file size stands for the disk: the 23 MB of the last checkpoint do not fit."""
    before = numbers(copy)
    path = copy / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"epochs": 5}))
    script = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000_000, 20_000_000))\n"
        "from tinyconv.cli import main; main()"
    )
    command = [sys.executable, "-c", script, "train", "--resume", str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2, done.stderr
    assert "not written (File too large)" in done.stderr and "Traceback" not in done.stderr
    assert numbers(copy) == before
    assert not list(copy.glob(".*tmp*"))


@pytest.fixture
def save_nuclei(tmp_path):
    """A function that makes a folder in the Kaggle layout: colour, opacity, and sizes that differ."""

    def make(count=6):
        root = tmp_path / "cells"
        for number in range(count):
            folder = root / f"cell{number}"
            for name in ("images", "masks"):
                (folder / name).mkdir(parents=True)
            height, width = 30 + 7 * number, 50 - 5 * number
            mask = np.zeros((height, width), np.uint8)
            mask[5:15, 5 + number : 15 + number] = 255
            grey = mask // 2 + 20
            opaque = np.full_like(grey, 255)
            colours = [grey, grey // (1 + number % 2), grey, opaque]
            image = np.dstack(colours) if number % 3 else grey
            Image.fromarray(image).save(folder / "images" / f"cell{number}.png")
            Image.fromarray(mask).save(folder / "masks" / "one.png")
        return root

    return make


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


def test_version_help_models_and_lessons():
    assert tinyconv_command("--version").stdout == f"tinyconv {tinyconv.__version__}\n"
    for command, example in (([], "learn 04"), (["train"], "--minutes 15"), (["predict"], "--out masks")):
        done = tinyconv_command(*command, "--help")
        assert done.exit_code == 0 and example in done.stdout
    assert "unet_slides         1,941,105 parameters" in tinyconv_command("models").stdout
    assert tinyconv_command("learn").exit_code == 0
    assert tinyconv_command("nonsense").exit_code == 2


def test_help_loads_nothing_heavy():
    code = (
        "import sys\nfrom tinyconv.cli import app\n"
        "try: app(['train', '--help'])\nexcept SystemExit: pass\n"
        "print(sorted({'matplotlib', 'numba', 'scipy', 'sklearn', 'PIL'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr
