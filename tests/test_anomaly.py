"""detect_anomaly: which op made the NaN, and which line called it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import numpy as np
import pytest

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv.autograd import detect_anomaly, is_anomaly_check_nan_enabled, is_anomaly_enabled
from tinyconv.errors import GraphError


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with np.errstate(all="ignore"):
        yield


def line_here() -> int:
    return inspect.stack()[1].lineno


def zero() -> tc.Tensor:
    return tc.zeros(2, requires_grad=True)


def test_the_op_and_the_line_are_named() -> None:
    x = zero()
    with detect_anomaly():
        y, line = tc.log(x), line_here()
        with pytest.raises(GraphError) as caught:
            (y * 0).sum().backward()
    text = str(caught.value)
    assert text.startswith("Log.backward: gradient 0 is nan at 2 of 2 elements")
    assert f"{__file__}:{line}, in test_the_op_and_the_line_are_named: y, line = tc.log(x)" in text


def test_the_line_in_a_module_of_the_users() -> None:
    class Net(tc.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = tc.nn.Linear(2, 2)

        def forward(self, x: tc.Tensor) -> tc.Tensor:
            h = F.relu(self.fc(x))
            return h / (h - h)

    with (
        detect_anomaly(),
        pytest.raises(GraphError, match=r"Div\.backward.*in forward: return h / \(h"),
    ):
        Net()(tc.ones(1, 2)).sum().backward()


def test_a_layer_is_told_by_the_line_that_called_it() -> None:
    layer = tc.nn.Conv2d(1, 1, 1)
    with detect_anomaly():
        y, line = layer(tc.full((1, 1, 2, 2), float("nan"))), line_here()
        with pytest.raises(GraphError, match=rf"Conv\.backward: gradient 1 .*{line}, in test_a_layer"):
            y.sum().backward()


def test_nan_that_comes_in_is_said_to_come_in() -> None:
    x = zero()
    with detect_anomaly(), pytest.raises(GraphError, match=r"Mul\.backward.*nan came in already"):
        (x * 2).backward(tc.tensor([1.0, float("nan")]))


def test_a_graph_recorded_before_has_no_lines() -> None:
    y = tc.log(zero()) * 0
    with detect_anomaly(), pytest.raises(GraphError, match=r"Log\.backward.*outside of detect_anomaly"):
        y.sum().backward()


def test_infinity_and_right_numbers_pass() -> None:
    x = zero()
    with detect_anomaly():
        tc.log(x).sum().backward()
    assert x.grad.tolist() == [float("inf")] * 2


def test_without_it_nan_is_no_error() -> None:
    x = zero()
    (tc.log(x) * 0).sum().backward()
    assert np.isnan(x.grad.array).all()
    with detect_anomaly(check_nan=False):
        (tc.log(x) * 0).sum().backward()


def test_second_derivatives_name_the_backward_that_recorded_them() -> None:
    x = zero()
    with detect_anomaly():
        (first,) = tc.autograd.grad((x**1.5).sum(), x, create_graph=True)
        with pytest.raises(GraphError, match=r"in test_second_derivatives.*tc\.autograd\.grad"):
            (first * 0).sum().backward()


def test_switching() -> None:
    assert not is_anomaly_enabled() and not is_anomaly_check_nan_enabled()
    with detect_anomaly():
        assert is_anomaly_enabled() and is_anomaly_check_nan_enabled()
        with tc.autograd.set_detect_anomaly(False):
            assert not is_anomaly_enabled()
        assert is_anomaly_enabled()
        with detect_anomaly(check_nan=False):
            assert is_anomaly_enabled() and not is_anomaly_check_nan_enabled()
    assert not is_anomaly_enabled()
    try:
        tc.autograd.set_detect_anomaly(True)
        assert is_anomaly_enabled()
    finally:
        tc.autograd.set_detect_anomaly(False)
    assert not is_anomaly_enabled()


def test_as_a_decorator() -> None:
    @detect_anomaly()
    def enabled() -> bool:
        return is_anomaly_enabled()

    assert enabled() and enabled() and not is_anomaly_enabled()


def test_the_walk_before_the_mistake_leaves_grads_alone() -> None:
    x = zero()
    with detect_anomaly(), pytest.raises(GraphError):
        (tc.log(x) * 0).sum().backward()
    assert x.grad is None
