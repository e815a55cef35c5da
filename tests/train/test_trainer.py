from __future__ import annotations

import signal
import sys
from contextlib import nullcontext
from itertools import islice

import numpy as np
import pytest

import tinyconv as tc
from tinyconv.errors import ArgumentError, DataError, TrainingError
from tinyconv.train import Callback, warmup_cosine
from tinyconv.train import trainer as trainer_module


class Log(Callback):
    def __init__(self):
        self.events = []

    def on_step(self, trainer):
        position = trainer.position
        self.events.append(f"step {position.epoch}.{position.batch}")

    def on_validation(self, trainer, scores):
        self.events.append(f"validation {scores['score']}")

    def on_epoch_end(self, trainer):
        self.events.append("epoch end")

    def on_stop(self, trainer):
        self.events.append("stop")


class StopAt(Callback):
    def __init__(self, step, how=None):
        self.step, self.how = step, how

    def on_step(self, trainer):
        if trainer.position.step == self.step:
            if self.how is None:
                trainer.stop(signal.SIGINT)
            else:
                signal.raise_signal(self.how)


def test_hooks_are_called_in_order(make_trainer):
    log = Log()
    trainer = make_trainer(epochs=3, validate=lambda: {"score": 1}, validate_every=2, callbacks=[log])
    trainer.fit()
    epochs = [[f"step {e}.{b}" for b in (1, 2, 3)] for e in range(3)]
    assert log.events == [
        *epochs[0], "epoch end",
        *epochs[1], "validation 1", "epoch end",
        *epochs[2], "validation 1", "epoch end", "stop",
    ]  # fmt: skip
    assert trainer.done


def test_it_learns(make_trainer):
    losses = []

    class Losses(Callback):
        def on_step(self, trainer):
            losses.append(trainer.loss_value)

    make_trainer(epochs=60, callbacks=[Losses()]).fit()
    assert np.mean(losses[-30:]) < 0.3 * np.mean(losses[:30])


def test_a_limit_of_steps_ends_in_the_middle_of_an_epoch_with_a_validation(make_trainer):
    log = Log()
    trainer = make_trainer(steps=4, validate=lambda: {"score": 2}, validate_every=9, callbacks=[log])
    trainer.fit()
    assert log.events[-4:] == ["step 1.1", "validation 2", "epoch end", "stop"]
    assert trainer.done and trainer.progress == 1


