"""`tinyconv train`, `eval`, `predict` and `export` of networks that give images back, from end to end."""

from __future__ import annotations

import json
import os
import shutil
import signal

import numpy as np
import pytest
from PIL import Image

from tests.cli.command import UNIX, metrics, numbers, refused, tinyconv_command
from tinyconv.data import Digits, split, write_png
from tinyconv.train.checkpoint import load_checkpoint, signed
from tinyconv.train.folder import RunFolder
from tinyconv.train.records import Recorder

SHORT = ("train", "vae", "--epochs", 3, "--images", 300, "--batch-size", 50, "--width", 16, "--latent-dim", 4)
STEPS = 15


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A short run on scikit-learn's digits."""
    folder = tmp_path_factory.mktemp("runs") / "digits"
    done = tinyconv_command(*SHORT, "--run", folder)
    assert done.exit_code == 0, (done.output, done.exception)
    return folder, done.output


def by_hand(folder, images):
    """What the best VAE gives back of its mean codes, and the divergence of each image, in NumPy."""
    state = {name: a.astype(np.float64) for name, a in load_checkpoint(folder, "best").model_state.items()}

    def dense(name, x):
        return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]

    hidden = np.tanh(dense("encoder.1", images.reshape(len(images), -1).astype(np.float64)))
    mean, log_variance = dense("mean", hidden), dense("log_variance", hidden)
    logits = dense("decoder.2", np.tanh(dense("decoder.0", mean)))
    divergence = 0.5 * (mean**2 + np.exp(log_variance) - log_variance - 1).sum(axis=1)
    return (1 / (1 + np.exp(-logits))).reshape(images.shape), divergence


def held_out_images(folder):
    config = RunFolder.open(folder).config
    digits = Digits()
    places = np.linspace(0, len(digits) - 1, config.images).astype(int)
    _, held_out = split([digits[place] for place in places], config.held_out, config.seed)
    return np.stack([image for image, _ in held_out])


def test_a_run_writes_what_it_names(run):
    folder, output = run
    assert "vae on 240 images of digits (1 x 8 x 8), 60 held out, batches of 50, at most 15 steps" in output
    for name in ("curves.png", "samples.png", "held_out.json", "metrics.jsonl", "best.json", "last.json"):
        assert f"  {folder / name}\n" in output and (folder / name).stat().st_size > 500
    steps = [line for line in metrics(folder) if "loss" in line]
    assert [line["step"] for line in steps] == list(range(1, STEPS + 1))
    for line in steps:
        assert line["loss"] == pytest.approx(line["reconstruction_loss"] + line["kl_loss"], rel=1e-6)
    scores = [line for line in metrics(folder) if "held_out_loss" in line]
    best = json.loads((folder / "best.json").read_text())["scores"]
    assert best["best_held_out_loss"] == min(line["held_out_loss"] for line in scores) < steps[0]["loss"]
    assert f"best {best['best_held_out_loss']:.4f}" in output
    assert RunFolder.open(folder).config.model_options == {
        **{"in_channels": 1, "image_size": 8, "width": 16, "latent_dim": 4}
    }


def test_eval_says_what_numpy_says(run, tmp_path):
    folder, _ = run
    images = held_out_images(folder)
    found, divergence = by_hand(folder, images)
    squared = ((found - images) ** 2).mean(axis=(1, 2, 3))
    done = tinyconv_command("eval", folder, "--out", tmp_path)
    assert done.exit_code == 0, (done.output, done.exception)
    rows = {line[:20].strip(): line[20:].split() for line in done.stdout.splitlines() if line.strip()}
    assert [float(x) for x in rows["mean squared error"]] == pytest.approx(
        [squared.mean(), squared.max()], abs=1e-4
    )
    peak = -10 * np.log10(squared)
    assert [float(x) for x in rows["PSNR (dB)"]] == pytest.approx([peak.mean(), peak.min()], abs=1e-3)
    assert float(rows["kl"][0]) == pytest.approx(divergence.mean(), abs=1e-3)
    assert (tmp_path / "worst.png").stat().st_size > 500
    worst = json.loads((folder / "held_out.json").read_text())["images"]
    assert [entry["index"] for entry in worst[:5]] == np.argsort(-squared)[:5].tolist()
    refused(tinyconv_command("eval", folder, folder), "one run")
    refused(tinyconv_command("eval", folder, "--part", "test"), "no test part")


