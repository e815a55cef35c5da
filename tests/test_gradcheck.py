"""gradcheck: right gradients pass, wrong ones do not, in small and large inputs; second derivatives too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
import tinyconv.nn.functional as F
from tests.backends import kernels
from tests.planted import as_array, doubles, planted, spoilt_at, square
from tinyconv.errors import ArgumentError, DtypeError, GradcheckError

X, W = doubles(3, 2, 5, 5), doubles(2, 2, 3, 3, seed=1)
A, B = doubles(4, 3), doubles(3, 4, seed=1)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with kernels("auto", threads=1):
        yield


def conv(x: tc.Tensor, w: tc.Tensor) -> tc.Tensor:
    return F.conv2d(x, w, padding=1)


@pytest.mark.parametrize("spoil", (lambda g, s: g * 1.01, spoilt_at((7, 11), lambda v: v + 3)))
def test_mistakes_in_large_inputs_are_found_by_random_directions(spoil: Callable[..., Any]) -> None:
    x = doubles(30, 40)
    calls = 0

    def counted(t: tc.Tensor) -> tc.Tensor:
        nonlocal calls
        calls += 1
        return square(t)

    assert tc.gradcheck(counted, x)
    assert calls <= 20, "large inputs are checked along a few directions, not element by element"
    with pytest.raises(GradcheckError, match="with respect to inputs"):
        tc.gradcheck(planted(square, spoil), x)


def test_right_gradients_pass() -> None:
    assert tc.gradcheck(conv, (X, W))
    assert tc.gradcheck(lambda x: F.max_pool2d(x, 2, stride=1), X)
    assert tc.gradcheck(lambda x: F.mse_loss(x, x * 2), A), "an output without dimensions"
    assert tc.gradcheck(lambda x: (x.sum(), x * x), A), "several outputs"
    assert tc.gradcheck(lambda x, n, flag: x * n if flag else x, (A, 3, True)), (
        "arguments that are no tensors"
    )
    assert tc.gradcheck(lambda x: x[:0], A), "no elements"
    assert tc.gradcheck(lambda x, y: x * 2, (A, B)), "an input that is not used has gradient 0"


def test_no_mistakes_cancel() -> None:
    """Two wrong gradients whose errors add up to zero over the outputs."""
    with pytest.raises(GradcheckError):
        tc.gradcheck(planted(square, as_array(lambda g: g + np.array([[1.0], [-1.0], [1.0], [-1.0]]))), A)


def test_dropout_with_its_seed_set_inside() -> None:
    def dropped(x: tc.Tensor) -> tc.Tensor:
        tc.manual_seed(5)
        return F.dropout(x, 0.4)

    assert tc.gradcheck(dropped, X)


def test_the_inputs_are_left_as_they_were() -> None:
    before = X.array.copy(), W.array.copy()
    tc.gradcheck(conv, (X, W))
    assert (X.array == before[0]).all() and (W.array == before[1]).all()
    assert X.grad is None and W.grad is None


def test_what_cannot_be_checked_is_refused() -> None:
    with pytest.raises(DtypeError, match=r"inputs\[1\].*float32.*float64"):
        tc.gradcheck(conv, (X, W.detach().float().requires_grad_()))
    with pytest.raises(ArgumentError, match="requires_grad=True"):
        tc.gradcheck(square, A.detach())


class Cube(tc.Function):
    """y = x^3, with a backward that is right once and wrong when differentiated again."""

    @staticmethod
    def forward(ctx: Any, x: tc.Tensor) -> Any:
        ctx.save_for_backward(x)
        return x.array**3

    @staticmethod
    def backward(ctx: Any, grad: tc.Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return grad * x * x.detach() * 3


def test_right_second_derivatives_pass() -> None:
    assert tc.gradgradcheck(conv, (X, W))
    assert tc.gradgradcheck(square, A)
    assert tc.gradgradcheck(lambda x: (x.sum(), x * x), A), "several outputs"
    assert tc.gradgradcheck(lambda x, n: tc.sigmoid(x) ** n, (A, 3)), "an argument that is no tensor"
    assert tc.gradgradcheck(lambda x, y: tc.exp(x), (A, B)), "an input that is not used"
    assert tc.gradgradcheck(square, A, grad_outputs=B.reshape(4, 3)), "a gradient to start with"
    assert tc.gradgradcheck(tc.tanh, doubles(30, 20)), "a large input"


def test_a_gradient_that_cannot_be_differentiated_again_is_found() -> None:
    def cube(x: tc.Tensor) -> tc.Tensor:
        return Cube.apply(x)

    assert tc.gradcheck(cube, A)
    with pytest.raises(GradcheckError, match=r"analytic = 0\.5 x numeric") as caught:
        tc.gradgradcheck(cube, A)
    assert str(caught.value).startswith("gradgradcheck of the gradient of cube (Mul): ")
    assert "with respect to inputs[0]" in str(caught.value)
    assert tc.gradgradcheck(cube, A, raise_exception=False) is False


def test_a_gradient_computed_outside_the_graph_is_found() -> None:
    class Detached(tc.Function):
        @staticmethod
        def forward(ctx: Any, x: tc.Tensor) -> Any:
            return x.array * 2

        @staticmethod
        def backward(ctx: Any, grad: tc.Tensor) -> Any:
            return tc.Tensor(grad.array * 2)

    with pytest.raises(GradcheckError, match=r"(?s)with respect to grad_outputs\[0\].*no gradient reaches"):
        tc.gradgradcheck(lambda x: Detached.apply(x), A)


def test_second_derivatives_that_cannot_be_checked_are_refused() -> None:
    with pytest.raises(DtypeError, match=r"gradgradcheck: inputs\[0\].*float32.*float64"):
        tc.gradgradcheck(square, tc.ones(2, requires_grad=True))
    with pytest.raises(DtypeError, match=r"gradgradcheck: grad_outputs\[0\].*float32.*float64"):
        tc.gradgradcheck(square, A, tc.ones(4, 3))
    with pytest.raises(ArgumentError, match="gradgradcheck: the number of grad_outputs is 2, expected 1"):
        tc.gradgradcheck(square, A, (A, A))
    with pytest.raises(ArgumentError, match="outputs need a gradient"):
        tc.gradgradcheck(lambda x: x.detach(), A)
