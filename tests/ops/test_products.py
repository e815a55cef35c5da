"""Linear layers and einsum, in forms that the table of ops does not draw."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

import tinyconv as tc


@pytest.mark.parametrize("wanted", list(product([True, False], repeat=3))[:-1])
def test_gradients_of_a_linear_layer_of_which_some_are_wanted(wanted: tuple[bool, bool, bool]) -> None:
    rng = np.random.default_rng(0)
    x, weight, bias, g = (rng.standard_normal(shape) for shape in ((5, 3), (4, 3), 4, (5, 4)))
    inputs = [tc.tensor(a, requires_grad=w) for a, w in zip((x, weight, bias), wanted, strict=True)]
    (tc.nn.functional.linear(*inputs) * tc.tensor(g)).sum().backward()
    for tensor, expected in zip(inputs, (g @ weight, g.T @ x, g.sum(0)), strict=True):
        assert (tensor.grad is not None) == tensor.requires_grad
        if tensor.grad is not None:
            np.testing.assert_allclose(tensor.grad.numpy(), expected, rtol=1e-12)


def test_einsum_takes_a_list_spaces_and_integers() -> None:
    a, b = tc.arange(6).reshape(2, 3), tc.arange(3)
    assert tc.einsum(" ij, j -> i ", [a, b]).tolist() == [5, 14]
    assert tc.einsum("ij,j->i", a, b).dtype == tc.int64
    assert tc.einsum("Ba,aB", a.float(), a.float().T).item() == 55.0


def test_einsum_of_empty_dimensions() -> None:
    assert tc.einsum("ij,jk->ik", tc.zeros(2, 0), tc.zeros(0, 3)).tolist() == [[0.0] * 3] * 2
    assert tc.einsum("bi->b", tc.zeros(0, 3)).shape == (0,)


def test_an_attention_layer_in_einsum_is_the_one_in_matmul() -> None:
    tc.manual_seed(0)
    q, k, v = (tc.randn(2, 3, 5, 4, dtype="float64", requires_grad=True) for _ in range(3))
    weights = tc.softmax(tc.einsum("bhqd,bhkd->bhqk", q, k), -1)
    y = tc.einsum("bhqk,bhkd->bqhd", weights, v)
    expected = (tc.softmax(q @ k.mT, -1) @ v).transpose(1, 2)
    np.testing.assert_allclose(y.detach().numpy(), expected.detach().numpy(), rtol=1e-12)
    for got, gradient in zip(
        tc.autograd.grad((y * y).sum(), (q, k, v)),
        tc.autograd.grad((expected * expected).sum(), (q, k, v)),
        strict=True,
    ):
        np.testing.assert_allclose(got.numpy(), gradient.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("equation", ("ij,jk,kl->il", "ij,jk,kl->li", "ab,bc,cd"))
def test_three_factors_agree_with_a_chain_of_products(equation: str) -> None:
    rng = np.random.default_rng(0)
    a, b, c = (rng.standard_normal(shape) for shape in ((2, 3), (3, 4), (4, 5)))
    expected = a @ b @ c
    got = tc.einsum(equation, *map(tc.tensor, (a, b, c))).numpy()
    np.testing.assert_allclose(got, expected.T if equation.endswith("li") else expected, rtol=1e-12)
