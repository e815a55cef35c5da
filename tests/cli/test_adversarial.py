"""`tinyconv train`, `eval`, `predict` and `export` of a generator and a discriminator, from end to end."""

from __future__ import annotations

import math
import os
import signal

import numpy as np
import pytest
from PIL import Image

import tinyconv as tc
from tests.cli.command import UNIX, metrics, numbers, refused, tinyconv_command
from tinyconv import models
from tinyconv.data import Digits, split
from tinyconv.models.acgan import ACGAN
from tinyconv.train.checkpoint import load_checkpoint
from tinyconv.train.folder import RunFolder
from tinyconv.train.predict import load_model
from tinyconv.train.records import Recorder

LENGTH = ("--epochs", 3, "--images", 100)
SMALL = ("--width", 4, "--latent-dim", 5)
SHORT = ("train", "acgan", *LENGTH, *SMALL, "--batch-size", 16)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A short run on scikit-learn's digits: 3 epochs of 5 steps."""
    folder = tmp_path_factory.mktemp("runs") / "digits"
    done = tinyconv_command(*SHORT, "--run", folder)
    assert done.exit_code == 0, (done.output, done.exception)
    return folder, done.output


def held_out_images(folder):
    config = RunFolder.open(folder).config
    digits = Digits()
    places = np.linspace(0, len(digits) - 1, config.images).astype(int)
    _, held_out = split([digits[place] for place in places], config.held_out, config.seed)
    images, labels = zip(*held_out, strict=True)
    return np.stack(images), np.array(labels)


def test_a_run_writes_what_it_names(run):
    folder, output = run
    assert "acgan on 80 images of digits (1 x 8 x 8), 20 held out, batches of 16, at most 15 steps" in output
    for name in ("curves.png", "samples.png", "metrics.jsonl", "last.json"):
        assert f"  {folder / name}\n" in output and (folder / name).stat().st_size > 500
    assert not (folder / "best.json").exists()
    steps = [line for line in metrics(folder) if "loss" in line]
    assert [line["step"] for line in steps] == list(range(1, 16))
    # Nothing is known at the start: the source costs log 2 for each kind of image, the class log 10 each.
    assert steps[0]["discriminator_loss"] == pytest.approx(2 * math.log(2) + 2 * math.log(10), rel=0.05)
    assert steps[0]["generator_loss"] == pytest.approx(math.log(2) + math.log(10), rel=0.05)
    assert f'next:  tinyconv predict "{folder}"\n' in output
    networks = {name.split(".")[0] for name in load_checkpoint(folder, "last").model_state}
    assert networks == {"generator", "discriminator"}


def test_a_checkpoint_holds_both_optimisers(run):
    checkpoint = load_checkpoint(run[0], "last")
    model = ACGAN(1, 8, 10, 5, 4)
    sizes = [len(list(part.parameters())) for part in (model.generator, model.discriminator)]
    assert [len(group["params"]) for group in checkpoint.optimizer["param_groups"]] == sizes
    averages = {name for name in checkpoint.tensors if name.endswith(".exp_avg")}
    assert len(averages) == sum(sizes)
    assert all(np.any(checkpoint.tensors[name]) for name in averages)


@UNIX
@pytest.mark.parametrize("name", ["acgan", "wgan_gp"])
def test_interrupted_in_an_epoch_and_resumed_is_the_same_run(run, name, tmp_path, monkeypatch):
    whole, command = run[0], SHORT
    if name != "acgan":
        whole, command = tmp_path / "whole", ("train", name, *LENGTH, *SMALL, "--batch-size", 5)
        assert tinyconv_command(*command, "--run", whole).exit_code == 0
    record = Recorder.on_step

    def on_step(self, trainer):
        record(self, trainer)
        if trainer.position.step == 7:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patched:
        patched.setattr(Recorder, "on_step", on_step)
        done = tinyconv_command(*command, "--run", tmp_path / "cut")
        assert done.exit_code == 130 and "stopped after step 7" in done.stdout, done.output
    assert load_checkpoint(tmp_path / "cut", "last").position["batch"] == {"acgan": 2, "wgan_gp": 1}[name]
    done = tinyconv_command("train", name, "--resume", tmp_path / "cut")
    assert done.exit_code == 0, (done.output, done.exception)
    assert numbers(tmp_path / "cut") == numbers(whole) and metrics(tmp_path / "cut") == metrics(whole)


