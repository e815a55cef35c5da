"""The variational autoencoder: its loss against torch.distributions, its sizes, and eight images by heart."""

from __future__ import annotations

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
from tinyconv.data.datasets.digits import Digits
from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.models import vae


def twin_of(torch: Any, pixels: int, latent: int, width: int) -> Any:
    """Appendix C of Kingma and Welling."""
    layers = torch.nn
    twin = layers.Module()
    twin.encoder = layers.Sequential(layers.Flatten(), layers.Linear(pixels, width), layers.Tanh())
    twin.mean, twin.log_variance = layers.Linear(width, latent), layers.Linear(width, latent)
    twin.decoder = layers.Sequential(
        layers.Linear(latent, width), layers.Tanh(), layers.Linear(width, pixels)
    )
    return twin


def pictures(n: int, channels: int = 1, size: int = 28, dtype: str = "float64") -> np.ndarray:
    """Random binary images."""
    return (np.random.default_rng(0).random((n, channels, size, size)) > 0.5).astype(dtype)


def test_parameters() -> None:
    encoder = 784 * 500 + 500 + 2 * (500 * 20 + 20)
    decoder = 20 * 500 + 500 + 500 * 784 + 784
    model = models.create("vae")
    assert sum(p.numel() for p in model.parameters()) == encoder + decoder


@pytest.mark.parametrize(("dtype", "within"), (("float32", 1e-4), ("float64", 1e-10)))
@pytest.mark.parametrize(("size", "channels"), ((28, 1), (64, 3)))
def test_output_is_that_of_the_twin(size: int, channels: int, dtype: str, within: float) -> None:
    torch = pytest.importorskip("torch")
    model = models.create("vae", in_channels=channels, image_size=size, latent_dim=5, width=30).to(dtype)
    twin = with_weights_of(model, twin_of(torch, channels * size**2, 5, 30), dtype)
    x = pictures(3, channels, size, dtype)
    hidden = twin.encoder(torch.from_numpy(x))
    mean, log_variance = twin.mean(hidden), twin.log_variance(hidden)
    logits, *codes = model.eval()(tc.tensor(x))
    assert logits.shape == x.shape and logits.dtype == dtype
    assert relative_error(logits, twin.decoder(mean).reshape(x.shape)) < within
    assert relative_error(codes[0], mean) < within
    assert relative_error(codes[1], log_variance) < within


def test_kl_divergence() -> None:
    """Of N(0, 1) from itself 0, of N(1, 1) 1/2, of N(0, e^2) (e^2 - 3) / 2, summed over the code."""
    kl = vae.kl_divergence(tc.tensor([[0.0, 0.0], [1.0, 0.0]]), tc.tensor([[0.0, 0.0], [0.0, 2.0]]))
    assert kl.tolist() == pytest.approx([0, 0.5 + (np.e**2 - 3) / 2], rel=1e-6)


def test_a_step_is_that_of_the_twin() -> None:
    torch = pytest.importorskip("torch")
    model = models.create("vae", latent_dim=5, width=30).double()
    twin, before = with_weights_of(model, twin_of(torch, 784, 5, 30)), state(model)
    x, noise = pictures(4), tc.randn(4, 5, generator=generator(), dtype="float64").numpy()
    losses = vae.step(model, tc.tensor(x), tc.optim.SGD(model.parameters(), lr=0.01), generator())

    optimizer, images = torch.optim.SGD(twin.parameters(), lr=0.01), torch.from_numpy(x)
    hidden, distributions = twin.encoder(images), torch.distributions
    q = distributions.Normal(twin.mean(hidden), (0.5 * twin.log_variance(hidden)).exp())
    codes = q.mean + q.stddev * torch.from_numpy(noise)
    kl = distributions.kl_divergence(q, distributions.Normal(0, 1)).sum(1).mean()
    pixels = distributions.Bernoulli(logits=twin.decoder(codes)).log_prob(images.flatten(1)).sum(1).mean()
    (kl - pixels).backward()
    optimizer.step()
    assert losses == pytest.approx({"loss": (kl - pixels).item(), "kl": kl.item()}, rel=1e-9)
    assert_same_steps(before, model, twin)


