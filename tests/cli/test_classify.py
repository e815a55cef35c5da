"""`tinyconv train`, `eval` and `predict` of classifiers, from end to end."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.command import ROOT, UNIX, metrics, numbers, refused, tinyconv_command
from tests.data.test_cifar import write as write_cifar
from tests.data.test_mnist import _write as write_mnist
from tinyconv.data import Digits, split, write_png
from tinyconv.train.checkpoint import signed
from tinyconv.train.folder import RunFolder

SHORT = ["train", "mlp", "--data", "digits", "--epochs", "3", "--images", "300", "--batch-size", "50"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A short run on scikit-learn's digits."""
    folder = tmp_path_factory.mktemp("runs") / "digits"
    done = tinyconv_command(*SHORT, "--run", folder)
    assert done.exit_code == 0, (done.output, done.exception)
    return folder, done.output


def test_a_run_writes_what_it_names(run):
    folder, output = run
    assert "mlp on 240 images of digits (1 x 8 x 8, 10 classes), 60 held out" in output
    for name in ("curves.png", "samples.png", "confusion.png", "held_out.json", "metrics.jsonl"):
        assert f"  {folder / name}\n" in output and (folder / name).stat().st_size > 500
    lines = metrics(folder)
    steps = [line for line in lines if "loss" in line]
    assert [line["step"] for line in steps] == list(range(1, 16))
    assert steps[-1]["accuracy"] > 0.5 > steps[0]["accuracy"]
    best = max(line["held_out_accuracy"] for line in lines if "held_out_accuracy" in line)
    assert f"best {best:.4f}" in output and best > 0.6
    wrong = json.loads((folder / "held_out.json").read_text())["images"]
    assert len(wrong) == round(60 * (1 - best)) and all(entry["class"] != entry["answer"] for entry in wrong)


def test_the_digits_are_learned(tmp_path):
    arguments = ["train", "mlp", "--data", "digits", "--epochs", "12", "--run", tmp_path / "run"]
    done = tinyconv_command(*arguments)
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "run" / "best.json").read_text())["scores"]["best_held_out_accuracy"] > 0.95


def test_eval(run, tmp_path):
    folder, _ = run
    done = tinyconv_command("eval", folder, "--out", tmp_path / "figures")
    assert done.exit_code == 0, (done.output, done.exception)
    best = json.loads((folder / "best.json").read_text())["scores"]["best_held_out_accuracy"]
    assert f"accuracy                    {best:.4f}" in done.stdout and "top-5" in done.stdout
    rows = [line.split() for line in done.stdout.splitlines() if line[:1].isdigit()]
    assert [row[0] for row in rows] == list("0123456789") and sum(int(row[1]) for row in rows) == 60
    for name in ("confusion.png", "worst.png"):
        assert (
            tmp_path / "figures" / name
        ).exists() and f"wrote {tmp_path / 'figures' / name}" in done.stdout
    refused(tinyconv_command("eval", folder, "--part", "test"), "no test part")
    refused(tinyconv_command("eval", folder, "--part", "all"), "held-out or test")
    refused(tinyconv_command("eval", tmp_path), "the folder of a run")


def test_predict(run, tmp_path):
    folder, _ = run
    _, held_out = split(Digits(), 0.2, 0)
    files = []
    for index in range(5):
        files.append(tmp_path / f"digit {index}.png")
        write_png(files[-1], held_out[index][0])
    done = tinyconv_command("predict", folder, *files, tmp_path / "gone.png", "--out", tmp_path / "out")
    assert done.exit_code == 2 and "gone.png" in done.stderr and "1 of 6 images" in done.stderr
    rows = list(csv.DictReader((tmp_path / "out" / "answers.csv").open()))
    assert [row["image"] for row in rows] == [str(file) for file in files]
    for row in rows:
        probabilities = [float(row[str(digit)]) for digit in range(10)]
        assert sum(probabilities) == pytest.approx(1, abs=1e-4)
        assert row["class"] == str(int(np.argmax(probabilities)))
        assert f"{Path(row['image']).name}: {row['class']} {100 * max(probabilities):.1f} %" in done.stdout


