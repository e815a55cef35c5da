"""Two networks trained in turns by the loop of all training."""

from __future__ import annotations

import numpy as np
import pytest

import tinyconv as tc
from tests.models.generation import assert_only_one_changed, state
from tinyconv import models
from tinyconv.data import DataLoader
from tinyconv.errors import ArgumentError, TrainingError
from tinyconv.models import dcgan
from tinyconv.models.adversarial import Turn
from tinyconv.train.adversarial_trainer import AdversarialTrainer

SIZES = {"in_channels": 1, "image_size": 8, "latent_dim": 3, "width": 4}


def batches(count=4):
    rng = np.random.default_rng(0)
    return [(rng.uniform(-1, 1, (1, 8, 8)).astype(np.float32), place) for place in range(4 * count)]


def trainer_of(model, turns, data, epochs=1, **options):
    optimizers = dcgan.optimizers(model)._asdict()
    return AdversarialTrainer(model, optimizers, turns, DataLoader(data, 4), epochs, **options)


def unlabelled(model, images, labels, generator):
    return dcgan.turns(model, images, generator)


def test_its_steps_are_those_of_the_network_s_own_function():
    tc.manual_seed(1)
    one, other = (models.create("dcgan", **SIZES) for _ in range(2))
    other.load_state_dict(one.state_dict())
    data, random = batches(), tc.get_rng_state()
    trainer = trainer_of(one, unlabelled, data)
    trainer.fit()
    tc.set_rng_state(random)
    optimizers = dcgan.optimizers(other)
    for images, _ in DataLoader(data, 4):
        losses = dcgan.step(other, images, optimizers)
    assert trainer.last.values == losses and trainer.loss_value == losses["discriminator"]
    assert trainer.position.step == 4
    for (name, ours), theirs in zip(one.state_dict().items(), other.state_dict().values(), strict=True):
        assert (ours.array == theirs.array).all(), name


def test_gradients_are_clipped_for_each_network_by_itself():
    model = models.create("dcgan", **SIZES)
    trainer = trainer_of(model, unlabelled, batches(1), clip_norm=1e-3)
    seen = []
    clip = trainer._clip_gradients

    def spy(parameters):
        parameters = list(parameters)
        clip(parameters)
        seen.append(np.sqrt(sum((p.grad.numpy().astype(np.float64) ** 2).sum() for p in parameters)))

    trainer._clip_gradients = spy
    trainer.fit()
    assert seen == pytest.approx([1e-3, 1e-3], rel=1e-3)


def test_the_turn_that_was_not_finite_is_named_and_makes_no_update():
    model = models.create("dcgan", **SIZES)

    def turns(model, images, labels, generator):
        yield next(dcgan.turns(model, images, generator))
        yield Turn("generator", {"generator": (model(model.noise(4, generator)) * 0).log().mean()})

    before = state(model)
    message = r"step 1 .* the loss is not finite, made first by Log at .*turns"
    with pytest.raises(TrainingError, match=message):
        trainer_of(model, turns, batches()).fit()
    assert_only_one_changed(model, before, "discriminator")


def test_a_gradient_that_is_not_finite_makes_no_update():
    model = models.create("dcgan", **SIZES)

    def turns(model, images, labels, generator):
        yield next(dcgan.turns(model, images, generator))
        yield Turn("generator", {"generator": (model(model.noise(4, generator)) * 0).abs().sqrt().mean()})

    before = state(model)
    with pytest.raises(TrainingError, match=r"step 1 .* the gradient is not finite, made first in Abs\b"):
        trainer_of(model, turns, batches(1)).fit()
    assert_only_one_changed(model, before, "discriminator")


def test_what_cannot_be_done_with_two_networks():
    model = models.create("dcgan", **SIZES)
    for options in ({"accumulate": 2}, {"on_not_finite": "skip"}):
        with pytest.raises(ArgumentError, match="accumulate, on_not_finite"):
            trainer_of(model, unlabelled, batches(), **options)