def test_a_step_changes_every_parameter() -> None:
    model = models.create("vae", latent_dim=5, width=30)
    before = state(model)
    vae.step(model, tc.tensor(pictures(4, dtype="float32")), tc.optim.Adam(model.parameters()))
    assert len(changed(model, before)) == 10 and all(changed(model, before).values())


def test_codes_have_the_mean_and_the_variance_asked_for() -> None:
    mean, log_variance = tc.tensor([[2.0, -1.0]]), tc.tensor([[np.log(9.0), np.log(0.25)]])
    draws = vae.reparameterise(mean.expand(40_000, 2), log_variance.expand(40_000, 2), generator()).numpy()
    # Five standard errors of a mean and of a standard deviation of 40,000 draws.
    assert (np.abs(draws.mean(0) - [2, -1]) < 5 * np.array([3, 0.5]) / 200).all()
    assert (np.abs(draws.std(0) / [3, 0.5] - 1) < 5 / (2 * 40_000) ** 0.5).all()


def test_training_draws_codes_and_evaluation_takes_their_mean() -> None:
    model, x = models.create("vae", width=30), tc.tensor(pictures(2, dtype="float32"))
    with tc.no_grad():
        assert (model(x)[0].numpy() != model(x)[0].numpy()).any()
        assert (model(x, generator())[0].numpy() == model(x, generator())[0].numpy()).all()
        model.eval()
        assert (model(x)[0].numpy() == model(x)[0].numpy()).all()
        assert (model(x)[0].sigmoid().numpy() == model.decode(model.encode(x)[0]).numpy()).all()


def test_eight_images_are_learned_by_heart() -> None:
    tc.manual_seed(0)
    model, x = models.create("vae", latent_dim=8, width=100), tc.tensor(pictures(8, dtype="float32"))
    optimizer = tc.optim.Adam(model.parameters(), lr=3e-3)
    first = vae.step(model, x, optimizer)["loss"]
    for _ in range(300):
        last = vae.step(model, x, optimizer)
    assert first > 784 * np.log(2)  # each pixel a guess
    assert last["loss"] < 30
    # A code that tells eight images apart holds log 8 nats.
    assert last["kl"] > np.log(8)
    assert ((model.eval()(x)[0].detach().numpy() > 0) == (x.numpy() > 0.5)).all()


def test_handwritten_digits() -> None:
    """The bound for digits never seen passes what the best model of independent pixels gives them."""
    images = (Digits().images[:, None] > 0.5).astype("float32")
    rng = np.random.default_rng(0)
    order = rng.permutation(len(images))
    seen, held_out = images[order[:1500]], images[order[1500:]]
    shares = np.clip(seen.mean(0), 1 / 1500, 1 - 1 / 1500)
    alone = -(held_out * np.log(shares) + (1 - held_out) * np.log(1 - shares)).sum((1, 2, 3)).mean()
    tc.manual_seed(0)
    model = models.create("vae", image_size=8, latent_dim=8, width=64)
    optimizer = tc.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(20):
        for part in np.array_split(seen[rng.permutation(1500)], 15):
            vae.step(model, tc.tensor(part), optimizer)
    x = tc.tensor(held_out)
    with tc.no_grad():
        logits, mean, log_variance = model(x)
        bound = vae.negative_elbo(logits, x, mean, log_variance).item()
    assert bound < alone - 2
    samples = model.sample(1000, generator()).numpy()
    assert np.sqrt(((samples.mean(0) - seen.mean(0)) ** 2).mean()) < 0.05 < seen.mean(0).std() / 5


def test_samples() -> None:
    model = models.create("vae", in_channels=3, image_size=64, width=10)
    first = model.sample(3, generator())
    assert first.shape == (3, 3, 64, 64) and not first.requires_grad
    assert 0 <= first.numpy().min() and first.numpy().max() <= 1
    assert (first.numpy() == model.sample(3, generator()).numpy()).all()


def test_wrong_arguments() -> None:
    with pytest.raises(ArgumentError, match="latent_dim is 0"):
        models.create("vae", latent_dim=0)
    model = models.create("vae", width=10)
    with pytest.raises(ShapeError, match=r"VAE: input .*\(N, 1, 28, 28\)"):
        model(tc.zeros(2, 784))
    with pytest.raises(ArgumentError, match="n is -1"):
        model.sample(-1)
