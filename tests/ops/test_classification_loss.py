"""Cross-entropy of class numbers, without weights and smoothing: one op, held against its formula."""

from __future__ import annotations

import numpy as np
import pytest

import tinyconv as tc
import tinyconv.nn.functional as F

LABELS = np.array([2, 0, 1, 2, 0])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("ignored", [-100, 0])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_values_and_gradients_are_those_of_the_formula(reduction: str, ignored: int, dtype: str) -> None:
    rng = np.random.default_rng(0)
    scores, outer = rng.standard_normal((5, 3)), rng.standard_normal(5)
    p = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    counted = LABELS != ignored
    each = -np.log(p[range(5), LABELS]) * counted
    value = {"mean": each.sum() / counted.sum(), "sum": each.sum(), "none": each}[reduction]
    scale = {"mean": counted * outer[0] / counted.sum(), "sum": counted * outer[0], "none": counted * outer}
    x = tc.tensor(scores, dtype=dtype, requires_grad=True)
    loss = F.cross_entropy(x, tc.tensor(LABELS), ignore_index=ignored, reduction=reduction)
    loss.backward(tc.tensor(outer if reduction == "none" else outer[0], dtype=dtype))
    accuracy = 1e-5 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(loss.detach().numpy(), value, rtol=accuracy, atol=accuracy)
    expected = scale[reduction][:, None] * (p - np.eye(3)[LABELS])
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), expected, rtol=accuracy, atol=accuracy)


@pytest.mark.parametrize("ignored", [-100, 0])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_second_derivatives(reduction: str, ignored: int) -> None:
    x = tc.tensor(np.random.default_rng(1).standard_normal((5, 3)), requires_grad=True)
    target = tc.tensor(LABELS)

    def loss(x: tc.Tensor) -> tc.Tensor:
        return F.cross_entropy(x, target, ignore_index=ignored, reduction=reduction)

    assert tc.autograd.gradgradcheck(loss, (x,))


def test_where_all_are_ignored_the_mean_is_nan_and_the_gradient_0() -> None:
    x = tc.zeros(2, 3, requires_grad=True)
    loss = F.cross_entropy(x, tc.tensor([1, 1]), ignore_index=1)
    loss.backward()
    assert np.isnan(loss.item())
    assert x.grad is not None and not x.grad.numpy().any()


def test_labels_that_change_before_backward_are_noticed() -> None:
    x, target = tc.zeros(2, 3, requires_grad=True), tc.tensor([1, 2])
    loss = F.cross_entropy(x, target)
    target[0] = 0
    with pytest.raises(tc.errors.GraphError, match="changed in place"):
        loss.backward()
