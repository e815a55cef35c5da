"""AC-GAN against the paper's table written in PyTorch, and classes of points that it learns to tell."""

from __future__ import annotations

from itertools import pairwise
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
from tinyconv import models, nn
from tinyconv.errors import ArgumentError, DtypeError, ShapeError
from tinyconv.models import acgan
from tinyconv.models.adversarial import update

SIZES = ((28, 1), (64, 3))


def twin_of(torch: Any, size: int, channels: int, latent: int, width: int) -> Any:
    """The two networks for 28x28 and 64x64, without dropout."""
    layers, w = torch.nn, width

    def up(inputs: int, outputs: int) -> tuple[Any, ...]:
        convolution = layers.ConvTranspose2d(inputs, outputs, 5, 2, 2, output_padding=1, bias=False)
        return convolution, layers.BatchNorm2d(outputs), layers.ReLU()

    def same(inputs: int, outputs: int, stride: int) -> tuple[Any, ...]:
        convolution = layers.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        return convolution, layers.BatchNorm2d(outputs), layers.LeakyReLU(0.2), layers.Dropout(0)

    widest, side = {28: (2 * w, 7), 64: (8 * w, 4)}[size]
    generate = [
        *(layers.Linear(latent, widest * side * side), layers.ReLU()),
        layers.Unflatten(1, (widest, side, side)),
        *({28: (), 64: (*up(8 * w, 4 * w), *up(4 * w, 2 * w))}[size]),
        *up(2 * w, w),
        *(layers.ConvTranspose2d(w, channels, 5, 2, 2, output_padding=1), layers.Tanh()),
    ]
    tell = [
        *(layers.Conv2d(channels, 16, 3, 2, 1), layers.LeakyReLU(0.2), layers.Dropout(0)),
        *(*same(16, 32, 1), *same(32, 64, 2), *same(64, 128, 1)),
    ]
    if size == 64:
        tell += [*same(128, 256, 2), *same(256, 512, 1), *same(512, 512, 2), *same(512, 512, 1)]
    features = {28: 128 * 7 * 7, 64: 512 * 4 * 4}[size]
    twin = layers.Module()
    twin.generator, twin.discriminator = layers.Module(), layers.Module()
    twin.generator.main = layers.Sequential(*generate)
    twin.discriminator.main = layers.Sequential(*tell, layers.Flatten())
    twin.discriminator.source, twin.discriminator.classes = (
        layers.Linear(features, 1),
        layers.Linear(features, 10),
    )
    return twin


def answers(twin: Any, x: Any) -> tuple[Any, Any]:
    """Probability that it is real, and log probabilities of the classes."""
    features = twin.discriminator.main(x)
    source = twin.discriminator.source(features).reshape(-1).sigmoid()
    return source, twin.discriminator.classes(features).log_softmax(1)


def small(size: int, channels: int) -> acgan.ACGAN:
    model = models.create("acgan", in_channels=channels, image_size=size, latent_dim=6, width=4, dropout=0.0)
    assert isinstance(model, acgan.ACGAN)
    return model


def test_parameters_of_the_paper_s_sizes() -> None:
    model = models.create("acgan")
    generator = 110 * 6144 + 6144 + 25 * (384 * 192 + 192 * 96 + 96 * 3) + 3 + 2 * (192 + 96)
    widths = (3, 16, 32, 64, 128, 256, 512)
    convolutions = sum(9 * a * b for a, b in pairwise(widths)) + 16
    norms, heads = 2 * (32 + 64 + 128 + 256 + 512), 11 * (512 * 4 * 4 + 1)
    assert sum(p.numel() for p in model.generator.parameters()) == generator
    assert sum(p.numel() for p in model.discriminator.parameters()) == convolutions + norms + heads


@pytest.mark.parametrize(("dtype", "within"), (("float32", 1e-4), ("float64", 1e-10)))
@pytest.mark.parametrize(("size", "channels"), SIZES)
def test_output_is_that_of_the_twin(size: int, channels: int, dtype: str, within: float) -> None:
    torch = pytest.importorskip("torch")
    model = small(size, channels).to(dtype)
    twin = with_weights_of(model, twin_of(torch, size, channels, 16, 4), dtype)
    code = model.code(model.noise(3, generator()), tc.tensor([9, 0, 4]))
    ours = model(code)
    assert ours.shape == (3, channels, size, size) and ours.dtype == dtype
    assert relative_error(ours, twin.generator.main(torch.from_numpy(code.numpy()))) < within
    x = images(3, channels, size, dtype=dtype)
    source, classes = model.discriminator(tc.tensor(x))
    expected = answers(twin, torch.from_numpy(x))
    assert source.shape == (3,) and classes.shape == (3, 10)
    assert relative_error(source.sigmoid(), expected[0]) < within
    assert relative_error(classes.log_softmax(1), expected[1]) < within


