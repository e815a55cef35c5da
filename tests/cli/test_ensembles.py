"""`tinyconv eval` and `predict` of several runs, and with --tta: NumPy's mean of each network's answers."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

import tinyconv as tc
from tests.cli.command import tinyconv_command
from tinyconv import models
from tinyconv.data import SyntheticNuclei, split
from tinyconv.train.predict import load_model

OPTIONS = ["--data", "synthetic", "--images", 6, "--size", 32, "--batch-size", 2, "--held-out", 0.5]
LEARN = ["--steps", 40, "--epochs", 40, "--validate-every", 40, "--lr", 0.02, "--class-weights", "auto"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs on the same images, by networks that differ."""
    root = tmp_path_factory.mktemp("runs")
    for name, seed in (("first", 1), ("second", 2)):
        chosen = ["unet_bn", "--widths", "2,4"] if seed == 1 else ["segnet", "--widths", "3,3"]
        done = tinyconv_command("train", *chosen, *OPTIONS, *LEARN, "--run", root / name)
        assert done.exit_code == 0, (done.output, done.exception)
    return [root / "first", root / "second"]


def normal(image):
    """As the networks are given images: the 1st percentile is 0, the 99.8th 1, and grey three channels."""
    low, high = np.percentile(image, (1, 99.8))
    return np.repeat((image - low) / (high - low), 3, axis=0).astype(np.float32)


def mean_answer(runs, image, views):
    """The mean of the probabilities of each network, for each view turned back."""
    answers = []
    for run in runs:
        model = load_model(run, models.create)
        for turns in range(4) if views else [0]:
            for mirrored in (False, True) if views else [False]:
                view = np.rot90(image[..., ::-1] if mirrored else image, turns, (1, 2))
                with tc.no_grad():
                    scores = (
                        model(tc.tensor(np.ascontiguousarray(view)[None])).data.numpy()[0].astype(np.float64)
                    )
                back = np.rot90(1 / (1 + np.exp(-scores)), -turns, (1, 2))
                answers.append(back[..., ::-1] if mirrored else back)
    return np.mean(answers, axis=0)


def overlap(found, mask):
    return 2 * (found & mask).sum() / (found.sum() + mask.sum())


CASES = [
    pytest.param(number, views, id=f"{name}{' with views' if views else ''}")
    for number, name in (([0], "one"), ([0, 1], "both"))
    for views in (False, True)
]


@pytest.mark.parametrize(("numbers", "views"), CASES)
def test_eval(runs, tmp_path, numbers, views):
    chosen = [runs[number] for number in numbers]
    option = ["--tta"] if views else []
    done = tinyconv_command("eval", *chosen, *option, "--out", tmp_path)
    assert done.exit_code == 0, (done.output, done.exception)
    content = json.loads((tmp_path / "scores.json").read_text())
    assert content["runs"] == [str(run) for run in chosen] and content["tta"] is views
    _, held_out = split(SyntheticNuclei(6, 64, 0), 0.5, 0)
    assert len(content["images"]) == 3
    for entry in content["images"]:
        image, mask = held_out[entry["index"]]
        found = mean_answer(chosen, normal(image), views)[0] >= 0.5
        assert found.any() and not found.all()
        assert entry["dice"]["nuclei"] == pytest.approx(overlap(found, mask[0] > 0.5))


def test_the_four_ways_differ(runs):
    """Else the test above could not tell them apart."""
    _, held_out = split(SyntheticNuclei(6, 64, 0), 0.5, 0)
    image, mask = held_out[0]
    found = {
        overlap(mean_answer(some, normal(image), views)[0] >= 0.5, mask[0] > 0.5)
        for some in (runs[:1], runs[1:], runs)
        for views in (False, True)
    }
    assert len(found) == 6


@pytest.mark.parametrize("views", [False, True])
def test_predict(runs, tmp_path, views):
    _, held_out = split(SyntheticNuclei(6, 64, 0), 0.5, 0)
    pixels = (held_out[1][0] * 255).round().astype(np.uint8)
    file = tmp_path / "cells.png"
    Image.fromarray(pixels[0]).save(file)
    option = ["--tta"] if views else []
    done = tinyconv_command("predict", *runs, file, *option, "--out", tmp_path / "out")
    assert done.exit_code == 0, (done.output, done.exception)
    written = np.asarray(Image.open(tmp_path / "out" / "cells_mask.png"))
    expected = mean_answer(runs, normal(pixels.astype(np.float32) / 255), views)[0] >= 0.5
    np.testing.assert_array_equal(written, np.where(expected, 255, 0))
    assert f"cells.png: {100 * expected.mean():.1f} % nuclei" in done.stdout
