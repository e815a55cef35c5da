"""Activation layers: PyTorch's, at kinks and limits too, and their options."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
import tinyconv.nn.functional as F
from tests.backends import BACKENDS, kernels
from tinyconv import nn
from tinyconv.errors import ArgumentError

LAYERS: dict[str, Callable[[Any], Any]] = {
    "ReLU": lambda lib: lib.ReLU(),
    "ReLU6": lambda lib: lib.ReLU6(),
    "LeakyReLU": lambda lib: lib.LeakyReLU(0.1),
    "PReLU": lambda lib: lib.PReLU(),
    "PReLU per channel": lambda lib: lib.PReLU(4, 0.1),
    "Hardtanh": lambda lib: lib.Hardtanh(-2, 3.0),
    "ELU": lambda lib: lib.ELU(0.7),
    "CELU": lambda lib: lib.CELU(0.5),  # PyTorch rounds 1 / alpha to float32
    "SELU": lambda lib: lib.SELU(),
    "GELU": lambda lib: lib.GELU(),
    "GELU with tanh": lambda lib: lib.GELU(approximate="tanh"),
    "SiLU": lambda lib: lib.SiLU(),
    "Softplus": lambda lib: lib.Softplus(0.5, 3),
    "Sigmoid": lambda lib: lib.Sigmoid(),
    "LogSigmoid": lambda lib: lib.LogSigmoid(),
    "Tanh": lambda lib: lib.Tanh(),
    "Softmax": lambda lib: lib.Softmax(1),
    "LogSoftmax": lambda lib: lib.LogSoftmax(dim=1),
    "Softmin": lambda lib: lib.Softmin(1),
}

INPUTS = {
    "kinks": np.array([[-2.0, -1.0, 0.0, 0.7], [1.0, 3.0, 6.0, 6.5]]),
    "large": np.array([[-100.0, 100.0, -1e4, 1e4], [-40.0, 40.0, -1e30, 1e30]]),
}


def _gradient(lib: Any, layer: Any, x: Any) -> tuple[Any, Any, list[Any]]:
    y = layer(x)
    y.backward(lib.ones_like(y) * 1.5)
    return y.detach().numpy(), x.grad.numpy(), [p.grad.numpy() for p in layer.parameters()]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("inputs", INPUTS)
@pytest.mark.parametrize("name", LAYERS)
def test_values_and_gradients_are_pytorchs(name: str, inputs: str, backend: str) -> None:
    torch = pytest.importorskip("torch")
    x, build = INPUTS[inputs], LAYERS[name]
    if inputs == "large" and "with tanh" in name:
        x = x[:1]  # its cube overflows at 1e30, in PyTorch too
    theirs = _gradient(torch, build(torch.nn).double(), torch.tensor(x, requires_grad=True))
    with kernels(backend), warnings.catch_warnings():
        warnings.simplefilter("error")
        ours = _gradient(tc, build(nn).to("float64"), tc.tensor(x, requires_grad=True))
    for got, expected in zip(ours[:2], theirs[:2], strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-14)
    for got, expected in zip(ours[2], theirs[2], strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12)


@pytest.mark.parametrize("name", LAYERS)
def test_nan_stays_nan(name: str) -> None:
    x = tc.tensor([[float("nan"), 1.0, 2.0, 3.0]])
    assert np.isnan(LAYERS[name](nn)(x).detach().numpy()[0, 0])


def test_inplace_is_accepted_and_leaves_the_input_as_it_is() -> None:
    for make in (nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.Hardtanh, nn.ELU, nn.CELU, nn.SELU, nn.SiLU):
        x = tc.tensor(INPUTS["kinks"])
        np.testing.assert_array_equal(make(inplace=True)(x).numpy(), make()(x).numpy())
        np.testing.assert_array_equal(x.numpy(), INPUTS["kinks"])


def test_float32_keeps_its_digits_where_formulas_lose_them() -> None:
    special = pytest.importorskip("scipy.special")
    x = np.array([-90.0, -20.0, -9.0, -4.0, 4.0, 20.0], "float32")
    wide = x.astype("float64")
    for ours, exact in (
        (F.softplus(tc.as_tensor(x)), np.log1p(np.exp(wide))),
        (F.logsigmoid(tc.as_tensor(x)), -np.log1p(np.exp(-wide))),
        (F.gelu(tc.as_tensor(x)), wide * special.ndtr(wide)),
        (F.silu(tc.as_tensor(x)), wide * special.expit(wide)),
    ):
        normal = np.abs(exact) > 1e-37
        np.testing.assert_allclose(ours.numpy()[normal], exact[normal], rtol=1e-5)


def test_maxout_by_hand() -> None:
    x = tc.tensor([[1.0, 4.0, 3.0, 2.0, 5.0, 5.0]], requires_grad=True)
    y = nn.Maxout(2)(x)
    assert y.tolist() == [[4.0, 3.0, 5.0]]
    y.sum().backward()
    assert x.grad.tolist() == [[0, 1, 1, 0, 0.5, 0.5]]
    assert nn.Maxout(3, dim=0)(tc.arange(6).float()).tolist() == [2.0, 5.0]


def test_a_maxout_neuron_is_the_larger_of_two_lines() -> None:
    """Slide S3: max(w1 x + b1, w2 x + b2)."""
    line = nn.Linear(3, 2)
    x = tc.randn(10, 3)
    w, b = line.weight.detach().numpy(), line.bias.detach().numpy()
    expected = np.maximum(x.numpy() @ w[0] + b[0], x.numpy() @ w[1] + b[1])
    np.testing.assert_allclose(nn.Maxout(2)(line(x)).detach().numpy()[:, 0], expected, rtol=1e-5, atol=1e-6)


def test_prelu_learns_its_slope() -> None:
    layer = nn.PReLU()
    assert list(layer.state_dict()) == ["weight"]
    layer(tc.tensor([-2.0, 3.0, -1.0])).sum().backward()
    assert layer.weight.grad.tolist() == [-3.0]


def test_repr_shows_the_options() -> None:
    assert repr(nn.ReLU()) == "ReLU()"
    assert repr(nn.ReLU(inplace=True)) == "ReLU(inplace=True)"
    assert repr(nn.ELU(0.5)) == "ELU(alpha=0.5)"
    assert repr(nn.GELU()) == "GELU(approximate='none')"
    assert repr(nn.Hardtanh()) == "Hardtanh(min_val=-1.0, max_val=1.0)"
    assert repr(nn.Maxout(2)) == "Maxout(pieces=2, dim=1)"


def test_wrong_options_are_refused_when_the_layer_is_made() -> None:
    for build, start in (
        (lambda: nn.PReLU(0), "PReLU: num_parameters is 0"),
        (lambda: nn.ELU("steep"), "ELU: alpha is 'steep'"),
        (lambda: nn.GELU("erf"), "GELU: approximate is 'erf'"),
        (lambda: nn.Maxout(1.5), "Maxout: pieces is 1.5"),
        (lambda: nn.Softplus(None), "Softplus: beta is None"),
    ):
        with pytest.raises(ArgumentError) as caught:
            build()
        assert str(caught.value).startswith(start)


@pytest.mark.parametrize("name", ("softmax", "log_softmax", "softmin"))
def test_a_softmax_without_dim_guesses_as_pytorch_does_and_warns(name: str) -> None:
    torch = pytest.importorskip("torch")
    for shape, dim in (((3,), 0), ((3, 4), 1), ((2, 3, 4), 0), ((2, 3, 4, 2), 1)):
        x = np.random.default_rng(0).standard_normal(shape)
        with pytest.warns(UserWarning, match=f"{name}: dim is None, so dim={dim} is taken"):
            got = getattr(F, name)(tc.tensor(x))
        with pytest.warns(UserWarning):
            expected = getattr(torch.nn.functional, name)(torch.tensor(x)).numpy()
        np.testing.assert_allclose(got.numpy(), expected, rtol=1e-12)


def test_a_softmax_converts_first() -> None:
    x = tc.tensor([1, 2, 3], dtype="int64")
    got = F.softmax(x, 0, dtype=tc.float64)
    assert got.dtype == np.float64
    np.testing.assert_allclose(got.numpy(), np.exp([1, 2, 3]) / np.exp([1, 2, 3]).sum())


def test_functions_take_inplace() -> None:
    x = tc.tensor([-1.0, 2.0])
    for name in ("relu", "relu6", "leaky_relu", "elu", "selu", "celu", "silu", "hardtanh"):
        function = getattr(F, name)
        np.testing.assert_array_equal(function(x, inplace=True).numpy(), function(x).numpy())
    for name in ("dropout", "alpha_dropout"):
        assert getattr(F, name)(x, 0.5, training=False, inplace=True) is x
