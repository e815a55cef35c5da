"""`tinyconv train --loss --class-weights --border`: what metrics.jsonl says the loss was is that of NumPy."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from tests.cli.command import metrics, refused, tinyconv_command
from tests.train import losses_by_hand
from tinyconv.data import Digits, SyntheticHeart, SyntheticOrgan, split
from tinyconv.train.class_session import ClassLoss
from tinyconv.train.mask_loss import LOSSES, MaskLoss

SMALL = ["--images", 4, "--size", 32, "--batch-size", 2, "--held-out", 0.25, "--steps", 2, "--widths", "2,4"]


@pytest.fixture
def asked(monkeypatch):
    """What the loss of a run is asked about, in float64: (output, target) of each step."""
    seen = []

    def watch(kind):
        real = kind.__call__

        def watched(self, output, target):
            seen.append((output.data.numpy().astype(np.float64), target.data.numpy().astype(np.float64)))
            return real(self, output, target)

        monkeypatch.setattr(kind, "__call__", watched)

    watch(MaskLoss)
    watch(ClassLoss)
    return seen


def train(folder, *arguments):
    """The losses of a run's steps, as it wrote them down."""
    done = tinyconv_command("train", *arguments, "--run", folder)
    assert done.exit_code == 0, (done.output, done.exception)
    return [line["loss"] for line in metrics(folder) if "loss" in line]


def options_of(folder):
    return json.loads((folder / "config.json").read_text())


@pytest.mark.parametrize("kind", [None, *LOSSES[False][1:]])
def test_losses_of_masks(tmp_path, asked, kind):
    chosen = [] if kind is None else ["--loss", kind]
    losses = train(tmp_path / "run", "unet_bn", "--data", "organs", *SMALL, *chosen)
    assert len(losses) == len(asked) == 2
    for loss, (output, target) in zip(losses, asked, strict=True):
        expected = losses_by_hand.of_masks(kind or "bce+dice", output, target)
        assert loss == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("kind", [None, *LOSSES[True][1:]])
def test_losses_of_classes(tmp_path, asked, kind):
    chosen = [] if kind is None else ["--loss", kind]
    losses = train(tmp_path / "run", "unet_bn", "--data", "hearts", *SMALL, *chosen)
    assert len(losses) == len(asked) == 2
    for loss, (output, target) in zip(losses, asked, strict=True):
        expected = losses_by_hand.of_classes(kind or "ce+dice", output, target[:, 0].astype(int))
        assert loss == pytest.approx(expected, rel=1e-5)


def test_weights_of_classes(tmp_path, asked):
    given = ["--loss", "ce", "--class-weights", "1,2.5,0.5"]
    (first, _) = train(tmp_path / "run", "unet_bn", "--data", "hearts", *SMALL, *given)
    output, target = asked[0]
    labels = target[:, 0].astype(int)
    assert first == pytest.approx(losses_by_hand.of_classes("ce", output, labels, [1, 2.5, 0.5]), rel=1e-5)
    assert abs(first - losses_by_hand.of_classes("ce", output, labels)) > 1e-3
    assert options_of(tmp_path / "run")["class_weights"] == [1, 2.5, 0.5]


def test_weights_of_classes_by_counting(tmp_path, asked):
    """ENet's: 1 / ln(1.02 + share), the shares those of the volumes that are trained on."""
    given = ["--loss", "ce", "--class-weights", "auto"]
    (first, _) = train(tmp_path / "run", "unet_bn", "--data", "hearts", *SMALL, *given)
    training, _ = split(SyntheticHeart(4, seed=0), 0.25, 0)
    labels = np.concatenate([training[index][1].ravel() for index in range(3)]).astype(int)
    weights = 1 / np.log(1.02 + np.bincount(labels) / labels.size)
    np.testing.assert_allclose(options_of(tmp_path / "run")["class_weights"], weights, rtol=1e-6)
    output, target = asked[0]
    expected = losses_by_hand.of_classes("ce", output, target[:, 0].astype(int), weights)
    assert first == pytest.approx(expected, rel=1e-5)


def test_weights_of_masks_by_counting(tmp_path, asked):
    """A pixel inside counts as many times as there are pixels outside for each inside, 100 times at most."""
    (first, _) = train(tmp_path / "run", "unet_bn", "--data", "organs", *SMALL, "--class-weights", "auto")
    training, _ = split(SyntheticOrgan(4, seed=0), 0.25, 0)
    masks = np.concatenate([training[index][1].reshape(2, -1) for index in range(3)], axis=1)
    inside = masks.sum(axis=1)
    weights = np.minimum((masks.shape[1] - inside) / inside, 100)
    assert options_of(tmp_path / "run")["class_weights"] == pytest.approx(weights.tolist())
    assert first == pytest.approx(losses_by_hand.of_masks("bce+dice", *asked[0], weights), rel=1e-5)


