"""What functions gradcheck can and cannot look at."""

from __future__ import annotations

import numpy as np
import pytest

import tinyconv as tc
from tinyconv.errors import ArgumentError, DtypeError, GradcheckError


def doubles(*values):
    return tc.tensor(np.array(values), requires_grad=True)


@pytest.fixture(autouse=True)
def _one_thread():
    with tc.num_threads(1):
        yield


@pytest.mark.parametrize(
    ("function", "x"),
    [
        (tc.exp, doubles(30.0, 0.0, -3.0)),
        (lambda x: x * x * x, doubles(1e4, 0.1, 1.0)),
        (lambda x: x * tc.tensor(np.array([1e8, 1.0])), doubles(1.0, 1.0)),
    ],
)
def test_a_large_output_does_not_hide_a_small_one(function, x):
    assert tc.gradcheck(function, x)


@pytest.mark.parametrize("result", [lambda x: x.detach().numpy(), lambda x: x.sum().item(), lambda x: None])
def test_a_function_that_returns_no_tensor_is_refused(result):
    with pytest.raises(DtypeError, match=r"output 0 of fn is a .*expected a Tensor"):
        tc.gradcheck(result, doubles(1.0, 2.0))


def test_a_function_without_floating_point_output_is_refused():
    with pytest.raises(ArgumentError, match="no floating-point Tensor"):
        tc.gradcheck(lambda x: x.argmax(), doubles(1.0, 2.0))


def test_a_float32_output_is_refused():
    with pytest.raises(DtypeError, match="float32, expected float64"):
        tc.gradcheck(lambda x: x.float(), doubles(1.0, 2.0))


def test_an_output_outside_the_graph_is_left_out_unless_all_are():
    assert tc.gradcheck(lambda x: (2 * x, 3 * x.detach()), doubles(1.0, 2.0))
    with pytest.raises(GradcheckError, match="no gradient reaches"):
        tc.gradcheck(lambda x: 3 * x.detach(), doubles(1.0, 2.0))


@pytest.mark.parametrize(("option", "value"), [("directions", 0), ("eps", 0.0), ("eps", -1e-6)])
def test_options_with_which_nothing_could_fail_are_refused(option, value):
    with pytest.raises(ArgumentError, match=option):
        tc.gradcheck(lambda x: x * x, doubles(*np.ones(300)), **{option: value})


def test_a_function_that_differentiates_inside():
    """A gradient penalty, (|df/dx| - 1)^2, as the Wasserstein GAN with gradient penalty has it."""

    def penalty(x, w):
        score = tc.tanh(x * w).sum()
        (slope,) = tc.autograd.grad(score, x, create_graph=True)
        return ((slope * slope).sum() - 1) ** 2

    assert tc.gradcheck(penalty, (doubles(0.3, -0.8, 1.2), doubles(0.5, 1.5, -0.7)))


class OneWrong(tc.Function):
    """x^2, the derivative of whose eighth element is 1 % too large."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        error = np.ones(x.shape)
        error[7] = 1.01
        return 2 * x * grad * tc.tensor(error)


@pytest.mark.parametrize(("count", "words"), [(150, "right at 149 of 150"), (2000, "directions disagree")])
def test_one_wrong_element_is_no_constant_factor(count, words):
    values = np.random.default_rng(0).uniform(0.5, 1.5, count)
    values[7] = 3
    with pytest.raises(GradcheckError, match=words):
        tc.gradcheck(OneWrong.apply, doubles(*values), rtol=1e-6)
