"""Nets for generation in files: safetensors as PyTorch's own package reads them, and ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tests.models.generation import generator, state
from tinyconv import io, models

SMALL: dict[str, dict[str, Any]] = {
    "dcgan": {"image_size": 28, "latent_dim": 6, "width": 4},
    "wgan_gp": {"image_size": 28, "latent_dim": 6, "width": 4},
    "acgan": {"image_size": 28, "latent_dim": 6, "width": 4},
    "vae": {"width": 20, "latent_dim": 6},
    "autoencoder": {"widths": (20,), "latent_dim": 6},
}


@pytest.mark.parametrize("name", SMALL)
def test_weights_go_to_a_file_and_back(name: str, tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.numpy")
    model, other = (models.create(name, **SMALL[name]) for _ in range(2))
    io.safetensors.save(model.state_dict(), tmp_path / "net.safetensors")
    read = safetensors.load_file(tmp_path / "net.safetensors")
    assert read.keys() == model.state_dict().keys()
    assert all((read[key] == value).all() for key, value in state(model).items())
    other.load_state_dict(io.safetensors.load(tmp_path / "net.safetensors"))
    assert all((value == state(other)[key]).all() for key, value in state(model).items())


@pytest.mark.parametrize("name", SMALL)
def test_the_half_that_makes_images_goes_to_onnx(name: str, tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    model = models.create(name, **SMALL[name]).eval()
    make = model.decoder if name in ("vae", "autoencoder") else model.generator
    codes = tc.randn(3, 16 if name == "acgan" else 6, generator=generator())
    io.onnx.export(make, codes, tmp_path / "net.onnx", input_names=["codes"])
    session = runtime.InferenceSession(str(tmp_path / "net.onnx"), providers=["CPUExecutionProvider"])
    (images,) = session.run(None, {"codes": codes.numpy()})
    expected = make(codes).detach().numpy()
    assert images.shape == expected.shape and images.shape[0] == 3
    assert np.linalg.norm(images - expected) < 1e-4 * np.linalg.norm(expected)