@pytest.mark.parametrize("given", ["auto", "1,2,3,4,5,6,7,8,9,0.5"])
def test_weights_of_labels(tmp_path, asked, given):
    small = ["--images", 300, "--batch-size", 50, "--steps", 2]
    losses = train(tmp_path / "run", "mlp", "--data", "digits", *small, "--class-weights", given)
    weights = np.array([1, 2, 3, 4, 5, 6, 7, 8, 9, 0.5])
    if given == "auto":  # N / (C n), King and Zeng
        digits = Digits()
        chosen, _ = split(range(300), 0.2, 0)
        places = np.linspace(0, len(digits) - 1, 300).astype(int)
        counts = np.bincount([int(digits[places[index]][1]) for index in chosen], minlength=10)
        weights = counts.sum() / (10 * counts)
    np.testing.assert_allclose(options_of(tmp_path / "run")["class_weights"], weights, rtol=1e-6)
    for loss, (output, target) in zip(losses, asked, strict=True):
        expected = losses_by_hand.of_classes("ce", output, target.astype(int), weights)
        assert loss == pytest.approx(expected, rel=1e-5)


@pytest.fixture
def touching(tmp_path):
    """A folder of images of 32 x 32 pixels: two cells that nearly touch, and a third one far away."""
    mask = np.zeros((32, 32), np.uint8)
    mask[4:14, 3:10] = mask[6:16, 12:20] = mask[24:30, 22:30] = 255
    for number in range(4):
        for part, array in (("images", mask // 2 + 30 + number), ("masks", mask)):
            (tmp_path / "cells" / part).mkdir(parents=True, exist_ok=True)
            Image.fromarray(array).save(tmp_path / "cells" / part / f"{number}.png")
    return tmp_path / "cells"


def border_by_hand(mask, w0):
    """1 + w0 exp(-(d1 + d2)^2 / 50) outside of cells, each distance looked for among all pixels of a cell."""
    from scipy.ndimage import label

    cells, count = label(mask)
    places = np.stack(np.indices(mask.shape), axis=-1).astype(float)
    distances = np.sort(
        [
            np.linalg.norm(places[:, :, None] - places[cells == cell], axis=-1).min(axis=-1)
            for cell in range(1, count + 1)
        ],
        axis=0,
    )
    return 1 + np.where(mask > 0, 0, w0 * np.exp(-((distances[0] + distances[1]) ** 2) / 50))


@pytest.mark.parametrize("weights", [None, "3"])
def test_borders(touching, tmp_path, asked, weights):
    """The crops are the whole images here: mirrored and turned, which changes no distance."""
    small = [*SMALL[2:], "--border", 8, "--loss", "bce"]
    others = [] if weights is None else ["--class-weights", weights]
    losses = train(tmp_path / "run", "unet_bn", "--data", touching, *small, *others)
    assert len(losses) == 2
    for loss, (output, target) in zip(losses, asked, strict=True):
        assert target.shape[1:] == (2, 32, 32)
        pixels = np.stack([border_by_hand(image[0], 8.0)[None] for image in target])
        np.testing.assert_allclose(target[:, 1:], pixels, atol=1e-5)
        inside = 1.0 if weights is None else float(weights)
        expected = losses_by_hand.of_masks("bce", output, target[:, :1], inside, pixels)
        assert loss == pytest.approx(expected, rel=1e-5)
        assert loss > 1.05 * losses_by_hand.of_masks("bce", output, target[:, :1], inside)


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--border", 5, "--loss", "dice"], ["border is 5", "bce in the loss"]),
        (["--border", 5, "--data", "organs"], ["border is 5", "one kind of object"]),
        (["--border", -1], ["border is -1"]),
        (["--class-weights", "1,2"], ["class_weights is [1.0, 2.0]", "1 numbers, for ['nuclei']"]),
        (["--class-weights", "rare"], ["class_weights is 'rare'", "auto"]),
        (["--class-weights", "0,0,0", "--data", "hearts"], ["class_weights"]),
        (
            ["--class-weights", "1,2,3", "--data", "hearts", "--loss", "generalised-dice"],
            ["none next to --loss generalised-dice"],
        ),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, arguments, parts):
    refused(
        tinyconv_command("train", "unet_bn", "--widths", "2,4", *arguments, "--run", tmp_path / "run"), *parts
    )
    assert not (tmp_path / "run").exists()