@pytest.mark.parametrize(("size", "channels"), SIZES)
def test_a_step_is_that_of_the_twin(size: int, channels: int) -> None:
    torch = pytest.importorskip("torch")
    model = small(size, channels).double()
    twin, before = with_weights_of(model, twin_of(torch, size, channels, 16, 4)), state(model)
    x, labels, source = images(4, channels, size), [3, 1, 4, 1], generator()
    noise, asked = model.noise(4, source).numpy(), model.labels(4, source).numpy()
    both = (tc.optim.SGD(part.parameters(), lr=0.1) for part in (model.generator, model.discriminator))
    losses = acgan.step(model, tc.tensor(x), tc.tensor(labels), acgan.Optimizers(*both), generator())

    g, d = (torch.optim.SGD(part.parameters(), lr=0.1) for part in (twin.generator, twin.discriminator))
    four = torch.arange(4)
    fake = twin.generator.main(torch.from_numpy(np.concatenate([noise, np.eye(10)[asked]], 1)))
    real_source, real_classes = answers(twin, torch.from_numpy(x))
    fake_source, fake_classes = answers(twin, fake.detach())
    likelihood = real_source.log().mean() + (1 - fake_source).log().mean()
    likelihood = likelihood + real_classes[four, labels].mean() + fake_classes[four, asked].mean()
    (-likelihood).backward()
    d.step()
    fake_source, fake_classes = answers(twin, fake)
    loss_g = -fake_source.log().mean() - fake_classes[four, asked].mean()
    g.zero_grad()
    loss_g.backward()
    g.step()
    assert losses == pytest.approx(
        {"discriminator": -likelihood.item(), "generator": loss_g.item()}, rel=1e-9
    )
    assert_same_steps(before, model, twin, 1e-7)


@pytest.mark.parametrize("size", (28, 64))
def test_an_update_changes_all_of_one_network_and_nothing_of_the_other(size: int) -> None:
    model = small(size, 1)
    x, found = tc.tensor(images(4, 1, size, dtype="float32")), []
    optimizers = acgan.optimizers(model)
    for turn in acgan.turns(model, x, tc.tensor([1, 2, 3, 4])):
        before = state(model)
        update(getattr(optimizers, turn.network), turn.loss)
        assert_only_one_changed(model, before, turn.network)
        found.append(turn.network)
    assert found == ["discriminator", "generator"]


def test_samples() -> None:
    model = small(28, 1)
    first = model.sample(3, generator(), labels=tc.tensor([0, 5, 9]))
    assert first.shape == (3, 1, 28, 28) and not first.requires_grad and model.training
    assert (first.numpy() == model.sample(3, generator(), labels=tc.tensor([0, 5, 9])).numpy()).all()
    other = model.sample(3, generator(), labels=tc.tensor([0, 6, 9])).numpy()
    assert [(a != b).any() for a, b in zip(first.numpy(), other, strict=True)] == [False, True, False]
    assert model.sample(5, generator()).shape == (5, 1, 28, 28)
    assert set(model.labels(500, generator()).tolist()) == set(range(10))


def test_wrong_arguments() -> None:
    model = small(28, 1)
    with pytest.raises(ArgumentError, match=r"labels is .*ints from 0 to 9"):
        model.sample(2, labels=tc.tensor([0, 10]))
    with pytest.raises(ShapeError, match=r"labels is of shape \(3,\)"):
        model.sample(2, labels=tc.tensor([0, 1, 2]))
    with pytest.raises(ShapeError, match=r"Discriminator: input .*\(N, 1, 28, 28\)"):
        model.discriminator(tc.zeros(2, 1, 32, 32))
    for labels in ([0, 1], tc.zeros(2)):
        with pytest.raises(DtypeError):
            model.sample(2, labels=labels)
    with pytest.raises(ArgumentError, match="num_classes is 0"):
        models.create("acgan", num_classes=0)


class TwoAnswers(nn.Module):
    """A discriminator of points, in the place of one of images."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.main = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 32), nn.LeakyReLU(0.2))
        self.source, self.classes = nn.Linear(32, 1), nn.Linear(32, classes)

    def forward(self, x: tc.Tensor) -> tuple[tc.Tensor, tc.Tensor]:
        features = self.main(x)
        return self.source(features).reshape(-1), self.classes(features)


def test_the_class_asked_for_is_made() -> None:
    """Three clouds of points, one per class: each class' points gather around its own centre."""
    tc.manual_seed(0)
    centres, rng = np.array([[1.0, 0], [-1, 1], [-1, -1]]), np.random.default_rng(0)
    model = models.create("acgan", num_classes=3, latent_dim=2)
    assert isinstance(model, acgan.ACGAN)
    model.generator = nn.Sequential(
        nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 2)
    )
    model.discriminator = TwoAnswers(3)
    optimizers = acgan.optimizers(model, lr=2e-3)
    for _ in range(600):
        labels = rng.integers(0, 3, 128)
        points = (centres[labels] + 0.2 * rng.standard_normal((128, 2))).astype("float32")
        acgan.step(model, tc.tensor(points), tc.tensor(labels), optimizers)
    for label, centre in enumerate(centres):
        points = model.sample(500, generator(), labels=tc.full((500,), label, dtype="int64")).numpy()
        assert np.linalg.norm(points.mean(0) - centre) < 0.3
