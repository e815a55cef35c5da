"""Cross-entropy of class numbers, without weights and smoothing: one op, held against its formula."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv.errors import ArgumentError

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


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_where_all_are_ignored_the_second_derivative_is_0_as_pytorchs(dtype: str) -> None:
    x = tc.tensor(np.random.default_rng(2).standard_normal((2, 3)), dtype=dtype, requires_grad=True)
    loss = F.cross_entropy(x, tc.tensor([1, 1]), ignore_index=1)
    (grad,) = tc.autograd.grad(loss, x, create_graph=True)
    (second,) = tc.autograd.grad((grad * grad).sum() + grad.sum(), x)
    assert second.tolist() == [[0.0] * 3] * 2


@pytest.mark.parametrize("loss", [F.cross_entropy, F.nll_loss])
@pytest.mark.parametrize("ignored", [2**31, -(2**31), 2**40, 2**63 - 1, -(2**63)])
def test_an_ignored_label_of_64_bits(loss: Any, ignored: int) -> None:
    x = tc.tensor(np.random.default_rng(3).standard_normal((3, 4)), requires_grad=True)
    found = loss(x, tc.tensor([1, ignored, 3]), ignore_index=ignored)
    expected = loss(x.detach()[[0, 2]], tc.tensor([1, 3]))
    found.backward()
    assert found.item() == pytest.approx(expected.item(), rel=1e-12)
    assert x.grad is not None and x.grad[1].tolist() == [0.0] * 4 and x.grad[0].numpy().any()


@pytest.mark.parametrize("ignored", [2**63, -(2**63) - 1, 10**400])
def test_an_ignored_label_that_no_label_can_be(ignored: int) -> None:
    with pytest.raises(ArgumentError, match=r"ignore_index.*an int from -9223372036854775808 to"):
        F.cross_entropy(tc.zeros(1, 2), tc.tensor([0]), ignore_index=ignored)


def test_labels_that_change_before_backward_are_noticed() -> None:
    x, target = tc.zeros(2, 3, requires_grad=True), tc.tensor([1, 2])
    loss = F.cross_entropy(x, target)
    target[0] = 0
    with pytest.raises(tc.errors.GraphError, match="changed in place"):
        loss.backward()
