"""What a captured step joins into one kernel; the numbers stay the same, as for every network."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
import tinyconv.nn.functional as F
from tests.capture.steps import Training, batches
from tinyconv import nn


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def kernels_in(source: str) -> list[str]:
    """The kernels that a program calls, in order, without the numbers behind their names."""
    return re.findall(r"= ([a-z_]+)_\d+\(", source)


def program(network: str) -> list[str]:
    training = Training(network)
    for x, y in batches(network, 4):
        training.step(x, y)
    (source,) = training.step.captured()
    return kernels_in(source)


ALONE = {"relu", "elu", "tanh", "dropout", "relu_backward", "elu_backward", "tanh_backward"}


@pytest.mark.parametrize("network", ["mlp", "lenet"])
def test_no_activation_has_a_pass_of_its_own(network: str) -> None:
    called = program(network)
    assert not ALONE.intersection(called)
    layers = {"mlp": 2, "lenet": 3}[network]
    gradients = [name for name in called if name.endswith(("_activation_gradients", "_parameter_grads"))]
    assert len([name for name in called if name.endswith("_activation")]) == layers == len(gradients)


@pytest.mark.parametrize("batch", [64, 50])
def test_dense_layers_are_one_call_where_only_the_result_is_wanted(batch: int) -> None:
    tc.manual_seed(0)
    layers = [nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.Tanh(), nn.Linear(128, 10)]
    model, x = nn.Sequential(*layers).eval(), tc.rand(batch, 784)

    def hidden_too(x: tc.Tensor) -> tuple[tc.Tensor, tc.Tensor]:
        hidden = model[3](model[2](model[1](model[0](x))))
        return hidden, model[4](hidden)

    for function, expected in (
        (model.__call__, ["linear_layers"]),
        (hidden_too, ["linear_layers", "linear"]),
    ):
        compiled = tc.compile(lambda x, function=function: function(x))
        with tc.no_grad():
            eager = function(x)
            for _ in range(4):
                replayed = compiled(x)
        (source,) = compiled.captured()
        assert kernels_in(source) == expected
        pairs = [(eager, replayed)] if function is not hidden_too else zip(eager, replayed, strict=True)
        for one, two in pairs:
            np.testing.assert_array_equal(one.numpy(), two.numpy())


@pytest.mark.parametrize("last", [F.linear, lambda x, weight: F.relu(F.linear(x, weight))])
def test_a_layer_whose_input_is_its_weight_too_is_no_further_one(last: Any) -> None:
    first, x = nn.Linear(100, 80), tc.rand(64, 100)

    def products(x: tc.Tensor) -> tc.Tensor:
        hidden = F.relu(first(x))
        return last(hidden, hidden)

    compiled = tc.compile(products)
    with tc.no_grad():
        expected = products(x).numpy()
        for _ in range(4):
            np.testing.assert_array_equal(compiled(x).numpy(), expected)
    assert "linear_layers" not in kernels_in(compiled.captured()[0])


@pytest.mark.parametrize("features", [(1, 1024, 64), (784, 512, 1, 128), (100, 90, 80, 70, 60, 50, 40)])
def test_dense_layers_that_are_not_one_pass_have_the_bits_of_single_ones(features: tuple[int, ...]) -> None:
    tc.manual_seed(0)
    model = nn.Sequential(*(nn.Linear(k, n) for k, n in pairwise(features)))
    compiled, x = tc.compile(lambda x: model(x)), tc.rand(512, features[0])
    with tc.no_grad():
        expected = model(x).numpy()
        for _ in range(4):
            np.testing.assert_array_equal(compiled(x).numpy(), expected)
    assert kernels_in(compiled.captured()[0]) == ["linear_layers"]


def test_dropout_belongs_to_its_activation() -> None:
    called = program("unet")
    assert "conv_activation_dropout" in called and "dropout_activation_backward" in called
    assert "elu" not in called and "conv_activation" in called  # of the other, dropout2d drops channels


@pytest.mark.parametrize("backend", ["auto", "reference"])
@pytest.mark.parametrize("function", ["relu", "leaky_relu", "elu", "sigmoid", "tanh"])
def test_every_function(function: str, backend: str) -> None:
    """A step with a convolution, dropout and a layer behind each function has the bits of the eager step."""
    tc.manual_seed(1)
    apply = getattr(F, function)
    conv, linear, last = nn.Conv2d(3, 16, 3, padding=1), nn.Linear(16 * 64, 40), nn.Linear(40, 2)
    layers = nn.ModuleList([conv, linear, last])

    def step(x: tc.Tensor) -> tc.Tensor:
        layers.zero_grad()
        y = F.dropout(apply(conv(x)), 0.25)
        y = last(apply(linear(F.max_pool2d(y, 2).flatten(1))))
        y.sum().backward()
        return y

    def run(function: Any) -> list[Any]:
        tc.manual_seed(2)
        found: list[Any] = []
        for _ in range(4):
            found.append(function(x).detach().numpy().copy())
            found += [p.grad.numpy().copy() for p in layers.parameters()]
        return found

    before = tc.kernel_backend.get()
    try:
        tc.kernel_backend.set(backend)
        x = tc.randn(8, 3, 16, 16)
        compiled = tc.compile(step)
        for one, two in zip(run(step), run(compiled), strict=True):
            np.testing.assert_array_equal(one, two)
        called = kernels_in(compiled.captured()[0])
    finally:
        tc.kernel_backend.set(before)
    assert not {function, f"{function}_backward", "dropout"}.intersection(called)
    assert {"conv_activation_dropout", "linear_activation", "dropout_activation_backward"} <= set(called)


def test_what_somebody_else_needs_is_made() -> None:
    conv = nn.Conv2d(2, 3, 3)
    weight = conv.weight.detach()

    @tc.compile
    def both(x: tc.Tensor) -> tuple[tc.Tensor, tc.Tensor]:
        y = F.conv2d(x, weight)
        return y, F.relu(y)

    x = tc.randn(1, 2, 9, 9)
    for _ in range(4):
        y, z = both(x)
        assert (y.numpy() < 0).any() and tc.equal(F.relu(y), z)
    assert kernels_in(both.captured()[0]) == ["conv", "relu"]


def test_what_the_second_kernel_takes_twice_is_made() -> None:
    """A dropped tensor that is the input of an activation and the gradient of its output."""
    weight = tc.randn(40, 50).requires_grad_()

    def step() -> tc.Tensor:
        dropped = F.dropout(weight, 0.5)
        return tc.autograd.grad(F.leaky_relu(dropped, -0.5), weight, dropped.detach())[0]

    compiled, results = tc.compile(step), []
    for function in (step, compiled):
        tc.manual_seed(4)
        results.append([function().numpy() for _ in range(4)])
    np.testing.assert_array_equal(*results)
    assert compiled.captured()


def test_a_leaky_relu_whose_slope_has_a_sign_keeps_its_input() -> None:
    """Its output does not tell which side of zero the input was on."""
    for slope, fused in ((-0.5, False), (0.5, True)):
        weight = tc.randn(3, 2, 3, 3).requires_grad_()

        def step(x: tc.Tensor, weight: tc.Tensor = weight, slope: float = slope) -> tc.Tensor:
            weight.grad = None
            y = F.leaky_relu(F.conv2d(x, weight), slope)
            (y * y).sum().backward()
            return y

        compiled = tc.compile(step)
        x = tc.randn(2, 2, 9, 9)
        expected = step(x).detach().numpy().copy(), weight.grad.numpy().copy()
        for _ in range(4):
            np.testing.assert_array_equal(compiled(x).detach().numpy(), expected[0])
            np.testing.assert_array_equal(weight.grad.numpy(), expected[1])
        assert ("conv_activation" in kernels_in(compiled.captured()[0])) is fused


def test_an_output_that_the_caller_may_change_is_not_what_the_derivative_is_taken_from() -> None:
    weight = tc.randn(3, 2, 3, 3).requires_grad_()
    compiled = tc.compile(lambda x: F.leaky_relu(F.conv2d(x, weight), 0.5))
    x = tc.randn(2, 2, 9, 9)
    for _ in range(4):
        weight.grad = None
        y = compiled(x)
        start = tc.ones_like(y)
        with tc.no_grad():
            y.mul_(-1.0)
        y.backward(start)
        got = weight.grad.numpy().copy()
    weight.grad = None
    F.leaky_relu(F.conv2d(x, weight), 0.5).backward(start)
    np.testing.assert_array_equal(got, weight.grad.numpy())
