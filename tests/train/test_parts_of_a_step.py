"""Accumulated and clipped gradients, averaged weights, early stopping; what a checkpoint keeps of them."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinyconv as tc
from tinyconv import nn, optim
from tinyconv.data import DataLoader
from tinyconv.errors import ArgumentError, CheckpointError
from tinyconv.train import EMA, Callback, EarlyStopping, Trainer
from tinyconv.train.callback_state import callback_state, restore_callbacks
from tinyconv.train.checkpoint import Checkpoint, load_checkpoint, save_checkpoint


def linear_trainer(batch_size, count=10, optimizer=optim.SGD, **options):
    tc.manual_seed(1)
    rng = np.random.default_rng(2)
    items = [(rng.standard_normal(3), rng.standard_normal(1)) for _ in range(count)]
    model = nn.Linear(3, 1).double()
    loader = DataLoader(items, batch_size=batch_size)
    given = {"epochs": 2, **options}
    return Trainer(model, optimizer(model.parameters(), lr=0.1), nn.functional.mse_loss, loader, **given)


@pytest.mark.parametrize("count", [9, 10, 11, 12, 7])
def test_small_batches_together_are_a_large_one(count):
    """The last ones of an epoch too, which are fewer and smaller."""
    small, large = linear_trainer(2, count, accumulate=3), linear_trainer(6, count)
    small.fit(), large.fit()
    assert small.position.step == large.position.step == 2 * math.ceil(count / 6)
    assert small.total_steps == large.total_steps and small.done
    for ours, expected in zip(small.model.parameters(), large.model.parameters(), strict=True):
        np.testing.assert_allclose(ours.data.numpy(), expected.data.numpy(), rtol=1e-12)
    assert small.loss_value == pytest.approx(large.loss_value, rel=1e-12)


def test_going_on_between_accumulated_steps():
    whole = linear_trainer(2, accumulate=2)
    whole.fit()
    first = linear_trainer(2, accumulate=2)

    class Stop(Callback):
        def on_step(self, trainer):
            if trainer.position.step == 4:
                trainer.stop(2)

    first.callbacks.append(Stop())
    first.fit()
    assert (first.position.epoch, first.position.batch) == (1, 2)
    second = linear_trainer(2, accumulate=2)
    second.model.load_state_dict(first.model.state_dict())
    second.position = first.position
    second.fit()
    np.testing.assert_array_equal(second.model.weight.data.numpy(), whole.model.weight.data.numpy())


def test_a_clipped_step_has_the_length_it_may_have():
    moves = []

    class Length(Callback):
        def on_step(self, trainer):
            now = np.concatenate([p.data.numpy().ravel() for p in trainer.model.parameters()])
            moves.append((np.linalg.norm(now - self.before), trainer.gradient_norm))
            self.before = now.copy()

    length = Length()
    trainer = linear_trainer(2, clip_norm=0.01, callbacks=[length])
    length.before = np.concatenate([p.data.numpy().ravel() for p in trainer.model.parameters()]).copy()
    trainer.fit()
    assert all(norm > 0.01 for _, norm in moves)
    np.testing.assert_allclose([move for move, _ in moves], 0.1 * 0.01, rtol=1e-3)


@pytest.mark.parametrize(
    "options", [{"accumulate": 0}, {"accumulate": 1.5}, {"clip_norm": 0.0}, {"clip_norm": math.nan}]
)
def test_options_that_make_no_sense(options):
    with pytest.raises(ArgumentError, match=f"Trainer: {next(iter(options))}"):
        linear_trainer(2, **options)


def test_the_average_is_validated_and_training_goes_on_with_its_own_weights():
    seen, wanted = [], []
    trainer = linear_trainer(5, epochs=3)
    ema = EMA(trainer.model, decay=0.5)

    class Watch(Callback):
        """The average by hand: the first weights, then each by its decay."""

        mean, count = None, 0

        def on_step(self, trainer):
            weight = trainer.model.weight.data.numpy().copy()
            decay = min(0.5, (1 + self.count) / (10 + self.count))
            self.mean = weight if self.mean is None else decay * self.mean + (1 - decay) * weight
            self.count += 1

        def on_validation(self, trainer, scores):
            wanted.append(self.mean)
            seen.append(trainer.model.weight.data.numpy().copy())

    trainer.callbacks = [ema, Watch()]
    trainer.validate = dict
    trainer.fit()
    np.testing.assert_allclose(seen, wanted, rtol=1e-12)
    plain = linear_trainer(5, epochs=3)
    plain.fit()
    np.testing.assert_array_equal(trainer.model.weight.data.numpy(), plain.model.weight.data.numpy())
    np.testing.assert_allclose(ema.averaged.module.weight.data.numpy(), wanted[-1], rtol=1e-12)


def test_a_validation_that_fails_leaves_the_weights_as_they_were():
    trainer = linear_trainer(5)
    trainer.callbacks = [EMA(trainer.model)]
    weights = []

    class Last(Callback):
        def on_step(self, trainer):
            weights.append(trainer.model.weight.data.numpy().copy())

    trainer.callbacks.append(Last())
    trainer.validate = lambda: 1 / 0
    with pytest.raises(ZeroDivisionError):
        trainer.fit()
    np.testing.assert_array_equal(trainer.model.weight.data.numpy(), weights[-1])


def scores_of(values):
    remaining = iter(values)
    return lambda: {"score": next(remaining)}


@pytest.mark.parametrize(
    ("values", "options", "epochs"),
    [
        ([1, 2, 3, 4, 5, 6], {}, 6),
        ([1, 2, 2, 2, 9, 9], {}, 4),
        ([1, 0, 2, 1, 1, 9], {}, 5),
        ([3, 2, 1, 1, 1, 0], {"mode": "min"}, 5),
        ([1, 1.5, 1.9, 9, 9, 9], {"least": 1.0}, 3),
        ([math.nan, 1, math.nan, math.nan, 5, 5], {}, 4),
        ([math.nan, math.nan, 5, 5, 5, 5], {}, 2),
    ],
)
def test_it_stops_when_nothing_gets_better(values, options, epochs):
    stopping = EarlyStopping("score", patience=2, **options)
    trainer = linear_trainer(5, epochs=6, validate=scores_of(values), callbacks=[stopping])
    trainer.fit()
    assert trainer.position.epoch == epochs and trainer.done
    assert trainer.position.called_off == (epochs < 6)


@pytest.mark.parametrize("options", [{"patience": 0}, {"least": -1.0}, {"mode": "up"}])
def test_ways_to_stop_that_make_no_sense(options):
    with pytest.raises(ArgumentError, match=f"EarlyStopping: {next(iter(options))}"):
        EarlyStopping("score", **options)


def test_a_score_that_is_not_there():
    trainer = linear_trainer(5, validate=scores_of([1]), callbacks=[EarlyStopping("dice")])
    with pytest.raises(ArgumentError, match="score is 'dice', expected one of score"):
        trainer.fit()


@pytest.mark.parametrize("decay", [1, -0.1, math.nan, "0.9"])
def test_decays_that_make_no_sense(decay):
    with pytest.raises(ArgumentError, match="decay"):
        EMA(nn.Linear(1, 1), decay)


def trained(epochs, values=(3, 2, 1, 1)):
    trainer = linear_trainer(5, epochs=epochs, validate=scores_of(values))
    trainer.callbacks = [EMA(trainer.model, 0.9), EarlyStopping("score", patience=3)]
    return trainer


def test_callbacks_are_in_the_checkpoint(tmp_path):
    first = trained(2)
    first.fit()
    arrays, described = callback_state(first.callbacks)
    save_checkpoint(tmp_path, "last", Checkpoint("linear", {}, arrays, callbacks=described))
    second = trained(2)
    restore_callbacks(load_checkpoint(tmp_path, "last"), second.callbacks)
    (ema, stopping), (other, again) = first.callbacks, second.callbacks
    assert (again.best, again.waited) == (stopping.best, stopping.waited) == (3, 1)
    assert other.averaged.n_averaged.item() == 4
    np.testing.assert_array_equal(
        other.averaged.module.weight.data.numpy(), ema.averaged.module.weight.data.numpy()
    )


@pytest.mark.parametrize(
    ("described", "message"),
    [
        ({}, "of none, expected that of EMA too"),
        ({"EMA": {}}, "state of EMA is not usable"),
        ({"EMA": 3, "EarlyStopping": {}}, "state of EMA is not usable"),
    ],
)
def test_a_state_that_does_not_fit(described, message):
    with pytest.raises(CheckpointError, match=message):
        restore_callbacks(Checkpoint("linear", {}, {}, callbacks=described), trained(1).callbacks)
    kept, _ = callback_state(trained(1).callbacks[:1])
    bad = Checkpoint(
        "linear", {}, kept, callbacks={"EMA": {}, "EarlyStopping": {"best": "high", "waited": 1}}
    )
    with pytest.raises(CheckpointError, match="state of EarlyStopping is not usable"):
        restore_callbacks(bad, trained(1).callbacks)


def test_two_of_a_kind_are_told_apart():
    stopping = [EarlyStopping("a"), EarlyStopping("b")]
    stopping[1].waited = 5
    _, described = callback_state(stopping)
    assert [described[name]["waited"] for name in ("EarlyStopping", "EarlyStopping2")] == [0, 5]
