"""WGAN-GP: its penalty and its steps as in PyTorch, and a ring of Gaussians that it learns."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tests.backends import BACKENDS, kernels
from tests.models.generation import (
    assert_only_one_changed,
    assert_same_steps,
    generator,
    images,
    relative_error,
    state,
    with_weights_of,
)
from tests.models.test_dcgan import twin_of as dcgan_twin
from tinyconv import models, nn
from tinyconv.errors import ShapeError
from tinyconv.models import wgan
from tinyconv.models.adversarial import Adversarial, update


def twin_of(torch: Any, size: int, channels: int, latent: int, width: int) -> Any:
    """DCGAN's generator; a critic with biases instead of batch norm, and no sigmoid."""
    layers, w = torch.nn, width
    twin = dcgan_twin(torch, size, channels, latent, width)
    count, side = {28: (2, 7), 64: (4, 4)}[size]
    widths = [channels, *(w * 2**i for i in range(count))]
    critic = []
    for inputs, outputs in pairwise(widths):
        critic += [layers.Conv2d(inputs, outputs, 4, 2, 1), layers.LeakyReLU(0.2)]
    twin.discriminator.main = layers.Sequential(*critic, layers.Conv2d(widths[-1], 1, side, bias=False))
    return twin


def penalty_of(torch: Any, critic: Any, real: Any, fake: Any, share: np.ndarray) -> Any:
    """Equation 3 of Gulrajani et al."""
    epsilon = torch.from_numpy(share)[:, None, None, None]
    x = (epsilon * real + (1 - epsilon) * fake).requires_grad_(True)
    slope = torch.autograd.grad(critic(x).sum(), x, create_graph=True)[0]
    return ((torch.linalg.vector_norm(slope.reshape(len(x), -1), dim=1) - 1) ** 2).mean()


def test_parameters() -> None:
    model = models.create("wgan_gp")
    generator = 16 * (128 * 512 + 512 * 256 + 256 * 128 + 128 * 64 + 64 * 3) + 2 * (512 + 256 + 128 + 64)
    critic = 16 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512) + 64 + 128 + 256 + 512
    assert sum(p.numel() for p in model.parameters()) == generator + critic
    assert not any(isinstance(module, nn.BatchNorm2d) for module in model.discriminator.modules())


@pytest.mark.parametrize(("dtype", "within"), (("float32", 1e-4), ("float64", 1e-10)))
@pytest.mark.parametrize(("size", "channels"), ((28, 1), (64, 3)))
def test_output_is_that_of_the_twin(size: int, channels: int, dtype: str, within: float) -> None:
    torch = pytest.importorskip("torch")
    model = models.create("wgan_gp", in_channels=channels, image_size=size, latent_dim=5, width=8).to(dtype)
    twin = with_weights_of(model, twin_of(torch, size, channels, 5, 8), dtype)
    noise, x = model.noise(3, generator()), images(3, channels, size, dtype=dtype)
    theirs = twin.generator.main(torch.from_numpy(noise.numpy())[:, :, None, None])
    assert relative_error(model(noise), theirs) < within
    scores = model.discriminator(tc.tensor(x))
    assert relative_error(scores, twin.discriminator.main(torch.from_numpy(x)).reshape(-1)) < within


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("size", "channels"), ((28, 1), (64, 3)))
def test_the_penalty_and_its_gradient_are_pytorch_s(size: int, channels: int, backend: str) -> None:
    torch = pytest.importorskip("torch")
    model = models.create("wgan_gp", in_channels=channels, image_size=size, latent_dim=5, width=4).double()
    for p in model.parameters():  # slopes of about 1, for all parts of the gradient to matter
        nn.init.normal_(p, 0.0, 0.15)
    twin = with_weights_of(model, twin_of(torch, size, channels, 5, 4))
    real, fake = images(3, channels, size, 1), images(3, channels, size, 2)
    share = np.random.default_rng(3).random(3)
    with kernels(backend):
        ours = wgan.gradient_penalty(model.discriminator, tc.tensor(real), tc.tensor(fake), tc.tensor(share))
        ours.backward()
    theirs = penalty_of(torch, twin.discriminator.main, torch.from_numpy(real), torch.from_numpy(fake), share)
    theirs.backward()
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-10)
    compared = 0
    for (name, p), q in zip(
        model.discriminator.named_parameters(), twin.discriminator.parameters(), strict=True
    ):
        if name.endswith("weight"):
            assert relative_error(p.grad, q.grad) < 1e-9, name
            compared += 1
    assert compared == {28: 3, 64: 5}[size]


def test_the_penalty_of_a_linear_critic() -> None:
    """Its slope is its weight, 3-4-0 long 5, wherever it is measured: (5 - 1)^2."""
    critic = nn.Linear(3, 1, bias=False)
    critic.weight.data.copy_(tc.tensor([[3.0, 4.0, 0.0]]))
    penalty = wgan.gradient_penalty(critic, tc.rand(6, 3), tc.rand(6, 3), tc.rand(6))
    penalty.backward()
    assert penalty.item() == pytest.approx(16, rel=1e-6)
    # d/dw (|w| - 1)^2 = 2 (|w| - 1) w / |w|
    assert critic.weight.grad.tolist()[0] == pytest.approx([8 * 0.6, 8 * 0.8, 0], rel=1e-6)