def test_a_time_budget_leaves_time_for_the_last_validation(make_trainer, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(trainer_module.time, "monotonic", lambda: clock[0])

    class Tick(Callback):
        def on_step(self, trainer):
            clock[0] += 1.0

    def validate():
        clock[0] += 2.5
        return {}

    trainer = make_trainer(epochs=1000, seconds=20.0, validate=validate, callbacks=[Tick()])
    trainer.fit()
    assert trainer.done and trainer.position.out_of_time
    assert 20 - 5 <= clock[0] - 100 <= 20 + 1
    assert trainer.optimizer.param_groups[0]["lr"] < 0.2 * 0.05


@pytest.fixture
def rates(monkeypatch):
    """The learning rates of all steps; each trainer's first takes 60 s, as if it compiled, the others 1 s."""
    clock, rates, begun = [100.0], [], set()
    monkeypatch.setattr(trainer_module.time, "monotonic", lambda: clock[0])
    real = trainer_module.Trainer.train_step

    def step(trainer, batches):
        real(trainer, batches)
        clock[0] += 1.0 if trainer in begun else 60.0
        begun.add(trainer)
        rates.append(trainer.optimizer.param_groups[0]["lr"])

    monkeypatch.setattr(trainer_module.Trainer, "train_step", step)
    return rates


def test_the_clock_runs_from_the_end_of_the_first_step(make_trainer, rates):
    trainer = make_trainer(epochs=1000, seconds=40.0)
    trainer.fit()
    shares = [(0, 0), *((second / 40, (second + 1) / 3000) for second in range(40))]
    expected = [0.05 * warmup_cosine(max(progress)) for progress in shares]  # of the time, of the steps
    np.testing.assert_allclose(rates, expected, rtol=1e-9)
    assert trainer.position.first_step_seconds == 60 and trainer.progress == 1


def test_a_resumed_run_has_the_time_that_was_left(make_trainer, rates):
    """It may be on another machine, whose kernels are to be compiled first: neither first step counts."""
    trainer = make_trainer(epochs=1000, seconds=40.0, callbacks=[StopAt(8)])
    trainer.fit()
    assert (trainer.position.seconds, trainer.position.first_step_seconds) == (67, 60)
    again = make_trainer(epochs=1000, seconds=40.0)
    again.position = trainer.position
    again.fit()
    assert again.done and len(rates) == again.position.step == 8 + 1 + 33
    assert (again.position.seconds, again.position.first_step_seconds) == (160, 120)
    np.testing.assert_allclose(rates[8], 0.05 * warmup_cosine(7 / 40), rtol=1e-9)
    np.testing.assert_allclose(rates[9], 0.05 * warmup_cosine(7 / 40), rtol=1e-9)


@pytest.mark.parametrize("validate_every", [1, 9])
def test_a_step_that_uses_up_all_time_is_the_last(make_trainer, monkeypatch, validate_every):
    """The first does not count, however long it takes; a validation right after it does."""
    clock = [100.0]
    monkeypatch.setattr(
        trainer_module.time, "monotonic", lambda: clock.__setitem__(0, clock[0] + 9) or clock[0]
    )
    one_step_an_epoch = {"accumulate": 3, "validate": dict, "validate_every": validate_every}
    trainer = make_trainer(epochs=1000, seconds=5.0, **one_step_an_epoch)
    trainer.fit()
    last = {1: 1, 9: 2}[validate_every]
    assert trainer.position.step == last and trainer.done and trainer.progress == 1
    assert trainer.position.first_step_seconds == 9


def test_validation_sees_the_model_in_evaluation_mode_and_training_goes_on(make_trainer, weights_of):
    modes = []
    trainer = make_trainer(validate=lambda: modes.append(trainer.model.training) or {})
    trainer.fit()
    assert modes == [False] * 4
    plain = make_trainer()
    plain.fit()
    assert weights_of(plain) == weights_of(trainer)


@pytest.mark.parametrize("step", range(1, 13))
def test_it_goes_on_exactly_where_it_was_stopped(make_trainer, weights_of, step):
    whole = make_trainer()
    whole.fit()
    first = make_trainer(callbacks=[StopAt(step)])
    first.fit()
    assert not first.done and first.position.step == step
    state, optimizer_state = first.model.state_dict(), first.optimizer.state_dict()
    random_state, position = tc.get_rng_state(), first.position
    second = make_trainer()
    second.model.load_state_dict(state)
    second.optimizer.load_state_dict(optimizer_state)
    second.position = position
    tc.set_rng_state(random_state)
    second.fit()
    assert weights_of(second) == weights_of(whole)
    assert second.position.step == 12 and second.done


def test_a_stop_during_validation_makes_it_again(make_trainer):
    log = Log()
    trainer = make_trainer(epochs=1, callbacks=[log])
    trainer.validate = lambda: trainer.stop(signal.SIGINT) or {}
    trainer.fit()
    assert log.events[-2:] == ["step 0.3", "stop"]
    assert (trainer.position.epoch, trainer.position.batch, trainer.done) == (0, 3, False)
    trainer.stop_signal, trainer.validate = None, lambda: {"score": 3}
    trainer.fit()
    assert log.events[-3:] == ["validation 3", "epoch end", "stop"]
    assert trainer.done


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_stop_after_the_step(make_trainer, number, capfd):
    before = signal.getsignal(number)
    trainer = make_trainer(callbacks=[StopAt(2, number)])
    trainer.fit()
    assert trainer.position.step == 2 and trainer.stop_signal == number
    assert signal.getsignal(number) is before
    assert "finishing the current step" in capfd.readouterr().err


@pytest.mark.parametrize("stopping", [True, False])
def test_a_worker_that_a_stop_has_ended_too(make_trainer, stopping):
    """As where SIGTERM goes to all processes of a service at once."""

    class Ended(Callback):
        def on_step(self, trainer):
            if trainer.position.step == 2 and stopping:
                trainer.stop(signal.SIGTERM)

    trainer = make_trainer(callbacks=[Ended()])
    whole = trainer.batches

    def two(epoch, start):
        yield from islice(whole(epoch, start), 2)
        raise DataError("DataLoader", "worker 0", "dead (killed by SIGTERM)", "a worker that lives")

    trainer.batches = two
    with nullcontext() if stopping else pytest.raises(DataError, match="SIGTERM"):
        trainer.fit()
    assert trainer.position.step == 2


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
def test_a_second_signal_stops_at_once(make_trainer):
    class Twice(Callback):
        def on_step(self, trainer):
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background it may be ignored
    try:
        with pytest.raises(KeyboardInterrupt):
            make_trainer(callbacks=[Twice()]).fit()
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_loss_that_is_not_finite_names_the_step(make_trainer):
    class Poison(Callback):
        def on_step(self, trainer):
            if trainer.position.step == 4:
                with tc.no_grad():
                    next(trainer.model.parameters()).fill_(float("nan"))

    trainer = make_trainer(callbacks=[Poison()])
    with pytest.raises(TrainingError, match=r"training step 5 \(epoch 2\).*not finite.*learning rate"):
        trainer.fit()
    trainer = make_trainer()
    trainer.loss = lambda output, target: (output * float("inf")).sum()
    with pytest.raises(TrainingError, match=r"training step 1 .* the loss is not finite"):
        trainer.fit()


def test_plans_that_make_no_sense(make_trainer):
    for options in ({"epochs": 0}, {"steps": 0}, {"validate_every": 0}):
        with pytest.raises(ArgumentError):
            make_trainer(**options)
