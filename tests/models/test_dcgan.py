"""DCGAN against the paper's layers written in PyTorch, and one step of training of both."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tests.models.generation import (
    assert_only_one_changed,
    assert_same_steps,
    generator,
    images,
    relative_error,
    state,
    with_weights_of,
)
from tinyconv import models
from tinyconv.errors import ArgumentError, DtypeError, ShapeError
from tinyconv.models import dcgan
from tinyconv.models.adversarial import update


def twin_of(torch: Any, size: int, channels: int, latent: int, width: int) -> Any:
    """The two networks for 28x28 and 64x64 as the paper describes them; the sigmoid included."""
    layers = torch.nn

    def up(inputs: int, outputs: int) -> tuple[Any, ...]:
        convolution = layers.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False)
        return convolution, layers.BatchNorm2d(outputs), layers.ReLU()

    def down(inputs: int, outputs: int) -> tuple[Any, ...]:
        convolution = layers.Conv2d(inputs, outputs, 4, 2, 1, bias=False)
        return convolution, layers.BatchNorm2d(outputs), layers.LeakyReLU(0.2)

    w = width
    widest, side = {28: (2 * w, 7), 64: (8 * w, 4)}[size]
    generate = [
        *(
            layers.ConvTranspose2d(latent, widest, side, bias=False),
            layers.BatchNorm2d(widest),
            layers.ReLU(),
        ),
        *({28: (), 64: (*up(8 * w, 4 * w), *up(4 * w, 2 * w))}[size]),
        *up(2 * w, w),
        *(layers.ConvTranspose2d(w, channels, 4, 2, 1, bias=False), layers.Tanh()),
    ]
    tell = [
        *(layers.Conv2d(channels, w, 4, 2, 1, bias=False), layers.LeakyReLU(0.2)),
        *down(w, 2 * w),
        *({28: (), 64: (*down(2 * w, 4 * w), *down(4 * w, 8 * w))}[size]),
        *(layers.Conv2d(widest, 1, side, bias=False), layers.Sigmoid()),
    ]
    twin = layers.Module()
    twin.generator, twin.discriminator = layers.Module(), layers.Module()
    twin.generator.main, twin.discriminator.main = layers.Sequential(*generate), layers.Sequential(*tell)
    return twin


def parameters(model: Any) -> int:
    return sum(p.numel() for p in model.parameters())


def test_parameters_of_the_paper_s_figure() -> None:
    model = models.create("dcgan")
    convolutions = 100 * 1024 + 1024 * 512 + 512 * 256 + 256 * 128 + 128 * 3
    assert parameters(model.generator) == 16 * convolutions + 2 * (1024 + 512 + 256 + 128)
    convolutions = 3 * 128 + 128 * 256 + 256 * 512 + 512 * 1024 + 1024 * 1
    assert parameters(model.discriminator) == 16 * convolutions + 2 * (256 + 512 + 1024)


def test_parameters_at_half_the_width() -> None:
    """As wide as in PyTorch's example of a DCGAN."""
    model = models.create("dcgan", width=64)
    assert (parameters(model.generator), parameters(model.discriminator)) == (3_576_704, 2_765_568)


@pytest.mark.parametrize(("dtype", "within"), (("float32", 1e-4), ("float64", 1e-10)))
@pytest.mark.parametrize(("size", "channels"), ((28, 1), (64, 3)))
def test_output_is_that_of_the_twin(size: int, channels: int, dtype: str, within: float) -> None:
    torch = pytest.importorskip("torch")
    model = models.create("dcgan", in_channels=channels, image_size=size, latent_dim=12, width=8).to(dtype)
    twin = with_weights_of(model, twin_of(torch, size, channels, 12, 8), dtype)
    noise = model.noise(3, generator())
    ours = model(noise)
    theirs = twin.generator.main(torch.from_numpy(noise.numpy())[:, :, None, None])
    assert ours.shape == (3, channels, size, size) and ours.dtype == dtype
    assert relative_error(ours, theirs) < within
    x = images(3, channels, size, dtype=dtype)
    answers = model.discriminator(tc.tensor(x))
    assert answers.shape == (3,)
    assert (
        relative_error(answers.sigmoid(), twin.discriminator.main(torch.from_numpy(x)).reshape(-1)) < within
    )


@pytest.mark.parametrize(("size", "channels"), ((28, 1), (64, 3)))
def test_a_step_is_that_of_the_twin(size: int, channels: int) -> None:
    torch = pytest.importorskip("torch")
    model = models.create("dcgan", in_channels=channels, image_size=size, latent_dim=6, width=4).double()
    twin, before = with_weights_of(model, twin_of(torch, size, channels, 6, 4)), state(model)
    x, noise = images(4, channels, size), model.noise(4, generator()).numpy()
    both = (tc.optim.SGD(part.parameters(), lr=0.1) for part in (model.generator, model.discriminator))
    losses = dcgan.step(model, tc.tensor(x), dcgan.Optimizers(*both), generator())

    g, d = (torch.optim.SGD(part.parameters(), lr=0.1) for part in (twin.generator, twin.discriminator))
    fake = twin.generator.main(torch.from_numpy(noise)[:, :, None, None])
    tell = twin.discriminator.main
    loss_d = -tell(torch.from_numpy(x)).log().mean() - (1 - tell(fake.detach())).log().mean()
    loss_d.backward()
    d.step()
    loss_g = -tell(fake).log().mean()
    g.zero_grad()
    loss_g.backward()
    g.step()
    assert losses == pytest.approx({"discriminator": loss_d.item(), "generator": loss_g.item()}, rel=1e-9)
    assert_same_steps(before, model, twin)