def test_where_the_penalty_looks() -> None:
    """Of a critic x^2 / 2 the slope is x itself: share * real + (1 - share) * generated."""

    class Half(nn.Module):
        def forward(self, x: tc.Tensor) -> tc.Tensor:
            return x**2 / 2

    penalty = wgan.gradient_penalty(Half(), tc.full((1, 1), 6.0), tc.full((1, 1), 2.0), tc.tensor([0.75]))
    assert penalty.item() == pytest.approx((5 - 1) ** 2)


def test_a_step_is_that_of_the_twin() -> None:
    torch = pytest.importorskip("torch")
    model = models.create("wgan_gp", in_channels=1, image_size=28, latent_dim=6, width=4).double()
    twin, before = with_weights_of(model, twin_of(torch, 28, 1, 6, 4)), state(model)
    x, source = images(6, 1, 28), generator()
    draws = [(model.noise(3, source).numpy(), tc.rand(3, generator=source, dtype="float64").numpy())]
    draws.append((model.noise(3, source).numpy(), tc.rand(3, generator=source, dtype="float64").numpy()))
    last = model.noise(3, source).numpy()
    both = (tc.optim.SGD(part.parameters(), lr=0.1) for part in (model.generator, model.discriminator))
    losses = wgan.step(model, tc.tensor(x), wgan.Optimizers(*both), generator(), critic_steps=2, weight=7)

    g, d = (torch.optim.SGD(part.parameters(), lr=0.1) for part in (twin.generator, twin.discriminator))
    generate, critic = twin.generator.main, twin.discriminator.main
    for real, (noise, share) in zip(torch.from_numpy(x).split(3), draws, strict=True):
        fake = generate(torch.from_numpy(noise)[:, :, None, None]).detach()
        penalty = penalty_of(torch, critic, real, fake, share)
        distance = critic(real).mean() - critic(fake).mean()
        d.zero_grad()
        (7 * penalty - distance).backward()
        d.step()
    loss_g = -critic(generate(torch.from_numpy(last)[:, :, None, None])).mean()
    loss_g.backward()
    g.step()
    expected = {"critic": 7 * penalty - distance, "distance": distance, "penalty": penalty}
    expected["generator"] = loss_g
    # The distance is a small difference of scores near each other.
    assert losses == pytest.approx({name: x.item() for name, x in expected.items()}, rel=1e-8, abs=1e-12)
    assert_same_steps(before, model, twin, 1e-7)


@pytest.mark.parametrize("size", (28, 64))
def test_an_update_changes_all_of_one_network_and_nothing_of_the_other(size: int) -> None:
    model = models.create("wgan_gp", in_channels=1, image_size=size, latent_dim=6, width=4)
    x, found = tc.tensor(images(4, 1, size, dtype="float32")), []
    optimizers = wgan.optimizers(model)
    for turn in wgan.turns(model, x, critic_steps=1):
        before = state(model)
        update(getattr(optimizers, turn.network), turn.loss)
        assert_only_one_changed(model, before, turn.network)
        found.append(turn.network)
    assert found == ["discriminator", "generator"]


def test_wrong_arguments() -> None:
    model = models.create("wgan_gp", in_channels=1, image_size=28, width=2)
    x = tc.zeros(6, 1, 28, 28)
    with pytest.raises(ShapeError, match=r"wgan\.step: images .* 5 \* N"):
        wgan.step(model, x, wgan.optimizers(model))
    for fake, share in ((x[:3], tc.zeros(6)), (x, tc.zeros(3))):
        with pytest.raises(ShapeError, match="gradient_penalty: generated, share"):
            wgan.gradient_penalty(model.discriminator, x, fake, share)


CENTRES = np.stack([np.cos(np.arange(8) * np.pi / 4), np.sin(np.arange(8) * np.pi / 4)], 1)


def dense(inputs: int, outputs: int, width: int = 48) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, outputs)
    )


def test_a_ring_of_gaussians_is_learned() -> None:
    """Eight Gaussians on a circle of radius 1: none is forgotten, and the points are near them."""
    tc.manual_seed(0)
    model = Adversarial(dense(2, 2), dense(2, 1), latent_dim=2)
    optimizers, rng = wgan.optimizers(model, lr=3e-3), np.random.default_rng(0)
    for _ in range(300):
        points = CENTRES[rng.integers(0, 8, 5 * 64)] + 0.05 * rng.standard_normal((5 * 64, 2))
        losses = wgan.step(model, tc.tensor(points.astype("float32")), optimizers, weight=1)
    points = model.sample(2000, generator()).numpy()
    distances = np.linalg.norm(points[:, None] - CENTRES, axis=2)
    shares = np.bincount(distances.argmin(1), minlength=8) / 2000
    assert losses["distance"] < 0.5
    assert (np.abs(points.mean(0)) < 0.2).all() and abs(np.linalg.norm(points, axis=1).mean() - 1) < 0.15
    assert shares.min() > 0.05
    assert np.median(distances.min(1)) < 0.25  # uniform on the circle: 0.195; on the disc: 0.4
