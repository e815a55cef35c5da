"""The stacked autoencoder: sizes, greedy pretraining as in PyTorch, noise, and eight images by heart."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tests.models.generation import (
    assert_same_steps,
    changed,
    generator,
    relative_error,
    state,
    with_weights_of,
)
from tinyconv import models
from tinyconv.data import DataLoader, TensorDataset
from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.models import autoencoder


def twin_of(torch: Any, sizes: list[int]) -> Any:
    """Dense layers down and up again, logistic but for the code."""
    layers = torch.nn

    def dense(inputs: int, outputs: int) -> Any:
        return layers.Sequential(layers.Linear(inputs, outputs), layers.Sigmoid())

    down = [dense(a, b) for a, b in pairwise(sizes[:-1])]
    up = [dense(b, a) for a, b in pairwise(sizes)]
    twin = layers.Module()
    twin.encoder = layers.Sequential(layers.Flatten(), *down, layers.Linear(*sizes[-2:]))
    twin.decoder = layers.Sequential(*reversed(up))
    return twin


def pictures(n: int, channels: int = 1, size: int = 28, dtype: str = "float32") -> np.ndarray:
    """Random rectangles."""
    rng, found = np.random.default_rng(0), np.zeros((n, channels, size, size), dtype)
    for picture in found:
        top, left, height, width = rng.integers(4, size // 2, 4)
        picture[:, top : top + height, left : left + width] = rng.uniform(0.6, 1)
    return found


def test_parameters_of_the_paper_s_sizes() -> None:
    weights = 784 * 1000 + 1000 * 500 + 500 * 250 + 250 * 30
    biases = (1000 + 500 + 250 + 30) + (250 + 500 + 1000 + 784)
    assert sum(p.numel() for p in models.create("autoencoder").parameters()) == 2 * weights + biases


@pytest.mark.parametrize(("dtype", "within"), (("float32", 1e-4), ("float64", 1e-10)))
@pytest.mark.parametrize(("size", "channels", "widths"), ((28, 1, (40, 20)), (64, 3, (30,)), (28, 1, ())))
def test_output_is_that_of_the_twin(
    size: int, channels: int, widths: tuple[int, ...], dtype: str, within: float
) -> None:
    torch = pytest.importorskip("torch")
    options = {"in_channels": channels, "image_size": size, "latent_dim": 5, "widths": widths}
    model = models.create("autoencoder", **options).to(dtype)
    twin = with_weights_of(model, twin_of(torch, [channels * size**2, *widths, 5]), dtype)
    x = pictures(3, channels, size, dtype)
    codes = twin.encoder(torch.from_numpy(x))
    assert model.encoder(tc.tensor(x)).shape == (3, 5)
    assert relative_error(model.encoder(tc.tensor(x)), codes) < within
    output = model(tc.tensor(x))
    assert output.shape == x.shape and output.dtype == dtype
    assert relative_error(output, twin.decoder(codes).reshape(x.shape)) < within


def test_pretraining_is_that_of_the_twin() -> None:
    """Each layer with its mirror image, on what the layers before it give."""
    torch = pytest.importorskip("torch")
    model = models.create("autoencoder", latent_dim=5, widths=(40, 20)).double()
    twin, before = with_weights_of(model, twin_of(torch, [784, 40, 20, 5])), state(model)
    x = pictures(8, dtype="float64")
    losses = autoencoder.pretrain(model, [tc.tensor(x[:4]), tc.tensor(x[4:])], epochs=3, lr=0.01)

    expected, inputs = [], torch.from_numpy(x).flatten(1)
    pairs = [(twin.encoder[i + 1], twin.decoder[2 - i]) for i in range(3)]
    for encode, decode in pairs:
        optimizer = torch.optim.Adam([*encode.parameters(), *decode.parameters()], lr=0.01)
        history = []
        for _ in range(3):
            found = []
            for part in inputs.split(4):
                loss = ((decode(encode(part)) - part) ** 2).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                found.append(loss.item())
            history.append(np.mean(found))
        expected.append(history)
        inputs = encode(inputs).detach()
    assert np.allclose(losses, expected, rtol=1e-8, atol=0)
    assert_same_steps(before, model, twin, 1e-6)


def test_pretraining_helps_a_deep_net() -> None:
    """Without it, four logistic layers learn the mean picture only, in as many steps of training."""
    x, errors = tc.tensor(pictures(32)), []
    mean_picture = float(((x.numpy() - x.numpy().mean(0)) ** 2).mean())
    for epochs in (0, 100):
        tc.manual_seed(0)
        model = models.create("autoencoder", latent_dim=8, widths=(100, 50, 25))
        if epochs:
            losses = autoencoder.pretrain(model, [x], epochs=epochs, lr=0.01)
            assert [len(layer) for layer in losses] == [epochs] * 4
            assert all(layer[-1] < layer[0] for layer in losses)
        optimizer = tc.optim.Adam(model.parameters(), lr=2e-3)
        for _ in range(150):
            error = autoencoder.step(model, x, optimizer)["loss"]
        errors.append(error)
    assert errors[0] > 0.99 * mean_picture > 3 * errors[1]


def test_pretraining_takes_a_loader_of_images_with_labels() -> None:
    x = pictures(6)
    loader = DataLoader(TensorDataset(tc.tensor(x), tc.arange(6)), batch_size=3)
    runs = []
    for batches in (loader, [tc.tensor(x[:3]), tc.tensor(x[3:])]):
        tc.manual_seed(0)
        model = models.create("autoencoder", latent_dim=3, widths=(10,))
        runs.append(autoencoder.pretrain(model, batches, epochs=2))
    assert runs[0] == runs[1] and len(runs[0][0]) == 2


def test_a_step_changes_every_parameter() -> None:
    model = models.create("autoencoder", latent_dim=5, widths=(40, 20))
    before = state(model)
    autoencoder.step(model, tc.tensor(pictures(4)), tc.optim.Adam(model.parameters()))
    assert len(changed(model, before)) == 12 and all(changed(model, before).values())


def test_eight_images_are_learned_by_heart() -> None:
    tc.manual_seed(0)
    model, x = models.create("autoencoder", latent_dim=8, widths=(100,)), tc.tensor(pictures(8))
    autoencoder.pretrain(model, [x], epochs=50, lr=0.01)
    optimizer = tc.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(200):
        error = autoencoder.step(model, x, optimizer)["loss"]
    assert error < 1e-3 < 0.02 < x.numpy().var()
    assert np.abs(model(x).detach().numpy() - x.numpy()).max() < 0.5


def test_a_denoising_autoencoder_sees_noise_and_gives_clean_images() -> None:
    tc.manual_seed(0)
    model, x = models.create("autoencoder", latent_dim=8, widths=(100,)), tc.tensor(pictures(8))
    noise, source = autoencoder.gaussian_noise(0.3), generator()
    autoencoder.pretrain(model, [x], epochs=50, lr=0.01, noise=noise, generator=source)
    optimizer = tc.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(200):
        autoencoder.step(model, x, optimizer, noise, source)
    noisy = noise(x, source)
    left = float(((model(noisy) - x).detach().numpy() ** 2).mean())
    assert left < 0.25 * float(((noisy - x).numpy() ** 2).mean())


def test_the_loss_of_a_denoising_step_is_the_distance_to_the_clean_images() -> None:
    model, x = models.create("autoencoder", latent_dim=4, widths=(20,)), tc.tensor(pictures(8))
    noise = autoencoder.masking_noise(0.5)
    noisy = noise(x, generator())
    with tc.no_grad():
        expected = ((model(noisy).numpy() - x.numpy()) ** 2).mean()
    standing = tc.optim.SGD(model.parameters(), lr=0.0)
    loss = autoencoder.step(model, x, standing, noise, generator())["loss"]
    assert loss == pytest.approx(expected, rel=1e-6)
    assert abs(loss - autoencoder.step(model, noisy, standing)["loss"]) > 1e-3


def test_noise() -> None:
    x = tc.full((4, 1, 100, 100), 0.5)
    added = autoencoder.gaussian_noise(0.2)(x, generator()).numpy() - 0.5
    # Five standard errors of 40,000 draws.
    assert abs(added.mean()) < 5 * 0.2 / 200 and abs(added.std() / 0.2 - 1) < 5 / 80_000**0.5
    masked = autoencoder.masking_noise(0.3)(x, generator()).numpy()
    assert set(np.unique(masked)) == {0.0, 0.5}
    assert abs((masked == 0).mean() - 0.3) < 5 * (0.3 * 0.7 / 40_000) ** 0.5
    assert (autoencoder.masking_noise(0.3)(x, generator()).numpy() == masked).all()
    assert (x.numpy() == 0.5).all()


def test_wrong_arguments() -> None:
    with pytest.raises(ArgumentError, match=r"widths\[1\] is 0"):
        models.create("autoencoder", widths=(5, 0))
    with pytest.raises(ArgumentError, match="std is -1"):
        autoencoder.gaussian_noise(-1)
    with pytest.raises(ArgumentError, match="share is"):
        autoencoder.masking_noise(1.5)
    model = models.create("autoencoder", widths=(5,))
    with pytest.raises(ArgumentError, match="batches is empty"):
        autoencoder.pretrain(model, [])
    with pytest.raises(ArgumentError, match="epochs is 0"):
        autoencoder.pretrain(model, [tc.zeros(1, 1, 28, 28)], epochs=0)
    with pytest.raises(ShapeError, match=r"Autoencoder: input .*\(N, 1, 28, 28\)"):
        model(tc.zeros(2, 1, 32, 32))