def test_eval(run, tmp_path):
    folder, _ = run
    done = tinyconv_command("eval", folder, "--out", tmp_path)
    assert done.exit_code == 0, (done.output, done.exception)
    rows = dict(line.rsplit(None, 1) for line in done.stdout.splitlines() if line[-1:].isdigit())
    model = load_model(folder, models.create)
    images, labels = held_out_images(folder)
    with tc.no_grad():
        source, classes = model.discriminator(tc.tensor(2 * images - 1))
    accuracy = float((classes.numpy().argmax(axis=1) == labels).mean())
    said = rows["accuracy of the classes that the discriminator names"]
    assert float(said) == pytest.approx(accuracy, abs=1e-4)
    # What it says of the generated images is not known here: both parts of it are above 0.
    logits = classes.numpy().astype(np.float64)
    own = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(labels)), labels]
    real = np.log1p(np.exp(-source.numpy().astype(np.float64))).mean() + own.mean()
    assert real < float(rows["discriminator loss"]) < 2.5 * real
    assert (tmp_path / "samples.png").stat().st_size > 500 and "look at them" in done.stdout


def test_new_images(run, tmp_path):
    folder, _ = run
    done = tinyconv_command("predict", folder, "--count", 12, "--seed", 3, "--out", tmp_path / "all")
    assert done.exit_code == 0 and "wrote 12 images" in done.stdout, (done.output, done.exception)
    files = sorted((tmp_path / "all").iterdir())
    assert [file.name for file in files[8:]] == [f"sample_{n:04}_{(n - 1) % 10}.png" for n in (9, 10, 11, 12)]
    model, source = load_model(folder, models.create), tc.Generator().manual_seed(3)
    for file, label in zip(files, [*range(10), 0, 1], strict=True):
        noise = model.noise(1, source).numpy()
        with tc.no_grad():
            image = model.generator(tc.tensor(np.concatenate([noise, np.eye(10, dtype="f4")[[label]]], 1)))
        wanted = 255 * (image.numpy()[0, 0] + 1) / 2
        assert np.abs(np.asarray(Image.open(file)) - wanted).max() < 0.51
    done = tinyconv_command("predict", folder, "--class", "7", "--count", 2, "--out", tmp_path / "sevens")
    names = sorted(file.name for file in (tmp_path / "sevens").iterdir())
    assert names == ["sample_0001_7.png", "sample_0002_7.png"]
    refused(tinyconv_command("predict", folder, "--class", "seven"), "--class", "one of 0, 1, 2")
    refused(tinyconv_command("predict", folder, tmp_path / "all"), "makes images from noise")


def test_the_generator_goes_to_onnx(run, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    done = tinyconv_command("export", run[0], "--onnx", tmp_path / "net.onnx")
    assert done.exit_code == 0 and "input codes (batch, 15)" in done.stdout, (done.output, done.exception)
    codes = np.random.default_rng(0).standard_normal((3, 15)).astype(np.float32)
    session = runtime.InferenceSession(str(tmp_path / "net.onnx"), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"codes": codes})
    expected = load_model(run[0], models.create).generator(tc.tensor(codes)).detach().numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["dcgan", "--data", "synthetic"], "labelled ones, such as --data digits"),
        (["dcgan", "--ema", "0.9"], "--ema"),
        (["acgan", "--accumulate", "2"], "--accumulate"),
        (["acgan", "--on-not-finite", "skip"], "--on-not-finite"),
        (["dcgan", "--find-lr", "rates.png"], "--find-lr"),
        (["dcgan", "--size", "18"], "image_size"),
        (["wgan_gp", "--images", "50"], "at most 8 with 40 images"),
    ],
)
def test_bad_arguments(arguments, part, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused(tinyconv_command("train", *arguments), part)
    assert list(tmp_path.iterdir()) == []
