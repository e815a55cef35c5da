from __future__ import annotations

import math

import pytest

from tests.train.configs import make_config
from tinyconv import models, nn
from tinyconv.errors import ArgumentError
from tinyconv.train import EMA, EarlyStopping, class_recipe, recipes
from tinyconv.train.mask_config import Config
from tinyconv.train.step_options import StepOptions


@pytest.mark.parametrize(
    "option",
    [
        {"accumulate": 0}, {"accumulate": 1.5}, {"accumulate": "2"}, {"clip_norm": 0.0},
        {"clip_norm": math.nan}, {"ema": 1.0}, {"ema": -0.1}, {"patience": 0}, {"patience": True},
        {"on_not_finite": "ignore"}, {"on_not_finite": 3},
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_named(option):
    with pytest.raises(ArgumentError) as caught:
        make_config("unet", "synthetic", None, quick=True, **option)
    assert caught.value.argument == next(iter(option))


@pytest.mark.parametrize("option", [{"images": "x"}, {"images": 1}, {"ema": 2}, {"epochs": 0.5}])
def test_classifiers_name_it_too(option):
    with pytest.raises(ArgumentError) as caught:
        class_recipe.make_config("mlp", "digits", None, True, models.fit_classifier, **option)
    assert caught.value.argument == next(iter(option))


def test_what_they_stand_for():
    model = nn.Linear(1, 1)
    assert StepOptions().callbacks(model, "dice") == []
    ema, stopping = StepOptions(ema=0.9, patience=3).callbacks(model, "dice")
    assert isinstance(ema, EMA) and ema.decay == 0.9
    assert isinstance(stopping, EarlyStopping) and (stopping.score, stopping.patience) == ("held_out_dice", 3)
    assert stopping.mode == "max"
    (stopping,) = StepOptions(patience=2).callbacks(model, "loss")
    assert isinstance(stopping, EarlyStopping) and (stopping.score, stopping.mode) == ("held_out_loss", "min")


def test_runs_of_earlier_versions_have_the_defaults():
    config = make_config("unet", "synthetic", None, quick=True)
    fields = {name: value for name, value in vars(config).items() if name not in vars(StepOptions())}
    assert Config.from_json("config.json", fields) == config


@pytest.mark.parametrize("data", ["synthetic", "digits"])
def test_minutes_are_the_only_end_unless_another_is_given(data):
    def config(**given):
        if data == "digits":
            return class_recipe.make_config("mlp", data, None, False, models.fit_classifier, **given)
        return make_config("unet", data, None, quick=False, **given)

    usual, by_the_clock = config(), config(minutes=2.0)
    assert usual.epochs < 100 < 10**5 < by_the_clock.epochs
    assert by_the_clock.validate_every > usual.validate_every
    assert config(minutes=2.0, validate_every=3).validate_every == 3
    both = config(minutes=2.0, epochs=7)
    assert (both.epochs, both.validate_every) == (7, usual.validate_every)
    describe = class_recipe.describe if data == "digits" else recipes.describe
    assert describe(by_the_clock, 80, 20).endswith(" at most 2 minutes")
    steps = {"digits": 7 * 3, "synthetic": 7 * 20}[data]
    assert describe(both, 80, 20).endswith(f" at most {steps} steps or 2 minutes")
