"""Weight norm, spectral norm and fused batch normalisation against PyTorch's, step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tinyconv import nn
from tinyconv.errors import ArgumentError, DtypeError, ShapeError
from tinyconv.nn import utils

LAYERS: dict[str, tuple[Callable[[Any], Any], tuple[int, ...]]] = {
    "linear": (lambda lib: lib.nn.Linear(3, 4), (5, 3)),
    "conv": (lambda lib: lib.nn.Conv2d(2, 3, 3), (2, 2, 6, 5)),
    "conv without bias, in groups": (lambda lib: lib.nn.Conv2d(4, 6, 3, groups=2, bias=False), (2, 4, 6, 5)),
    "transposed": (lambda lib: lib.nn.ConvTranspose2d(2, 3, 3), (2, 2, 4, 5)),
}
RULES: dict[str, Callable[[Any, Any], Any]] = {
    "weight_norm": lambda u, m: u.weight_norm(m),
    "weight_norm of dim 1": lambda u, m: u.weight_norm(m, dim=1),
    "weight_norm of all": lambda u, m: u.weight_norm(m, "weight", None),
    "spectral_norm": lambda u, m: u.spectral_norm(m),
    "spectral_norm, three times": lambda u, m: u.spectral_norm(m, n_power_iterations=3, eps=1e-6, dim=1),
}
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")


def twins(make: Callable[[Any], Any], apply: Callable[[Any, Any], Any]) -> tuple[Any, Any]:
    """A layer of both libraries with the same state; loaded by its names, which are the same."""
    torch = pytest.importorskip("torch")
    other = apply(torch.nn.utils, make(torch).double())
    mine = apply(utils, make(tc).double())
    state = {name: value.numpy() for name, value in other.state_dict().items()}
    assert mine.state_dict().keys() == state.keys()
    mine.load_state_dict(state)
    return mine, other


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("rule", RULES)
def test_training_and_evaluation_are_pytorchs(layer: str, rule: str) -> None:
    torch = pytest.importorskip("torch")
    make, shape = LAYERS[layer]
    mine, other = twins(make, RULES[rule])
    rng = np.random.default_rng(0)
    optimizers = [o.SGD(m.parameters(), lr=0.01) for o, m in ((tc.optim, mine), (torch.optim, other))]
    for step in range(4):
        x = rng.standard_normal(shape)
        a, b = mine(tc.tensor(x)), other(torch.tensor(x))
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-9, atol=1e-11)
        for optimizer, y in zip(optimizers, (a, b), strict=True):
            optimizer.zero_grad()
            (y * y).sum().backward()
            optimizer.step()
        for (name, p), (_, q) in zip(mine.named_parameters(), other.named_parameters(), strict=True):
            np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-7, atol=1e-9, err_msg=name)
        if step == 2:
            mine.eval(), other.eval()
    for name, value in other.state_dict().items():
        np.testing.assert_allclose(mine.state_dict()[name].numpy(), value.numpy(), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(
    ("add", "remove"),
    ((utils.weight_norm, utils.remove_weight_norm), (utils.spectral_norm, utils.remove_spectral_norm)),
)
def test_the_weight_becomes_a_parameter_again(add: Callable[..., Any], remove: Callable[..., Any]) -> None:
    layer = nn.Linear(3, 4).eval()
    names, repr_before, x = list(layer.state_dict()), repr(layer), tc.randn(2, 3)
    assert add(layer) is layer and isinstance(layer.weight, tc.Tensor)
    assert "weight" not in layer.state_dict() and repr(layer) == repr_before
    before = layer(x).detach()
    remove(layer)
    assert sorted(layer.state_dict()) == sorted(names) and isinstance(layer.weight, nn.Parameter)
    np.testing.assert_allclose(layer(x).detach().numpy(), before.numpy(), rtol=1e-5, atol=1e-6)
    with pytest.raises(ArgumentError, match=rf"{remove.__name__}: name is 'weight'"):
        remove(layer)
    with pytest.raises(ArgumentError, match=rf"{add.__name__}: name is 'kernel', expected one of"):
        add(layer, "kernel")


def test_weight_norm_leaves_the_weight_as_it_was_and_spectral_norm_makes_it_one() -> None:
    tc.manual_seed(0)
    layer = nn.Conv2d(3, 5, 3)
    weight = np.array(layer.weight.data.numpy())
    utils.weight_norm(layer)
    np.testing.assert_allclose(layer.weight.detach().numpy(), weight, rtol=1e-5, atol=1e-7)
    layer = utils.spectral_norm(nn.Conv2d(3, 5, 3), n_power_iterations=50)
    layer(tc.randn(1, 3, 4, 4))
    assert np.linalg.svd(layer.weight.detach().numpy().reshape(5, -1))[1][0] == pytest.approx(1, abs=1e-3)


def test_wrong_arguments() -> None:
    for call, says in (
        (lambda: utils.weight_norm(nn.Linear(2, 2), dim=2), "weight_norm: dim is 2"),
        (lambda: utils.spectral_norm(nn.Linear(2, 2), n_power_iterations=0), "n_power_iterations is 0"),
        (lambda: utils.spectral_norm(nn.Linear(2, 2), eps=0), "spectral_norm: eps is 0"),
    ):
        with pytest.raises(ArgumentError, match=says):
            call()


def trained(norm: Any, dims: tuple[int, ...]) -> Any:
    """A batch normalisation that has seen something, with a scale and a shift of its own."""
    for _ in range(3):
        norm.double()(tc.randn(8, norm.num_features, *dims, dtype=tc.float64) * 2 + 1)
    for parameter in norm.parameters():
        nn.init.normal_(parameter)
    return norm.eval()


@pytest.mark.parametrize("affine", (True, False))
@pytest.mark.parametrize("bias", (True, False))
def test_a_fused_convolution_does_what_both_did(affine: bool, bias: bool) -> None:
    for conv, transpose in (
        (nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2, bias=bias), False),
        (nn.ConvTranspose2d(4, 6, 3, stride=2, bias=bias), True),
    ):
        norm, x = trained(nn.BatchNorm2d(6, affine=affine), (4, 4)), tc.randn(2, 4, 7, 6, dtype=tc.float64)
        before = conv.double().eval()(x).detach().numpy().copy()
        fused = utils.fuse_conv_bn_eval(conv, norm, transpose)
        np.testing.assert_allclose(
            fused(x).detach().numpy(), norm(conv(x)).detach().numpy(), rtol=1e-10, atol=1e-10
        )
        np.testing.assert_array_equal(conv(x).detach().numpy(), before)
        assert all(isinstance(p, nn.Parameter) and p.is_leaf for p in fused.parameters())


def test_a_fused_linear_layer_does_what_both_did() -> None:
    linear, norm = nn.Linear(4, 6).double().eval(), trained(nn.BatchNorm1d(6), ())
    x = tc.randn(3, 4, dtype=tc.float64)
    fused = utils.fuse_linear_bn_eval(linear, norm)
    np.testing.assert_allclose(
        fused(x).detach().numpy(), norm(linear(x)).detach().numpy(), rtol=1e-10, atol=1e-10
    )


def test_what_cannot_be_fused() -> None:
    conv, norm = nn.Conv2d(4, 6, 3).eval(), nn.BatchNorm2d(6).eval()
    cases: list[tuple[Callable[[], Any], type[Exception], str]] = [
        (lambda: utils.fuse_conv_bn_eval(nn.Linear(2, 2), norm), DtypeError, "conv is a Linear"),
        (lambda: utils.fuse_conv_bn_eval(conv, norm, True), DtypeError, "expected a transposed convolution"),
        (lambda: utils.fuse_conv_bn_eval(conv, nn.ReLU()), DtypeError, "bn is a ReLU"),
        (lambda: utils.fuse_conv_bn_eval(conv, nn.BatchNorm2d(4).eval()), ShapeError, "bn is of 4 features"),
        (lambda: utils.fuse_conv_bn_eval(conv, nn.BatchNorm2d(6)), ArgumentError, "bn is in training mode"),
        (
            lambda: utils.fuse_conv_bn_eval(nn.Conv2d(4, 6, 3), norm),
            ArgumentError,
            "conv is in training mode",
        ),
        (
            lambda: utils.fuse_conv_bn_eval(conv, nn.BatchNorm2d(6, track_running_stats=False).eval()),
            ArgumentError,
            "without running statistics",
        ),
        (
            lambda: utils.fuse_conv_bn_eval(nn.ConvTranspose2d(4, 6, 3, groups=2).eval(), norm, True),
            ArgumentError,
            "one of 2 groups",
        ),
        (lambda: utils.fuse_linear_bn_eval(conv, norm), DtypeError, "linear is a Conv2d"),
    ]
    for call, error, says in cases:
        with pytest.raises(error, match=says):
            call()