@UNIX
def test_interrupted_and_resumed_is_the_same_run(run, tmp_path):
    folder = tmp_path / "cut"
    script = """
import os, signal
from tinyconv.train import records
count = records.Recorder.on_step
def on_step(self, trainer):
    count(self, trainer)
    if trainer.position.step == 7:
        signal.raise_signal(signal.SIGINT)
records.Recorder.on_step = on_step
from tinyconv.cli import main
main()
"""
    command = [sys.executable, "-c", script, *SHORT, "--run", str(folder)]
    first = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert first.returncode == 130 and "stopped after step 7" in first.stdout, first.stderr
    done = tinyconv_command("train", "mlp", "--resume", folder)
    assert done.exit_code == 0, (done.output, done.exception)
    assert numbers(folder) == numbers(run[0]) and numbers(folder, "best")[0] == numbers(run[0], "best")[0]
    assert metrics(folder) == metrics(run[0])


@pytest.fixture
def pictures(tmp_path):
    """A folder for each of three classes, images of several sizes, the third class rare."""
    rng = np.random.default_rng(0)
    for label, (name, count) in enumerate({"Kreise": 12, "quer": 12, "selten": 3}.items()):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(count):
            size = (20 + number % 3, 24, 3)
            image = rng.integers(0, 40, size, dtype=np.uint8)
            image[..., label] += 150
            Image.fromarray(image).save(tmp_path / "pictures" / name / f"{number} é.png")
    return tmp_path / "pictures"


def test_a_folder_of_images_by_class(pictures, tmp_path):
    done = tinyconv_command(
        *("train", "resnet20_cifar", "--data", pictures, "--steps", 2, "--batch-size", 4, "--balanced"),
        *("--run", tmp_path / "run"),
    )
    assert done.exit_code == 0, (done.output, done.exception)
    config = RunFolder.open(tmp_path / "run").config
    assert config.classes == ["Kreise", "quer", "selten"] and config.shape == [3, 32, 32]
    assert config.model_options == {"num_classes": 3, "in_channels": 3} and config.balanced
    assert config.mean[0] > 0.2 and len(config.std) == 3


def test_bad_images_stop_or_are_left_out(pictures, tmp_path):
    for name in ("0 é.png", "5 é.png"):
        (pictures / "quer" / name).write_bytes(b"")
    arguments = [
        "train",
        "mlp",
        "--data",
        pictures,
        "--steps",
        2,
        "--batch-size",
        4,
        "--run",
        tmp_path / "run",
    ]
    refused(tinyconv_command(*arguments), ".png", "empty (0 bytes)")
    assert not (tmp_path / "run").exists()
    done = tinyconv_command(*arguments, "--on-bad-image", "skip")
    assert done.exit_code == 0, (done.output, done.exception)
    assert "2 of 27 images left out" in done.stdout and done.stdout.count("left out: read_image: ") == 2
    assert RunFolder.open(tmp_path / "run").config.there == 25
    assert tinyconv_command("eval", tmp_path / "run").exit_code == 0
    refused(tinyconv_command(*arguments[:-1], tmp_path / "r", "--on-bad-image", "ask"), "stop or skip")
    (pictures / "quer" / "1 é.png").unlink()
    refused(tinyconv_command("eval", tmp_path / "run"), "24 images", "25 images")


def test_bad_nuclei_are_left_out(save_nuclei, tmp_path):
    root = save_nuclei()
    (root / "cell2" / "masks" / "one.png").unlink()
    (root / "cell3" / "images" / "cell3.png").write_bytes(b"")
    arguments = [
        "--data",
        root,
        "--size",
        "32",
        "--batch-size",
        "2",
        "--steps",
        "1",
        "--run",
        tmp_path / "run",
    ]
    done = tinyconv_command("train", "unet", *arguments, "--on-bad-image", "skip")
    assert done.exit_code == 0, (done.output, done.exception)
    assert "2 of 6 images left out" in done.stdout and "unet_slides on 3 images" in done.stdout
    done = tinyconv_command("eval", tmp_path / "run")
    assert done.exit_code == 0, (done.output, done.exception)
    scores = json.loads((tmp_path / "run" / "eval" / "scores.json").read_text())
    assert "DSB2018 score" in done.stdout and len(scores["images"]) == 1
    assert (tmp_path / "run" / "eval" / "worst.png").exists()


