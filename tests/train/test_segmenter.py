"""Segmenter against NumPy: what each network answers, turned back and averaged here."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import tinyconv as tc
from tinyconv import nn
from tinyconv.errors import ShapeError
from tinyconv.train.segmenter import SLICES, Segmenter

RNG = np.random.default_rng(5)


def answer(model, images, exclusive):
    """Probabilities (N, K, \\*sides) of one network, by the formulas of sigmoid and softmax in float64."""
    with tc.no_grad():
        scores = model(tc.tensor(images)).data.numpy().astype(np.float64)
    if exclusive:
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)
    return scores if getattr(model, "probability", None) else 1 / (1 + np.exp(-scores))


def networks(kind, outputs, count=3):
    """Networks that see 3 pixels along each side, so that a mirrored or turned image has another answer."""
    made = []
    for seed in range(count):
        tc.manual_seed(seed)
        made.append(nn.Sequential(kind(1, 4, 3, padding=1), nn.Tanh(), kind(4, outputs, 3, padding=1)).eval())
    return made


@pytest.mark.parametrize(("exclusive", "outputs"), [(False, 1), (False, 2), (True, 3)])
@pytest.mark.parametrize("count", [1, 3])
def test_images(exclusive, outputs, count):
    models, image = networks(nn.Conv2d, outputs, count), RNG.normal(size=(1, 9, 12)).astype(np.float32)
    expected = np.mean([answer(model, image[None], exclusive)[0] for model in models], axis=0)
    found = Segmenter(models, exclusive, channels=1)(image)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-6)
    views = []
    for model, turns, mirrored in itertools.product(models, range(4), (False, True)):
        view = np.rot90(image[..., ::-1] if mirrored else image, turns, (1, 2))
        back = np.rot90(answer(model, np.ascontiguousarray(view)[None], exclusive)[0], -turns, (1, 2))
        views.append(back[..., ::-1] if mirrored else back)
    assert np.abs(np.mean(views, axis=0) - expected).max() > 1e-3
    found = Segmenter(models, exclusive, channels=1, views=True)(image)
    np.testing.assert_allclose(found, np.mean(views, axis=0), atol=1e-6)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("views", [False, True])
def test_volumes(dims, views):
    """To a network for images each slice is an image: more of them here than are asked about at a time."""
    models = networks(nn.Conv2d if dims == 2 else nn.Conv3d, 2, 2)
    volume = RNG.normal(size=(1, 2 * SLICES + 1, 8, 6)).astype(np.float32)

    def asked(model, images):
        if dims == 3:
            return answer(model, images[None], True)[0]
        return answer(model, np.ascontiguousarray(images.swapaxes(0, 1)), True).swapaxes(0, 1)

    members = [asked(model, volume) for model in models]
    if views:
        mirrored = np.ascontiguousarray(volume[..., ::-1])
        members += [asked(model, mirrored)[..., ::-1] for model in models]
    found = Segmenter(models, True, dims, 1, views)(volume)
    np.testing.assert_allclose(found, np.mean(members, axis=0), atol=1e-6)


class Halves(nn.Module):
    """Gives probabilities, and takes sides that are multiples of 4 only."""

    multiple, in_channels = 4, 3

    def __init__(self):
        super().__init__()
        self.probability = nn.Sigmoid()
        self.seen = []

    def forward(self, x):
        self.seen.append(x.shape)
        return self.probability(x[:, :1])


class Thirds(nn.Module):
    """Gives scores; sides are multiples of 6."""

    multiple, in_channels = 6, 3

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, x):
        self.seen.append(x.shape)
        return 3 * x[:, 1:2]


def test_networks_of_two_kinds():
    """A grey image is repeated; sides are padded to what both networks take; one sigmoid for each."""
    halves, thirds = Halves(), Thirds()
    image = RNG.normal(size=(1, 13, 25)).astype(np.float32)
    found = Segmenter([halves.train(), thirds])(image)
    grey = image[0].astype(np.float64)
    expected = (1 / (1 + np.exp(-grey)) + 1 / (1 + np.exp(-3 * grey))) / 2
    np.testing.assert_allclose(found[0], expected, atol=1e-6)
    assert halves.seen == thirds.seen == [(1, 3, 24, 36)] and not halves.training


def test_what_networks_for_volumes_do_not_take():
    with pytest.raises(ShapeError, match=r"a volume \(C, D, H, W\)"):
        Segmenter(networks(nn.Conv3d, 1), dims=3, channels=1)(np.zeros((1, 8, 8), np.float32))


def test_labels():
    one = np.array([[0.2, 0.5, 0.9]])
    assert Segmenter(nn.Conv2d(1, 1, 1)).labels(one).tolist() == [0, 1, 1]
    three = np.array([[0.4, 0.1, 0.1, 0.9], [0.3, 0.5, 0.2, 0.1], [0.3, 0.4, 0.7, 0.8]])
    assert Segmenter(nn.Conv2d(1, 3, 1), exclusive=True).labels(three).tolist() == [0, 1, 2, 0]
    assert Segmenter(nn.Conv2d(1, 3, 1)).labels(three).tolist() == [0, 2, 3, 3]