def test_predict_and_export_give_back_what_numpy_does(run, tmp_path):
    folder, _ = run
    image = Digits()[3][0]
    write_png(tmp_path / "three.png", image)
    done = tinyconv_command(
        "predict", folder, tmp_path / "three.png", tmp_path / "gone.png", "--out", tmp_path
    )
    assert done.exit_code == 2 and "gone.png" in done.stderr and "three.png: PSNR" in done.stdout
    given = np.asarray(Image.open(tmp_path / "three.png"))[None, None] / 255
    expected, _ = by_hand(folder, given)
    written = np.asarray(Image.open(tmp_path / "three_given_back.png"))
    assert np.abs(written - 255 * expected[0, 0]).max() < 0.51
    runtime = pytest.importorskip("onnxruntime")
    done = tinyconv_command("export", folder, "--onnx", tmp_path / "net.onnx")
    assert done.exit_code == 0 and "(batch, 1, 8, 8)" in done.stdout, (done.output, done.exception)
    session = runtime.InferenceSession(str(tmp_path / "net.onnx"), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"images": given.astype(np.float32)})
    np.testing.assert_allclose(found, expected, atol=1e-5)


@UNIX
@pytest.mark.parametrize("step", [7, 10])  # in the middle and at the end of an epoch
def test_interrupted_and_resumed_is_the_same_run(run, tmp_path, monkeypatch, step):
    record = Recorder.on_step

    def on_step(self, trainer):
        record(self, trainer)
        if trainer.position.step == step:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patched:
        patched.setattr(Recorder, "on_step", on_step)
        done = tinyconv_command(*SHORT, "--run", tmp_path / "cut")
        assert done.exit_code == 130 and f"stopped after step {step}" in done.stdout, done.output
    done = tinyconv_command("train", "vae", "--resume", tmp_path / "cut")
    assert done.exit_code == 0, (done.output, done.exception)
    for name in ("last", "best"):
        assert numbers(tmp_path / "cut", name) == numbers(run[0], name)
    assert metrics(tmp_path / "cut") == metrics(run[0])


def test_an_autoencoder_learns_more_than_the_mean_image(tmp_path):
    length = ("--epochs", 15, "--images", 400, "--batch-size", 16, "--validate-every", 15)
    command = ("train", "autoencoder", *length)
    done = tinyconv_command(*command, "--run", tmp_path / "run")
    assert done.exit_code == 0, (done.output, done.exception)
    images = held_out_images(tmp_path / "run")
    of_the_mean = ((images - images.mean(axis=0)) ** 2).mean()
    scores = load_checkpoint(tmp_path / "run", "best").scores
    assert scores["best_held_out_loss"] < 0.75 * of_the_mean


@pytest.mark.parametrize("name", ["autoencoder", "rednet"])
def test_the_others_learn_to_remove_noise(name, tmp_path):
    small = ("--widths", 20) if name == "autoencoder" else ("--width", 2)
    noisy = ("--noise", 0.3, "--quick", "--patience", 3, "--run", tmp_path / "run")
    done = tinyconv_command("train", name, *small, *noisy)
    assert done.exit_code == 0, (done.output, done.exception)
    assert "noise of 0.3 added" in done.stdout
    lines = [line for line in metrics(tmp_path / "run") if "loss" in line]
    assert lines[-1]["loss"] < lines[0]["loss"]


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["vae", "--data", "synthetic"], "labelled ones, such as --data digits"),
        (["vae", "--balanced"], "balanced"),
        (["vae", "--depth", "8"], "images with masks only"),
        (["vae", "--widths", "8,4"], "--width, --latent-dim, which vae takes"),
        (["vae", "--latent-dim", "0"], "latent_dim"),
        (["autoencoder", "--widths", "8,x"], "whole numbers"),
        (["autoencoder", "--noise", "-1"], "noise"),
        (["mlp", "--data", "digits", "--noise", "1"], "networks that make images"),
        (["mlp", "--data", "digits", "--width", "8"], "images with masks only"),
    ],
)
def test_bad_arguments(arguments, part, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused(tinyconv_command("train", *arguments), part)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "part"),
    [({"model": "mlp"}, "MODEL"), ({"noise": "much"}, "noise"), ({"task": "other"}, "fields")],
)
def test_an_edited_config(run, tmp_path, change, part):
    folder = shutil.copytree(run[0], tmp_path / "copy")
    fields = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(signed({**fields, **change})))
    refused(tinyconv_command("eval", folder), part)
