"""docs/training.md: its program runs, and what it names is there."""

from __future__ import annotations

import inspect
import math
import re
from pathlib import Path

import numpy as np
import pytest

import tinyconv as tc
from tinyconv import models, train
from tinyconv.data import Digits
from tinyconv.train.recipes import ALIASES

PAGE = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, re.S)
SMALL = {
    "vae": {"image_size": 16, "width": 8},
    "autoencoder": {"image_size": 16, "widths": (8,)},
    "rednet": {"depth": 4, "width": 4},
    "dcgan": {"in_channels": 1, "image_size": 16, "width": 4},
    "acgan": {"in_channels": 1, "image_size": 32, "width": 4},
    "wgan_gp": {"in_channels": 1, "image_size": 16, "width": 4},
}


def test_the_program_runs_and_learns():
    program, _ = PROGRAMS
    names: dict = {}
    exec(program, names)
    assert names["trainer"].done
    assert train.accuracy(names["model"], names["images"]) > 0.9


def test_the_networks_take_the_sizes_that_the_page_says():
    (said,) = re.findall(
        r"`--widths 16,32,64` makes (.*?) smaller, `--width 16` (.*?); (.*?) has one", PAGE, re.S
    )
    for networks, option in zip(said, ("widths", "width", ""), strict=True):
        for name in re.findall(r"`(\w+)`", networks):
            taken = inspect.signature(models.registry._builders[ALIASES.get(name, name)]).parameters
            assert {"widths", "width"} & set(taken) == ({option} - {""}), name
    table = re.findall(
        r"`(\w+)`", PAGE[PAGE.index("| network | data |") : PAGE.index("A network gets as many")]
    )
    named = set(re.findall(r"`(\w+)`", " ".join(said)))
    assert named == set(table) - {"unet_slides"}


def test_the_program_that_trains_a_network_that_makes_images_learns_more_than_their_mean():
    names: dict = {}
    exec(PROGRAMS[1], names)
    digits = Digits()
    images = np.stack([digits[index][0] for index in range(len(digits))])
    with tc.no_grad():
        logits, mean, log_variance = names["model"](tc.tensor(images))
        loss = models.vae.negative_elbo(logits, tc.tensor(images), mean, log_variance).item()
    share = images.mean(axis=0).clip(1e-6, 1 - 1e-6).astype(float)
    of_the_mean = -(images * np.log(share) + (1 - images) * np.log(1 - share)).sum(axis=(1, 2, 3)).mean()
    assert loss < of_the_mean - 1


@pytest.mark.parametrize("name", SMALL)
def test_networks_that_make_images_take_the_steps_that_the_page_says(name):
    (step,) = re.findall(rf"\n\| `{name}`[^|]*\| `(models\..*?)`", PAGE)
    tc.manual_seed(0)
    model = models.create(name, **SMALL[name])
    before = [parameter.array.copy() for parameter in model.parameters()]
    size = SMALL[name].get("image_size", 16)
    optimizer = tc.optim.Adam(model.parameters(), lr=1e-3)
    images, labels = tc.rand(10, 1, size, size), tc.arange(10)
    names = {"models": models, "model": model, "images": images, "labels": labels, "optimizer": optimizer}
    exec(f"losses = {step}", names)
    assert all(math.isfinite(loss) for loss in names["losses"].values())
    changed = [(was != is_.array).any() for was, is_ in zip(before, model.parameters(), strict=True)]
    assert sum(changed) > 0.8 * len(changed)


def test_the_names_are_there():
    metrics = re.findall(r"`(\w+)(?:\([^`]*)?`", PAGE[PAGE.index("## Metrics") :])
    found = [name for name in metrics if name not in ("nan", "tc")]
    assert len(found) >= 15
    assert all(hasattr(tc.metrics, name) for name in found), found
    called = re.findall(
        r"`(EMA|EarlyStopping|MixedLoss|TensorBoard|find_learning_rate|class_weights)\(", PAGE
    )
    assert len(called) >= 4 and all(hasattr(train, name) for name in called)
