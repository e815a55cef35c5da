"""`tinyconv export`: a run or a network as an ONNX file, and input that does not fit."""

from __future__ import annotations

import numpy as np
import pytest

import tinyconv as tc
from tests.cli.command import refused, tinyconv_command
from tinyconv import models
from tinyconv.train.predict import load_model

pytest.importorskip("onnx")


def test_a_run_becomes_a_file_that_segments_as_it_does(run, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    file = tmp_path / "cells.onnx"
    done = tinyconv_command("export", run[0], "--onnx", file, "--input", 3, 32, 32)
    assert done.exit_code == 0, done.output
    assert done.stdout == f"wrote {file}: input images (batch, 3, height, width)\n"
    images = np.random.default_rng(0).random((2, 3, 48, 16), np.float32)
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"images": images})
    expected = load_model(run[0], models.create)(tc.tensor(images)).detach().numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "arguments", "shape"),
    [
        ("lenet5", [], (1, 28, 28)),
        ("mlp", [], (1, 28, 28)),
        ("calcium_narrow", [], (3, 65, 65)),
        ("squeezenet1_1", ["--input", 3, 40, 40], (3, "height", "width")),
    ],
)
def test_networks_of_one_size_and_of_any(tmp_path, name, arguments, shape):
    onnxruntime = pytest.importorskip("onnxruntime")
    file = tmp_path / "net.onnx"
    done = tinyconv_command("export", name, "--onnx", file, *arguments)
    assert done.exit_code == 0, (done.output, done.exception)
    assert done.stdout == f"wrote {file}: input images (batch, {', '.join(map(str, shape))})\n"
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    sizes = [size if isinstance(size, int) else 50 for size in shape]
    (found,) = session.run(None, {"images": np.zeros((3, *sizes), np.float32)})
    assert found.shape == (3, {"squeezenet1_1": 1000, "calcium_narrow": 2}.get(name, 10))


def test_a_classifiers_run(tmp_path):
    command = ["train", "lenet5", "--data", "digits", "--images", 40, "--steps", 1, "--run", tmp_path / "run"]
    assert tinyconv_command(*command).exit_code == 0
    done = tinyconv_command("export", tmp_path / "run", "--onnx", tmp_path / "net.onnx")
    assert done.exit_code == 0 and "(batch, 1, 28, 28)" in done.stdout, (done.output, done.exception)


def test_what_does_not_fit_is_one_line(tmp_path):
    file = tmp_path / "model.onnx"
    refused(tinyconv_command("export", "vgg", "--onnx", file), "name is 'vgg'", "unet_slides")
    refused(tinyconv_command("export", tmp_path, "--onnx", file), str(tmp_path))
    refused(tinyconv_command("export", "unet_slides", "--onnx", file, "--input", 1, 32, 32), "(N, 3, H, W)")
    refused(
        tinyconv_command("export", "unet", "--onnx", tmp_path / "no" / "model.onnx"), "a folder that exists"
    )
    assert list(tmp_path.iterdir()) == []
    assert tinyconv_command("export", "unet").exit_code == 2