@pytest.mark.parametrize("size", (28, 64))
def test_an_update_changes_all_of_one_network_and_nothing_of_the_other(size: int) -> None:
    model = models.create("dcgan", in_channels=1, image_size=size, latent_dim=6, width=4)
    x, found = tc.tensor(images(4, 1, size, dtype="float32")), []
    optimizers = dcgan.optimizers(model)
    for turn in dcgan.turns(model, x):
        before = state(model)
        update(getattr(optimizers, turn.network), turn.loss)
        assert_only_one_changed(model, before, turn.network)
        found.append(turn.network)
    assert found == ["discriminator", "generator"]


def test_first_weights() -> None:
    model = models.create("dcgan", width=64)
    scales = []
    for module in model.modules():
        if isinstance(module, tc.nn.Conv2d | tc.nn.ConvTranspose2d):
            # The standard deviation of n numbers is known to about 1 / sqrt(2 n) of itself.
            n = module.weight.numel()
            assert abs(module.weight.std().item() / 0.02 - 1) < 5 / (2 * n) ** 0.5
            assert abs(module.weight.mean().item()) < 5 * 0.02 / n**0.5
        elif isinstance(module, tc.nn.BatchNorm2d):
            scales.append(module.weight.detach().numpy())
            assert not module.bias.detach().numpy().any()
    scale = np.concatenate(scales)
    assert abs(scale.mean() - 1) < 0.003 and 0.018 < scale.std() < 0.022


def test_samples_are_drawn_in_evaluation_mode_and_leave_the_model_alone() -> None:
    model = models.create("dcgan", in_channels=1, image_size=28, latent_dim=6, width=4)
    before = state(model)
    first, again = model.sample(5, generator()), model.sample(5, generator())
    assert first.shape == (5, 1, 28, 28) and not first.requires_grad
    assert (first.numpy() == again.numpy()).all() and np.abs(first.numpy()).max() <= 1
    # In training mode an image would depend on the others of its batch.
    assert np.allclose(first.numpy()[:2], model.sample(2, generator()).numpy(), atol=1e-6)
    assert model.training and all(module.training for module in model.modules())
    assert all((state(model)[name] == x).all() for name, x in before.items())
    assert (model.sample(5).numpy() != first.numpy()).any()


@pytest.mark.parametrize("size", (7, 4, 30, 36, 0, -28, 2.5, True))
def test_wrong_sizes(size: Any) -> None:
    with pytest.raises(ArgumentError, match="image_size"):
        models.create("dcgan", image_size=size)


@pytest.mark.parametrize("size", (8, 16, 20, 24, 28, 32, 48, 56))
def test_other_sizes(size: int) -> None:
    model = models.create("dcgan", in_channels=2, image_size=size, latent_dim=3, width=2)
    assert model.discriminator(model.sample(2)).shape == (2,)
    assert model.sample(1).shape == (1, 2, size, size)


@pytest.mark.parametrize("name", ("in_channels", "latent_dim", "width"))
def test_wrong_numbers(name: str) -> None:
    with pytest.raises(ArgumentError, match=f"{name} is 0"):
        models.create("dcgan", **{name: 0})


@pytest.mark.parametrize("shape", ((2, 1, 64, 64), (2, 3, 28, 28), (3, 64, 64)))
def test_wrong_images(shape: tuple[int, ...]) -> None:
    model = models.create("dcgan", width=2)
    with pytest.raises(ShapeError, match=r"Discriminator: input .*\(N, 3, 64, 64\)"):
        model.discriminator(tc.zeros(*shape))


def test_wrong_noise() -> None:
    model = models.create("dcgan", width=2)
    for shape in ((2, 99), (100,), (2, 100, 2, 2), (2, 100, 1)):
        with pytest.raises(ShapeError, match=r"Generator: latent .*\(N, 100\)"):
            model(tc.zeros(*shape))
    assert model(tc.zeros(2, 100, 1, 1)).shape == (2, 3, 64, 64)
    for wrong in (np.zeros((2, 100)), tc.zeros(2, 100, dtype="int64"), None):
        with pytest.raises(DtypeError, match="latent"):
            model(wrong)
    with pytest.raises(ArgumentError, match="n is 0"):
        model.sample(0)


@pytest.mark.parametrize("name", ("dcgan", "wgan", "acgan", "vae", "autoencoder"))
def test_a_step_with_what_is_no_tensor_of_images(name: str) -> None:
    family = getattr(models, name)
    model = models.create({"wgan": "wgan_gp"}.get(name, name), in_channels=1, image_size=28)
    labels = [tc.zeros(2, dtype="int64")] if name == "acgan" else []
    optimizers = (
        family.optimizers(model) if hasattr(family, "optimizers") else tc.optim.SGD(model.parameters())
    )
    for wrong in (np.zeros((2, 1, 28, 28)), tc.zeros(2, 1, 28, 28, dtype="int64")):
        with pytest.raises(DtypeError, match=r"images|input"):
            family.step(model, wrong, *labels, optimizers)
