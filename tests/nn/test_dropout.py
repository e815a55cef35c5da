"""Dropout layers: which share is dropped, what is kept, and that evaluation changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
import tinyconv.nn.functional as F
from tests.backends import BACKENDS, kernels
from tinyconv import nn
from tinyconv.errors import ArgumentError

CHANNELS: dict[str, tuple[Callable[[float], Any], tuple[int, ...]]] = {
    "Dropout1d": (nn.Dropout1d, (50, 40, 6)),
    "Dropout1d of one signal": (nn.Dropout1d, (2000, 6)),
    "Dropout2d": (nn.Dropout2d, (50, 40, 3, 2)),
    "Dropout2d of three dimensions": (nn.Dropout2d, (50, 40, 6)),
    "Dropout3d": (nn.Dropout3d, (50, 40, 2, 3, 2)),
    "Dropout3d of one volume": (nn.Dropout3d, (2000, 2, 3, 2)),
}
ALL = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout)


def _maps(y: Any) -> Any:
    """One row per channel of an image: 2000 in all of the shapes above."""
    return y.reshape(2000, -1)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", CHANNELS)
def test_whole_channels_are_dropped_and_the_others_scaled(name: str, backend: str) -> None:
    make, shape = CHANNELS[name]
    tc.manual_seed(0)
    x = tc.tensor(np.random.default_rng(0).uniform(1, 2, shape), requires_grad=True)
    with kernels(backend):
        y = make(0.3)(x)
        y.sum().backward()
    factor = _maps(y.detach().numpy() / x.detach().numpy())
    assert (np.ptp(factor, axis=1) < 1e-12).all(), "a channel is kept or dropped as a whole"
    kept = factor[:, 0] > 0
    images = kept.reshape(50, 40)
    assert (images.any(1) & ~images.all(1)).all(), "each channel of an image has its own chance"
    np.testing.assert_allclose(factor[kept], 1 / 0.7, rtol=1e-12)
    assert abs(kept.mean() - 0.7) < 4 * sqrt(0.3 * 0.7 / 2000)
    np.testing.assert_allclose(_maps(x.grad.numpy()), factor, rtol=1e-12)


@pytest.mark.parametrize("name", CHANNELS)
@pytest.mark.filterwarnings("ignore:dropout2d")
def test_the_shapes_are_understood_as_pytorch_does(name: str) -> None:
    """Which elements fall together, seen in masks of PyTorch's own."""
    torch = pytest.importorskip("torch")
    make, shape = CHANNELS[name]
    torch.manual_seed(0)
    theirs = getattr(torch.nn, name.split(" ")[0])(0.3)(torch.ones(shape)).numpy()
    assert (np.ptp(_maps(theirs), axis=1) == 0).all()
    assert abs((_maps(theirs)[:, 0] > 0).mean() - 0.7) < 4 * sqrt(0.3 * 0.7 / 2000)


@pytest.mark.parametrize("p", (0.1, 0.5))
def test_alpha_dropout_keeps_mean_and_variance(p: float) -> None:
    tc.manual_seed(0)
    count = 200_000
    x = np.random.default_rng(0).standard_normal(count)
    y = nn.AlphaDropout(p)(tc.tensor(x)).numpy()
    assert abs(y.mean()) < 4 / sqrt(count)
    assert abs(y.var() - 1) < 0.02
    _, counts = np.unique(y, return_counts=True)
    assert abs(counts.max() / count - p) < 4 * sqrt(p * (1 - p) / count), "all dropped ones are alike"


@pytest.mark.parametrize("p", (0.2, 0.5, 1.0))
def test_alpha_dropout_maps_what_it_keeps_as_pytorch_does(p: float) -> None:
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).standard_normal(1000)
    torch.manual_seed(0)
    theirs = torch.nn.functional.alpha_dropout(torch.tensor(x), p, training=True).numpy()
    tc.manual_seed(0)
    a = tc.tensor(x, requires_grad=True)
    y = F.alpha_dropout(a, p, training=True)
    y.sum().backward()
    ours = y.detach().numpy()
    if p == 1:
        assert (ours == 0).all() and (theirs == 0).all()
        return
    line = []
    for values in (ours, theirs):
        found, counts = np.unique(values, return_counts=True)
        dropped = values == found[counts.argmax()]
        slope, shift = np.polyfit(x[~dropped], values[~dropped], 1)
        np.testing.assert_allclose(values[~dropped], slope * x[~dropped] + shift, atol=1e-9)
        line.append((slope, shift, found[counts.argmax()]))
    np.testing.assert_allclose(*line, rtol=1e-9)
    dropped = ours == line[0][2]
    np.testing.assert_allclose(a.grad.numpy(), np.where(dropped, 0, line[0][0]), rtol=1e-9)


@pytest.mark.parametrize("make", ALL)
def test_evaluation_and_no_dropping_return_the_input(make: Any) -> None:
    x = tc.randn(2, 3, 4) if make is not nn.Dropout3d else tc.randn(2, 3, 4, 5)
    assert make(0.5).eval()(x) is x
    assert make(0.0)(x) is x
    assert (make(1.0)(x).numpy() == 0).all()


@pytest.mark.parametrize("make", ALL)
def test_each_call_draws_anew_and_the_seed_decides(make: Any) -> None:
    x = tc.ones(20, 20, 2) if make is nn.Dropout1d else tc.ones(20, 20, 2, 2)
    layer = make(0.5)
    tc.manual_seed(5)
    first, second = layer(x).numpy(), layer(x).numpy()
    assert (first != second).any()
    tc.manual_seed(5)
    np.testing.assert_array_equal(layer(x).numpy(), first)


def test_functions_have_pytorchs_defaults() -> None:
    x = tc.ones(20, 20, 2, 2)
    assert F.alpha_dropout(x) is x
    assert F.dropout2d(x) is not x


@pytest.mark.parametrize("make", ALL)
def test_wrong_probabilities_are_refused_when_the_layer_is_made(make: Any) -> None:
    for p in (-0.1, 1.5, float("nan"), "half", None, True):
        with pytest.raises(ArgumentError) as caught:
            make(p)
        assert str(caught.value).startswith(f"{make.__name__}: p is {p!r}")
    assert repr(make(0.25)) == f"{make.__name__}(p=0.25)"
    assert repr(make(0.25, inplace=True)) == f"{make.__name__}(p=0.25, inplace=True)"
