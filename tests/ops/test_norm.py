"""The derivative that all normalisations share, of all its outputs; and what it means."""

from __future__ import annotations

import numpy as np
import pytest

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv.ops.norm import Normalize


@pytest.mark.parametrize("dims", [(0,), (1,), (0, 2), (0, 1, 2)])
def test_mean_and_variance_have_gradients_too(dims: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    x = tc.tensor(rng.normal(1, 2, (3, 4, 2)), requires_grad=True)
    outputs = Normalize.apply(x, dims, 0.1)
    weights = [tc.tensor(rng.standard_normal(y.shape)) for y in outputs]

    def loss(x: tc.Tensor) -> tc.Tensor:
        parts = [(y * w).sum() for y, w in zip(Normalize.apply(x, dims, 0.1), weights, strict=True)]
        return parts[0] + parts[1] * parts[2]

    tc.gradcheck(loss, [x])

    def gradient(x: tc.Tensor) -> tc.Tensor:
        with tc.enable_grad():
            x = x if x.requires_grad else x.detach().requires_grad_()
            return tc.autograd.grad(loss(x), x, create_graph=True)[0]

    tc.gradcheck(gradient, [x])


def test_the_gradient_does_not_see_what_normalisation_removes() -> None:
    """Shift and scale of x leave y alone, so that the gradient is orthogonal to both."""
    rng = np.random.default_rng(0)
    x = tc.tensor(rng.normal(3, 2, (8, 5)), requires_grad=True)
    (
        F.batch_norm(x, None, None, training=True, eps=1e-12) * tc.tensor(rng.standard_normal((8, 5)))
    ).sum().backward()
    gradient = x.grad.numpy()
    np.testing.assert_allclose(gradient.sum(0), 0, atol=1e-12)
    np.testing.assert_allclose((gradient * x.detach().numpy()).sum(0), 0, atol=1e-10)


def test_one_group_is_a_layer_and_one_channel_per_group_an_instance() -> None:
    x = tc.randn(3, 4, 5, 2)
    whole = F.layer_norm(x, (4, 5, 2)).numpy()
    np.testing.assert_allclose(F.group_norm(x, 1).numpy(), whole, rtol=1e-5, atol=1e-6)
    each = F.instance_norm(x).numpy()
    np.testing.assert_allclose(F.group_norm(x, 4).numpy(), each, rtol=1e-5, atol=1e-6)
    one = F.batch_norm(x[:1], None, None, training=True).numpy()
    np.testing.assert_allclose(one, each[:1], rtol=1e-5, atol=1e-6)


def test_alexnets_local_response_normalisation_by_hand() -> None:
    """Krizhevsky et al. 2012: n = 5, alpha = 1e-4, beta = 0.75, k = 2; their alpha is not divided by n."""
    x = np.random.default_rng(0).uniform(0, 50, 9)
    expected = [v / (2 + 1e-4 * (x[max(0, i - 2) : i + 3] ** 2).sum()) ** 0.75 for i, v in enumerate(x)]
    y = F.local_response_norm(tc.tensor(x.reshape(1, 9, 1)), 5, 5e-4, 0.75, 2.0)
    np.testing.assert_allclose(y.numpy()[0, :, 0], expected, rtol=1e-12)
