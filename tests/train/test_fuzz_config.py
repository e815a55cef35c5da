"""config.json of a run: every valid one is read as it was written; a damaged one is read or refused."""

from __future__ import annotations

import json
from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzzing import many_cases, spoilt
from tinyconv.errors import CheckpointError
from tinyconv.train import class_recipe, recipes
from tinyconv.train.class_config import ClassConfig
from tinyconv.train.folder import RunFolder
from tinyconv.train.mask_config import Config
from tinyconv.train.mask_loss import LOSSES, UNWEIGHTED
from tinyconv.train.mask_sources import BRAIN, KAGGLE, MADE, NIFTI, PAIRS

NAME = st.text(st.characters(codec="utf-8"), max_size=5)
OPTIONS = st.dictionaries(
    st.sampled_from(("num_classes", "widths", "padding")), st.integers() | st.lists(st.integers()) | NAME
)


def floats(low, high):
    return st.floats(low, high) | st.integers(max(1, int(low)), min(int(high), 10**6))


def weights(count):
    numbers = st.lists(floats(0, 1e9), min_size=count, max_size=count).filter(any)
    return st.none() | st.just("auto") | numbers


def step_options(draw):
    return {
        "accumulate": draw(st.integers(1, 2**16)),
        "clip_norm": draw(st.none() | floats(1e-12, 1e12)),
        "ema": draw(st.none() | st.floats(0, 1 - 1e-9)),
        "patience": draw(st.none() | st.integers(1, 2**31)),
        "on_not_finite": draw(st.sampled_from(("stop", "skip"))),
        "tensorboard": draw(st.booleans()),
        "on_bad_image": draw(st.sampled_from(("stop", "skip"))),
        "epochs": draw(st.integers(1, 2**31)),
        "steps": draw(st.none() | st.integers(1, 2**31)),
        "minutes": draw(st.none() | floats(1e-3, 1e6)),
        "batch_size": draw(st.integers(1, 2**16)),
        "lr": draw(floats(1e-12, 1e3)),
        "held_out": draw(st.floats(1e-9, 1 - 1e-9)),
        "seed": draw(st.integers(0, 2**64 - 1)),
        "validate_every": draw(st.integers(1, 2**31)),
        "model": draw(NAME),
        "label": draw(NAME),
        "model_options": draw(OPTIONS),
    }


@st.composite
def mask_configs(draw):
    """Options of a run that trains a segmentation, any that make sense."""
    exclusive, volumes = draw(st.booleans()), draw(st.booleans())
    least = 2 if exclusive else 1
    names = draw(st.lists(NAME, min_size=least, max_size=4))
    loss = draw(st.sampled_from(LOSSES[exclusive]))
    multiple, dims = draw(st.sampled_from((1, 2, 16, 17))), draw(st.sampled_from((2, 3) if volumes else (2,)))
    data = draw(st.sampled_from((*MADE, BRAIN, "a folder", "/é/\n")))
    known = data in (*MADE, BRAIN)
    bordered = len(names) == 1 and not volumes and "bce" in loss
    return Config(
        **step_options(draw),
        data=data,
        layout=data if known else draw(st.sampled_from((KAGGLE, PAIRS, NIFTI))),
        stain=draw(st.sampled_from(("all", "fluorescence"))),
        images=draw(st.integers(2, 2**31)),
        size=multiple * draw(st.integers(1, 100)),
        depth=multiple * draw(st.integers(1, 100)),
        multiple=multiple,
        dims=dims,
        max_held_out=draw(st.none() | st.integers(1, 2**31)),
        names=names,
        exclusive=exclusive,
        volumes=volumes,
        channels=draw(st.integers(1, 2**16)),
        patches=draw(st.integers(1, 2**20)),
        loss=loss,
        class_weights=None if loss in UNWEIGHTED else draw(weights(len(names))),
        border=draw(st.none() | floats(0, 1e6)) if bordered else None,
    )


@st.composite
def class_configs(draw):
    """Options of a run that trains a classifier, any that make sense."""
    classes = draw(st.lists(NAME, min_size=2, max_size=4))
    shape = draw(st.lists(st.integers(1, 2**14), min_size=3, max_size=3))
    count = draw(st.sampled_from((1, shape[0]))) if shape[0] < 5 else 1
    return ClassConfig(
        **step_options(draw),
        data=draw(NAME),
        folder=draw(NAME),
        classes=classes,
        shape=shape,
        images=draw(st.integers(2, 2**31)),
        there=draw(st.integers(2, 2**31)),
        shift=draw(st.integers(0, min(shape[1:]) - 1)),
        flip=draw(st.booleans()),
        balanced=draw(st.booleans()),
        mean=draw(st.lists(st.floats(-1e6, 1e6), min_size=count, max_size=count)),
        std=draw(st.lists(st.floats(1e-9, 1e6), min_size=count, max_size=count)),
        class_weights=draw(weights(len(classes))),
    )


CONFIGS = mask_configs() | class_configs()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


def numbers(value):
    """All numbers in nested lists and dictionaries."""
    if isinstance(value, list | dict):
        for entry in value.values() if isinstance(value, dict) else value:
            yield from numbers(entry)
    elif isinstance(value, int | float):
        yield value


@given(CONFIGS)
@many_cases()
def test_what_makes_sense_is_read_as_it_was_written(folder, config):
    RunFolder(folder, config).write_json("config.json", vars(config))
    assert RunFolder.open(folder).config == config


@given(st.data())
@many_cases()
def test_damaged_configs(folder, data):
    config = data.draw(CONFIGS)
    (folder / "config.json").write_bytes(data.draw(spoilt([vars(config)])))
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
    assert (class_recipe if kind is ClassConfig else recipes).describe(found, 3, 2)
