"""Layers with gates, shrinking layers and margin losses: PyTorch's values, at the kinks too, and manners."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv import nn
from tinyconv.errors import ArgumentError, ShapeError

LAYERS: dict[str, tuple[Any, ...]] = {
    "Hardsigmoid": (),
    "Hardswish": (True,),
    "Mish": (),
    "GLU": (1,),
    "RReLU": (0.1, 0.4),
    "Softmax2d": (),
    "Threshold": (0.5, -2.0),
    "Hardshrink": (0.5,),
    "Softshrink": (0.5,),
    "Tanhshrink": (),
    "Softsign": (),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_are_pytorchs_at_the_kinks_too(name: str) -> None:
    torch = pytest.importorskip("torch")
    kinks = [-3.0, -0.5, 0.0, 0.5, 3.0]
    x = np.concatenate([kinks, np.random.default_rng(0).normal(0, 3, 19)]).reshape(1, 4, 3, 2)
    mine, other = getattr(nn, name)(*LAYERS[name]).eval(), getattr(torch.nn, name)(*LAYERS[name]).eval()
    a, b = tc.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    y, z = mine(a), other(b * 1)
    np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=1e-12)
    y.sum().backward()
    z.sum().backward()
    np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-7, atol=1e-12)  # PyTorch rounds 1/6
    assert not list(mine.parameters())


def test_reprs_show_the_options() -> None:
    assert repr(nn.Hardswish(True)) == "Hardswish(inplace=True)"
    assert repr(nn.Threshold(0.5, 2)) == "Threshold(threshold=0.5, value=2.0)"
    assert repr(nn.GLU()) == "GLU(dim=-1)"


def test_random_slopes_lie_between_the_two_and_only_in_training() -> None:
    x = tc.full((1000,), -1.0)
    layer = nn.RReLU(0.2, 0.6)
    drawn = -layer(x).data.numpy()
    assert 0.2 <= drawn.min() < 0.21 and 0.59 < drawn.max() <= 0.6 and abs(drawn.mean() - 0.4) < 0.02
    np.testing.assert_array_equal(-layer.eval()(x).data.numpy(), np.float32(0.4))
    with pytest.raises(ArgumentError, match=r"RReLU: lower is 0\.7, expected at most upper = 0\.6"):
        nn.RReLU(0.7, 0.6)


def test_drawn_classes_have_the_probabilities_of_the_softmax() -> None:
    tc.manual_seed(0)
    logits = tc.tensor([0.0, 1.0, 2.0]).expand(20000, 3)
    drawn = F.gumbel_softmax(logits, tau=0.5, hard=True)
    assert set(np.unique(drawn.data.numpy())) <= {0.0, 1.0} and (drawn.data.numpy().sum(1) == 1).all()
    np.testing.assert_allclose(drawn.data.numpy().mean(0), F.softmax(logits[0], 0).data.numpy(), atol=0.01)


def test_hard_classes_have_the_gradient_of_the_soft_ones() -> None:
    gradients, weights = [], tc.tensor([[1.0, -2.0, 3.0]])
    for hard in (False, True):
        tc.manual_seed(1)
        x = tc.tensor([[0.3, 0.1, -0.4]], requires_grad=True)
        (F.gumbel_softmax(x, hard=hard) * weights).sum().backward()
        gradients.append(x.grad.numpy())
    np.testing.assert_array_equal(*gradients)


def test_whole_channels_are_dropped_and_mean_and_variance_stay() -> None:
    tc.manual_seed(0)
    x = tc.randn(400, 50, 3, 3)
    y = nn.FeatureAlphaDropout(0.3)(x)
    ratio = (y.data.numpy() == y.data.numpy()[:, :, :1, :1]).all((2, 3)).mean()
    assert abs(ratio - 0.3) < 0.02
    assert abs(y.data.numpy().mean()) < 0.02 and abs(y.data.numpy().std() - 1) < 0.02
    assert nn.FeatureAlphaDropout().eval()(x) is x


LOSSES: dict[str, tuple[dict[str, Any], str]] = {
    "MultiMarginLoss": ({"p": 2, "margin": 0.5}, "classes"),
    "MultiLabelMarginLoss": ({"reduction": "sum"}, "lists"),
    "SoftMarginLoss": ({"reduction": "none"}, "signs"),
    "MultiLabelSoftMarginLoss": ({}, "shares"),
    "TripletMarginWithDistanceLoss": ({"margin": 0.7, "swap": True}, "vectors"),
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses_are_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    options, kind = LOSSES[name]
    others = {
        "classes": [np.array([0, 2, 3])],
        "lists": [np.array([[3, 0, -1, 1], [-1, 0, 0, 0], [1, 1, 2, 3]])],
        "signs": [rng.choice([-1.0, 1.0], (3, 4))],
        "shares": [rng.random((3, 4))],
        "vectors": [rng.standard_normal((3, 4)), rng.standard_normal((3, 4))],
    }[kind]
    inputs = [rng.standard_normal((3, 4)), *others]
    got = getattr(nn, name)(**options)(*map(tc.tensor, inputs)).numpy()
    expected = getattr(torch.nn, name)(**options)(*map(torch.tensor, inputs)).numpy()
    np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_weights_of_losses_are_buffers() -> None:
    for loss in (nn.MultiMarginLoss(weight=tc.ones(3)), nn.MultiLabelSoftMarginLoss(tc.ones(3))):
        assert list(loss.state_dict()) == ["weight"]


def test_softmax_of_pixels_wants_pixels() -> None:
    with pytest.raises(ShapeError, match=r"Softmax2d: input is of shape \(2, 3\)"):
        nn.Softmax2d()(tc.ones(2, 3))
