from __future__ import annotations

import math

import numpy as np
import pytest

import tinyconv as tc
from tinyconv import nn, optim
from tinyconv.data import DataLoader
from tinyconv.errors import ArgumentError
from tinyconv.train import LearningRates, find_learning_rate


class Quadratic(nn.Module):
    """One weight w and the loss w², on which SGD is w ← w (1 − 2 rate)."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(tc.tensor(1.0, dtype=tc.float64))

    def forward(self, x):
        return self.w * x


def search(optimizer=optim.SGD, **options):
    model = Quadratic()
    loader = DataLoader([(np.ones(1), np.zeros(1))] * 4, batch_size=2)
    made = optimizer(model.parameters(), lr=0.5)
    return model, made, find_learning_rate(model, made, nn.functional.mse_loss, loader, **options)


def test_the_losses_are_those_of_rising_rates():
    _, _, found = search(lowest=1e-3, highest=10.0, steps=9)
    w = 1.0
    for rate, loss in zip(found.rates, found.losses, strict=True):
        assert loss == pytest.approx(w**2, rel=1e-9)
        w *= 1 - 2 * rate
    expected = [1e-3 * math.sqrt(10) ** i for i in range(len(found.rates))]
    np.testing.assert_allclose(found.rates, expected, rtol=1e-12)


def test_a_step_is_of_as_many_batches_as_in_training():
    """The items pull the weight by 1, 3, 2 and 5; of three batches, two and one are a step."""
    found, w, rates = [], 1.0, np.geomspace(1e-3, 1e-1, 6)
    for rate, pulls in zip(rates, [(1, 3), (2, 5)] * 3, strict=True):
        found.append(np.mean([(w * pull) ** 2 for pull in pulls]))
        w -= rate * np.mean([2 * w * pull**2 for pull in pulls])
    for size, accumulate in ((2, 1), (1, 2)):
        model = Quadratic()
        loader = DataLoader([(np.full(1, x), np.zeros(1)) for x in (1.0, 3.0, 2.0, 5.0)], batch_size=size)
        made, loss = optim.SGD(model.parameters(), lr=0.5), nn.functional.mse_loss
        options = {"lowest": 1e-3, "highest": 1e-1, "steps": 6, "accumulate": accumulate}
        result = find_learning_rate(model, made, loss, loader, **options)
        np.testing.assert_allclose(result.losses, found[: len(result.losses)], rtol=1e-12)
        assert len(result.losses) > 3
    loader = DataLoader([(np.full(1, x), np.zeros(1)) for x in (1.0, 3.0, 2.0)], batch_size=1)
    result = find_learning_rate(model, made, loss, loader, lowest=1e-9, highest=1e-8, steps=4, accumulate=2)
    np.testing.assert_allclose(result.losses, [5.0, 4.0] * 2, rtol=1e-5)


def test_gradients_are_clipped_as_in_training():
    _, _, found = search(lowest=1e-2, highest=1.0, steps=8, clip_norm=0.5)
    w = 1.0
    for rate, loss in zip(found.rates, found.losses, strict=True):
        assert loss == pytest.approx(w**2, rel=1e-9)
        w -= rate * 2 * w * min(0.5 / (abs(2 * w) + 1e-6), 1)  # as clip_grad_norm_ has it


def test_it_ends_where_something_is_not_finite():
    model = Quadratic()
    loader = DataLoader([(np.full(1, x), np.zeros(1)) for x in (1.0, 3.0, np.inf, 2.0)], batch_size=1)
    made = optim.SGD(model.parameters(), lr=0.5)
    found = find_learning_rate(model, made, nn.functional.mse_loss, loader, lowest=1e-9, steps=9)
    np.testing.assert_allclose(found.losses, [1, 9], rtol=1e-6)
    assert model.w.item() == 1


def test_it_ends_when_the_loss_explodes():
    _, _, found = search(lowest=1e-2, highest=1e6, steps=60)
    assert 3 < len(found.rates) < 60 and found.smooth[-1] > 4 * min(found.smooth)


def test_the_suggestion_is_where_it_falls_fastest():
    found = LearningRates([1, 2, 3, 4, 5], [0] * 5, [9, 8, 3, 2, 7])
    assert found.suggestion == 2
    assert math.isnan(LearningRates([1, 2, 3], [0] * 3, [1, 2, 3]).suggestion)
    assert math.isnan(LearningRates().suggestion)


@pytest.mark.parametrize("optimizer", [optim.SGD, optim.Adam])
def test_everything_is_as_it_was(optimizer):
    tc.manual_seed(4)
    before = tc.get_rng_state()
    model, made, found = search(optimizer, steps=5)
    assert model.w.item() == 1.0 and model.w.grad is None and model.training
    assert made.param_groups[0]["lr"] == 0.5 and made.state_dict()["state"] == {}
    assert tc.get_rng_state() == before and len(found.rates) == 5


def test_the_figure(tmp_path):
    _, _, found = search(lowest=1e-3, highest=10.0, steps=20)
    figure = found.plot(tmp_path / "rates.png")
    assert (tmp_path / "rates.png").stat().st_size > 5000
    (axis,) = figure.axes
    assert axis.get_xscale() == "log" and len(axis.lines) == 3
    np.testing.assert_allclose(axis.lines[1].get_ydata(), found.smooth)
    assert axis.lines[2].get_xdata()[0] == found.suggestion
    with pytest.raises(ArgumentError, match="one length above 0"):
        LearningRates().plot()


@pytest.mark.parametrize(
    "options", [{"lowest": 0}, {"lowest": 1, "highest": 1}, {"highest": math.inf}, {"steps": 2}]
)
def test_searches_that_make_no_sense(options):
    with pytest.raises(ArgumentError, match="find_learning_rate"):
        search(**options)