def test_parts_that_a_folder_has(pictures, tmp_path):
    for part in ("train", "val", "test"):
        shutil.copytree(pictures, tmp_path / "parts" / part)
    done = tinyconv_command(
        *(
            "train",
            "mlp",
            "--data",
            tmp_path / "parts",
            "--steps",
            2,
            "--batch-size",
            4,
            "--run",
            tmp_path / "r",
        )
    )
    assert done.exit_code == 0, (done.output, done.exception)
    assert "mlp on 27 images" in done.stdout and "27 held out" in done.stdout
    assert "test accuracy" in done.stdout
    shutil.rmtree(tmp_path / "parts" / "test" / "quer")
    refused(tinyconv_command("eval", tmp_path / "r"), "with the classes Kreise, selten")


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "cifar10"])
def test_named_datasets(name, tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 10
    folder = tmp_path / name
    if name == "cifar10":
        write_cifar(folder / "cifar-10-batches-bin", labels, rng.integers(0, 256, (40, 3, 32, 32)))
    else:
        folder.mkdir()
        for part in ("train", "t10k"):
            write_mnist(folder, rng.integers(0, 256, (40, 28, 28), dtype=np.uint8), labels.astype("u1"), part)
    monkeypatch.setenv("TINYCONV_DATA", str(tmp_path))
    done = tinyconv_command("train", "mlp", "--data", name, "--steps", 2, "--run", tmp_path / "run")
    assert done.exit_code == 0, (done.output, done.exception)
    assert f"images of {name}" in done.stdout and "; test accuracy 0." in done.stdout
    done = tinyconv_command("eval", tmp_path / "run", "--part", "test")
    assert f"images                      {3 if name == 'cifar10' else 40}\n" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["train", "unet_slides", "--data", "digits"], "scores of whole images"),
        (["train", "lenet", "--data", "digits"], "did you mean 'lenet5'"),
        (["train", "lenet5", "--data", "mnist"], "tinyconv data get mnist"),
        (["train", "lenet5", "--data", "digits", "--stain", "all"], "--stain"),
        (["train", "lenet5", "--data", "digits", "--size", "32"], "--size"),
        (["train", "lenet5", "--data", "digits", "--data-dir", "x"], "--data-dir"),
        (["train", "lenet5", "--data", "digits", "--on-bad-image", "skip"], "--on-bad-image"),
        (["train", "mlp", "--data", "digits", "--epochs", "0"], "epochs"),
        (["train", "mlp", "--data", "digits", "--shift", "8"], "shift"),
        (["train", "mlp", "--data", "digits", "--images", "1"], "images"),
        (["train", "unet", "--data", "synthetic", "--balanced"], "--balanced"),
        (["train", "unet", "--data", "synthetic", "--on-bad-image", "skip"], "--on-bad-image"),
    ],
)
def test_bad_arguments(arguments, part, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TINYCONV_DATA", raising=False)
    refused(tinyconv_command(*arguments), part)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"classes": ["one"]}, "classes"),
        ({"classes": 10, "class_weights": [1.0, 2.0]}, "classes"),
        ({"shape": [1, 28]}, "shape"),
        ({"std": [0.0]}, "std"),
        ({"mean": [0, 1, 2]}, "mean"),
        ({"epochs": "many"}, "epochs"),
        ({"flip": 1}, "flip"),
        ({"task": "other"}, "task"),
        ({"more": 1}, "fields"),
        ({"model_options": []}, "model_options"),
    ],
)
def test_an_edited_config(run, tmp_path, change, part):
    folder = shutil.copytree(run[0], tmp_path / "copy")
    fields = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(signed({**fields, **change})))
    refused(tinyconv_command("eval", folder), part)
