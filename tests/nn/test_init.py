"""Initialisers: means, variances and bounds."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tinyconv import nn
from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.nn import init

FAN_IN, FAN_OUT = 64 * 9, 128 * 9
XAVIER = sqrt(2 / (FAN_IN + FAN_OUT))

STANDARD: dict[str, tuple[Callable[[tc.Tensor], Any], float, float]] = {
    # initialiser, standard deviation, bound in standard deviations
    "xavier_uniform_": (init.xavier_uniform_, XAVIER, sqrt(3)),
    "xavier_normal_": (init.xavier_normal_, XAVIER, 6),
    "xavier_normal_ with gain": (lambda x: init.xavier_normal_(x, 5 / 3), 5 / 3 * XAVIER, 6),
    "he_uniform_": (init.he_uniform_, sqrt(2 / FAN_IN), sqrt(3)),
    "he_normal_": (init.he_normal_, sqrt(2 / FAN_IN), 6),
    "he_normal_, fan_out, ReLU": (
        lambda x: init.he_normal_(x, mode="fan_out", nonlinearity="relu"),
        sqrt(2 / FAN_OUT),
        6,
    ),
    "he_uniform_, leaky ReLU": (lambda x: init.he_uniform_(x, a=sqrt(5)), sqrt(1 / (3 * FAN_IN)), sqrt(3)),
    "he_normal_, linear": (lambda x: init.he_normal_(x, nonlinearity="linear"), sqrt(1 / FAN_IN), 6),
    "normal_": (lambda x: init.normal_(x, 0.0, 0.3), 0.3, 6),
    "trunc_normal_": (lambda x: init.trunc_normal_(x, std=0.5), 0.5 * 0.87962566, 2 / 0.87962566),
}


@pytest.mark.parametrize("name", STANDARD)
def test_statistics(name: str) -> None:
    fill, std, bound = STANDARD[name]
    weight = nn.Parameter(tc.zeros(128, 64, 3, 3))
    assert fill(weight) is weight
    values = weight.array
    assert values.dtype == np.float32 and weight.requires_grad and weight.grad_fn is None
    assert abs(values.mean()) < 0.02 * std
    assert abs(values.std() / std - 1) < 0.01
    assert abs(values).max() <= bound * std * 1.0001
    if bound < 2.5:
        assert abs(values).max() > bound * std * 0.99


@pytest.mark.parametrize("name", ("linear", "sigmoid", "tanh", "relu", "leaky_relu"))
def test_gains_are_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch")
    assert init.calculate_gain(name) == pytest.approx(torch.nn.init.calculate_gain(name))


def test_layers_start_uniform_within_one_over_the_root_of_fan_in() -> None:
    for layer, fan_in in ((nn.Linear(400, 50), 400), (nn.Conv2d(16, 64, 5, groups=2), 200)):
        for values in (layer.weight.array, layer.bias.array):
            assert abs(values).max() <= 1 / sqrt(fan_in)
            assert abs(values).max() > 0.9 / sqrt(fan_in)
        assert abs(layer.weight.array.std() * sqrt(3 * fan_in) - 1) < 0.02


def test_the_seed_decides_the_weights() -> None:
    tc.manual_seed(4)
    first = nn.Linear(5, 5).weight.tolist()
    assert nn.Linear(5, 5).weight.tolist() != first
    tc.manual_seed(4)
    assert nn.Linear(5, 5).weight.tolist() == first


def test_constants() -> None:
    x = tc.randn(3, 3)
    assert (init.zeros_(x).array == 0).all()
    assert (init.ones_(x).array == 1).all()
    assert (init.constant_(x, 0.25).array == 0.25).all()


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"\(5,\).*2 dimensions"):
        init.he_normal_(tc.zeros(5))
    with pytest.raises(ArgumentError, match="mode is 'fan_middle'"):
        init.he_normal_(tc.zeros(5, 5), mode="fan_middle")
    with pytest.raises(ArgumentError, match="nonlinearity is 'swish'"):
        init.he_normal_(tc.zeros(5, 5), nonlinearity="swish")
