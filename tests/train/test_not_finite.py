"""NaN and infinities in training: who made them is said, and then it stops, or goes on without."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinyconv as tc
from tests.train.configs import make_config
from tinyconv import nn, optim
from tinyconv.data import DataLoader
from tinyconv.errors import ArgumentError, TrainingError
from tinyconv.io import load_state
from tinyconv.train import Callback, Trainer
from tinyconv.train.folder import RunFolder
from tinyconv.train.not_finite import explain
from tinyconv.train.records import Recorder
from tinyconv.train.trainer import SKIPS_IN_A_ROW


class Roots(nn.Module):
    """A layer, normalised, and the square root of it: NaN below 0 in forward, infinite at 0 in backward."""

    def __init__(self):
        super().__init__()
        self.layer, self.norm = nn.Linear(2, 2), nn.BatchNorm1d(2)

    def forward(self, x):
        return self.norm(self.layer(x)) + tc.sqrt(x)


class Errors(Callback):
    def __init__(self):
        self.errors, self.steps = [], []

    def on_not_finite(self, trainer, error):
        self.errors.append(str(error))

    def on_step(self, trainer):
        self.steps.append(trainer.position.step)


def trainer_on(inputs, seed=0, **options):
    """One sample in each batch twice, for the statistics of the batch."""
    tc.manual_seed(seed)
    model = Roots()
    items = [(np.array(x, np.float32), np.zeros(2, np.float32)) for x in inputs]
    loader = DataLoader(items, batch_size=2)
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    return Trainer(model, optimizer, nn.functional.mse_loss, loader, 1, **options)


GOOD = [[1, 2], [3, 5]]


def test_the_op_and_its_line_are_named():
    with pytest.raises(
        TrainingError, match=r"step 2 .* output is not finite, made first by Sqrt at "
    ) as caught:
        trainer_on([*GOOD, [1, -2], [1, 2]]).fit()
    assert "test_not_finite.py:" in str(caught.value) and "self.norm(self.layer(x))" in str(caught.value)


def test_a_bad_input_and_a_bad_weight_are_no_op_s_doing():
    with pytest.raises(TrainingError, match="output is not finite, already so in the input of the batch"):
        trainer_on([*GOOD, [1, math.nan], [1, 2]]).fit()
    trainer = trainer_on(GOOD)
    with tc.no_grad():
        trainer.model.norm.bias.fill_(math.inf)
    with pytest.raises(TrainingError, match=r"already so in the model's norm\.bias, since an earlier step"):
        trainer.fit()


@pytest.mark.parametrize("options", [{}, {"clip_norm": 1.0}])
def test_a_gradient_is_looked_at_whether_it_is_clipped_or_not(options):
    with pytest.raises(TrainingError, match=r"the gradient is not finite, made first in .*Sqrt\.backward"):
        trainer = trainer_on([[0, 1], [2, 3]], **options)
        trainer.model.forward = lambda x: tc.sqrt(trainer.model.layer(x) * 0) * 0
        trainer.fit()


def lengths(output, target):
    """Their mean: 0 at 0, where its gradient is none."""
    return (output * output).sum(1).sqrt().mean()


@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize("batches_after", [0, 1, 4])
def test_a_finite_loss_with_a_gradient_that_is_none(accumulate, batches_after):
    """In the step that made it, the last one too: no weight is changed, and its own batch is the one kept."""
    tc.manual_seed(0)
    model = nn.Linear(4, 2, bias=False)
    inputs = [1.0] * 4 + [0.0] * 2 + [1.0] * (2 * batches_after)
    loader = DataLoader([(np.full(4, x, np.float32), np.zeros(2, np.float32)) for x in inputs], batch_size=2)
    optimizer, seen = optim.SGD(model.parameters(), lr=0.01), Errors()
    trainer = Trainer(model, optimizer, lengths, loader, 1, accumulate=accumulate, callbacks=[seen])
    place = rf"step {3 if accumulate == 1 else 2} \(epoch 1\): the gradient is not finite"
    with pytest.raises(TrainingError, match=rf"{place}, made first in Mul\.backward: .*, in lengths: return"):
        trainer.fit()
    assert len(seen.errors) == 1 and np.isfinite(model.weight.detach().numpy()).all()
    assert not trainer.batch[0].numpy().any()


def test_skipped_steps_leave_no_trace():
    """Weights and running statistics are those of a run that never saw the bad batch."""
    errors = Errors()
    bad = [[1, math.inf], [1, 2]]
    with_bad = trainer_on([*GOOD, *bad, [4, 5], [6, 9]], on_not_finite="skip", callbacks=[errors])
    with_bad.fit()
    without = trainer_on([*GOOD, [4, 5], [6, 9]], on_not_finite="skip")
    without.fit()
    assert (with_bad.position.step, with_bad.position.skipped, with_bad.done) == (3, 1, True)
    assert errors.steps == [1, 3] and len(errors.errors) == 1
    states = with_bad.model.state_dict(), without.model.state_dict()
    for name, value in states[1].items():
        np.testing.assert_array_equal(states[0][name].data.numpy(), value.data.numpy(), name)


def test_a_gradient_that_is_infinite_and_not_nan():
    trainer = trainer_on(GOOD)
    trainer.loss = lambda y, t: Exploding.apply(trainer.model.layer.bias.sum(), math.inf)
    with pytest.raises(TrainingError, match=r"gradient is not finite, infinite in that of layer\.bias"):
        trainer.fit()


def test_an_infinite_gradient_is_skipped_too():
    trainer = trainer_on([*GOOD, [1, 2], [3, 4]], on_not_finite="skip")
    calls = iter([1.0, math.inf])
    trainer.loss = lambda y, t: Exploding.apply(y.sum(), next(calls, 1.0))
    trainer.fit()
    assert trainer.position.skipped == 1
    assert all(np.isfinite(p.data.numpy()).all() for p in trainer.model.parameters())


class Exploding(tc.autograd.Function):
    @staticmethod
    def forward(ctx, x, factor):
        ctx.factor = factor
        return x * 1

    @staticmethod
    def backward(ctx, grad):
        return grad * ctx.factor, None


def test_nothing_but_bad_steps_ends():
    trainer = trainer_on([[1, math.nan]] * 100, on_not_finite="skip")
    with pytest.raises(TrainingError, match=f"training step {SKIPS_IN_A_ROW} "):
        trainer.fit()
    assert trainer.position.skipped == SKIPS_IN_A_ROW - 1


def test_the_batch_is_kept(tmp_path):
    folder = RunFolder.create(tmp_path / "run", make_config("unet", "synthetic", None, quick=True))
    bad = [[1.0, -2.0], [1.0, 2.0]]
    trainer = trainer_on([*GOOD, *bad], callbacks=[Recorder(folder, "roots", {}, {})])
    with pytest.raises(TrainingError):
        trainer.fit()
    arrays, metadata = load_state(tmp_path / "run" / "bad_batch.safetensors")
    assert arrays["input"].tolist() == bad and arrays["target"].shape == (2, 2)
    assert "Sqrt" in metadata["error"]
    *_, line = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert '"step": 2' in line and "Sqrt" in line


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_not_finite_is_not_saved(tmp_path, value):
    """Neither in the place of the last checkpoint nor in that of the best."""
    folder = RunFolder.create(tmp_path / "run", make_config("unet", "synthetic", None, quick=True))
    recorder = Recorder(folder, "roots", {}, {})
    trainer = trainer_on(GOOD, callbacks=[recorder])
    trainer.fit()
    recorder.on_validation(trainer, {"held_out_dice": 0.5})
    before = {file.name: file.read_bytes() for file in folder.path.iterdir() if file.name != "metrics.jsonl"}
    assert {"last.json", "best.json"} < before.keys()
    trainer.model.register_buffer("mask", tc.tensor([0.0, -math.inf]))
    recorder.on_stop(trainer)  # of a buffer it is meant
    before = {file.name: file.read_bytes() for file in folder.path.iterdir() if file.name != "metrics.jsonl"}
    with tc.no_grad():
        trainer.model.layer.weight[0, 0] = value
    with pytest.raises(TrainingError, match=r"step 1: what is to be saved is not finite .* layer\.weight"):
        recorder.on_stop(trainer)
    with pytest.raises(TrainingError, match=r"layer\.weight"):
        recorder.on_validation(trainer, {"held_out_dice": 0.6})
    assert before == {name: (folder.path / name).read_bytes() for name in before}


def test_dropout_drops_the_same_in_the_second_try():
    model = nn.Sequential(nn.Dropout(0.5))
    tc.manual_seed(5)
    before = tc.get_rng_state()
    dropped = model(tc.ones(1, 64)).data.numpy() == 0
    after = tc.get_rng_state()

    def compute(x, target):
        y = model(x)
        assert ((y.data.numpy() == 0) == dropped).all()
        return (1 / y).sum()

    assert "made first by Div" in explain(model, compute, (tc.ones(1, 64), None), before)
    assert tc.get_rng_state() == after


def test_what_is_finite_in_a_second_try():
    model = nn.Linear(1, 1)
    reason = explain(model, lambda x, t: model(x).sum(), (tc.ones(1, 1), None), tc.get_rng_state())
    assert reason == "it was finite in a second try"
    assert model.weight.grad is None


def test_an_unknown_way():
    with pytest.raises(ArgumentError, match="on_not_finite is 'ignore', expected 'stop' or 'skip'"):
        trainer_on(GOOD, on_not_finite="ignore")
