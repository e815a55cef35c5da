"""config.json of a run: every valid one is read as it was written; a damaged one is read or refused."""

from __future__ import annotations

import json
import os
from math import isfinite

import pytest
from hypothesis import given

from tests.fuzzing import by_chance, many_cases, spoilt, text
from tinyconv.errors import CheckpointError
from tinyconv.models.generation import METHODS
from tinyconv.train import class_recipe, generation_recipe, recipes
from tinyconv.train.checkpoint import signed
from tinyconv.train.class_config import ClassConfig
from tinyconv.train.folder import RunFolder
from tinyconv.train.generation_config import GENERATION, GenerationConfig
from tinyconv.train.mask_config import Config
from tinyconv.train.mask_loss import LOSSES, UNWEIGHTED
from tinyconv.train.mask_sources import BRAIN, KAGGLE, MADE, NIFTI, PAIRS


def whole(random, low, high):
    """A whole number; the ends and small ones more often."""
    kind = random.randrange(4)
    if kind == 0:
        return random.choice((low, high))
    if kind == 1:
        return random.randint(low, min(low + 9, high))
    return min(max(low, low + int(2 ** random.uniform(0, (high - low).bit_length())) - 1), high)


def real(random, low, high):
    """A number; the ends, whole ones and those near 0 more often."""
    kind = random.randrange(5)
    if kind == 0:
        return random.choice((low, high))
    if kind == 1 and high >= 1:
        return random.randint(max(1, int(low)), min(int(high), 10**6))
    if kind == 2:
        return min(max(low, (random.random() - (low < 0) * 0.5) * 10.0 ** random.randint(-12, 12)), high)
    return random.uniform(low, high)


def maybe(random, draw, *arguments):
    return None if random.random() < 0.5 else draw(random, *arguments)


def several(random, least, most, draw, *arguments):
    return [draw(random, *arguments) for _ in range(random.randint(least, most))]


def weights(random, count):
    numbers = several(random, count, count, real, 0, 1e9)
    return random.choice((None, "auto", numbers if any(numbers) else [1.0] * count))


def option(random):
    kind = random.randrange(3)
    return (whole(random, -(2**70), 2**70), several(random, 0, 4, whole, -9, 9), text(random))[kind]


def step_options(random):
    return {
        "accumulate": whole(random, 1, 2**16),
        "clip_norm": maybe(random, real, 1e-12, 1e12),
        "ema": maybe(random, real, 0, 1 - 1e-9),
        "patience": maybe(random, whole, 1, 2**31),
        "on_not_finite": random.choice(("stop", "skip")),
        "tensorboard": random.random() < 0.5,
        "on_bad_image": random.choice(("stop", "skip")),
        "epochs": whole(random, 1, 2**31),
        "steps": maybe(random, whole, 1, 2**31),
        "minutes": maybe(random, real, 1e-3, 1e6),
        "batch_size": whole(random, 1, 2**16),
        "lr": real(random, 1e-12, 1e3),
        "held_out": random.choice((1e-9, 1 - 1e-9, random.uniform(1e-9, 1 - 1e-9))),
        "seed": whole(random, 0, 2**64 - 1),
        "validate_every": whole(random, 1, 2**31),
        "model": text(random),
        "label": text(random),
        "model_options": {
            name: option(random) for name in ("num_classes", "widths", "padding") if random.random() < 0.3
        },
    }


def mask_config(random):
    """Options of a run that trains a segmentation, any that make sense."""
    exclusive, volumes = random.random() < 0.5, random.random() < 0.5
    names = several(random, 2 if exclusive else 1, 4, text)
    loss = random.choice(LOSSES[exclusive])
    multiple, dims = random.choice((1, 2, 16, 17)), random.choice((2, 3) if volumes else (2,))
    data = random.choice((*MADE, BRAIN, "a folder", "/é/\n"))
    known = data in (*MADE, BRAIN)
    bordered = len(names) == 1 and not volumes and "bce" in loss
    return Config(
        **step_options(random),
        data=data,
        layout=data if known else random.choice((KAGGLE, PAIRS, NIFTI)),
        stain=random.choice(("all", "fluorescence")),
        images=whole(random, 2, 2**31),
        size=multiple * random.randint(1, 100),
        depth=multiple * random.randint(1, 100),
        multiple=multiple,
        dims=dims,
        max_held_out=maybe(random, whole, 1, 2**31),
        names=names,
        exclusive=exclusive,
        volumes=volumes,
        channels=whole(random, 1, 2**16),
        patches=whole(random, 1, 2**20),
        loss=loss,
        class_weights=None if loss in UNWEIGHTED else weights(random, len(names)),
        border=maybe(random, real, 0, 1e6) if bordered else None,
    )


def class_config(random):
    """Options of a run that trains a classifier, any that make sense."""
    classes = several(random, 2, 4, text)
    shape = several(random, 3, 3, whole, 1, 2**14)
    count = random.choice((1, shape[0])) if shape[0] < 5 else 1
    return ClassConfig(
        **step_options(random),
        data=text(random),
        folder=text(random),
        classes=classes,
        shape=shape,
        images=whole(random, 2, 2**31),
        there=whole(random, 2, 2**31),
        shift=whole(random, 0, min(shape[1:]) - 1),
        flip=random.random() < 0.5,
        balanced=random.random() < 0.5,
        mean=several(random, count, count, real, -1e6, 1e6),
        std=several(random, count, count, real, 1e-9, 1e6),
        class_weights=weights(random, len(classes)),
    )


def generation_config(random):
    """Options of a run that trains a network to make images, any that make sense."""
    fields = {**vars(class_config(random)), "balanced": False, "class_weights": None, "task": GENERATION}
    return GenerationConfig(**fields, noise=real(random, 0, 1e3))


def any_config(random):
    return random.choice((mask_config, class_config, generation_config))(random)


def spoilt_config(random):
    return spoilt(random, vars(any_config(random)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the files go; nothing is forced to the disk."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", lambda handle: None)
        yield tmp_path_factory.mktemp("runs")


def numbers(value):
    """All numbers in nested lists and dictionaries."""
    if isinstance(value, list | dict):
        for entry in value.values() if isinstance(value, dict) else value:
            yield from numbers(entry)
    elif isinstance(value, int | float):
        yield value


@given(by_chance(any_config))
@many_cases()
def test_what_makes_sense_is_read_as_it_was_written(folder, config):
    RunFolder(folder, config).write_json("config.json", signed(vars(config)))
    assert RunFolder.open(folder).config == config


@given(by_chance(spoilt_config))
@many_cases()
def test_damaged_configs(folder, content):
    (folder / "config.json").write_bytes(content)
    try:
        found = RunFolder.open(folder).config
    except CheckpointError as error:
        assert "\n" not in str(error)
        return
    kind = type(found)
    assert kind.from_json("again", json.loads(json.dumps(vars(found)))) == found
    options = {key: value for key, value in vars(found).items() if key != "model_options"}
    assert all(map(isfinite, numbers(options)))
    assert found.seed < 2**64 and found.batch_size >= 1 and 0 < found.held_out < 1 and found.lr > 0
    if kind is GenerationConfig:
        assert generation_recipe.describe(found, 3, 2, METHODS["wgan_gp"])
    else:
        assert (class_recipe if kind is ClassConfig else recipes).describe(found, 3, 2)
