"""A captured network in a graph: gradients go through it as through the network itself."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
import tinyconv.nn.functional as F
from tests.capture.steps import NETWORKS, Training, assert_same, batches
from tinyconv import nn


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def warm(function: Any, *args: Any) -> Any:
    for _ in range(3):
        result = function(*args)
    return result


@pytest.mark.parametrize("what", ["network", "loss"])
@pytest.mark.parametrize("network", NETWORKS)
def test_training_around_it(network: str, what: str) -> None:
    def train(compiled: bool) -> dict[str, Any]:
        training = Training(network, "adam", compiled=False)
        model = training.model
        net = tc.compile(model) if compiled and what == "network" else model

        def loss_of(x: tc.Tensor, y: tc.Tensor) -> tc.Tensor:
            return F.cross_entropy(net(x), y)

        run = tc.compile(loss_of) if compiled and what == "loss" else loss_of
        for x, y in batches(network, 8):
            training.optimizer.zero_grad()
            run(x, y).backward()
            training.optimizer.step()
        net.eval()
        with tc.no_grad():
            outputs = [net(x).numpy() for x, _ in batches(network, 4)]
        return {**training.state(), **{f"output {i}": y for i, y in enumerate(outputs)}}

    assert_same(train(True), train(False))


def test_a_compiled_module_is_the_module() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    compiled = tc.compile(model)
    assert isinstance(compiled, nn.Sequential) and compiled is not model
    assert list(compiled.state_dict()) == list(model.state_dict())
    assert all(a is b for a, b in zip(compiled.parameters(), model.parameters(), strict=True))
    compiled.eval()
    assert not model.training
    whole = nn.Sequential(compiled, nn.Linear(4, 1))
    assert "0.0.weight" in whole.state_dict()
    assert whole(tc.ones(5, 3)).shape == (5, 1)


def test_gradients_of_the_input() -> None:
    power = tc.compile(lambda x: (x * x * x, x.detach()))
    for value in (2.0, 2.0, 3.0, 5.0):
        x = tc.tensor([value], requires_grad=True)
        y, same = power(x)
        assert y.requires_grad and not same.requires_grad
        (y * 2).sum().backward()
        assert x.grad is not None and x.grad.tolist() == [6 * value**2]
    assert power.captured()


def test_an_input_that_needs_a_gradient_only_sometimes() -> None:
    square = tc.compile(lambda x: x * x)
    for i in range(8):
        x = tc.tensor([3.0], requires_grad=i % 2 == 0)
        assert square(x).requires_grad == (i % 2 == 0)
        with tc.no_grad():
            assert not square(x).requires_grad


def test_two_outputs_of_which_one_is_used() -> None:
    weight = nn.Parameter(tc.tensor([2.0]))
    both = tc.compile(lambda x: (x * weight, x + weight))
    for i in range(5):
        weight.grad = None
        first, second = both(tc.tensor([float(i)]))
        (second if i % 2 else first).backward()
        assert weight.grad is not None and weight.grad.tolist() == [1.0 if i % 2 else float(i)]


@pytest.mark.parametrize("given", [g for g in product((False, True), repeat=3) if any(g)])
def test_a_result_without_a_gradient_is_left_out(given: tuple[bool, ...]) -> None:
    """Zeros in its place would be NaN behind the infinite derivative of the root of zero."""
    weight = nn.Parameter(tc.tensor([0.0, 4.0]))

    def three(x):
        hidden = x * weight
        return tc.sqrt(hidden), hidden.clone(), (hidden * hidden).sum()

    both = three, tc.compile(three, fullgraph=True)
    for i in range(4):
        x = tc.tensor([1.0 + i, 2.0])
        found = []
        for run in both:
            weight.grad = None
            chosen = [y.sum() * 3.0 for y, is_given in zip(run(x), given, strict=True) if is_given]
            sum(chosen).backward()
            found.append(weight.grad.numpy())
        np.testing.assert_array_equal(found[1], found[0])
    assert both[1].captured()
    assert np.isfinite(found[1]).all() == (not given[0])


def test_ways_back_that_share_a_constant() -> None:
    x = tc.tensor([2.0, -1.0], requires_grad=True)
    run = tc.compile(lambda x: (tc.sign(x), x.floor(), x * 2.0), fullgraph=True)
    for i in range(5):
        x.grad = None
        run(x)[i % 3].sum().backward()
        assert x.grad is not None and x.grad.tolist() == ([2.0, 2.0] if i % 3 == 2 else [0.0, 0.0])


def test_many_results_with_a_graph_run_as_they_are() -> None:
    weight = nn.Parameter(tc.tensor([2.0]))
    run = tc.compile(lambda x: tuple([x * weight * i for i in range(5)]))
    with pytest.warns(UserWarning, match="more than 4 results"):
        run(tc.tensor([3.0]))[4].backward()
    assert weight.grad is not None and weight.grad.tolist() == [12.0]


def test_a_second_walk_back_explains_itself() -> None:
    x = tc.tensor([2.0], requires_grad=True)
    y = warm(tc.compile(lambda x: x * x), x)
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad is not None and x.grad.tolist() == [8.0]
    with pytest.raises(tc.errors.GraphError, match="already freed"):
        y.backward()


def test_no_second_derivatives() -> None:
    x = tc.tensor([2.0], requires_grad=True)
    y = warm(tc.compile(lambda x: x * x), x)
    with pytest.raises(tc.errors.GraphError, match="create_graph"):
        tc.autograd.grad(y, x, create_graph=True)


def test_the_loss_of_a_whole_step_has_no_graph_left() -> None:
    training = Training()
    ((x, y),) = batches("mlp", 1)
    loss = warm(training.step, x, y)
    loss = warm(training.step, x, y)
    assert loss.requires_grad
    with pytest.raises(tc.errors.GraphError, match="already freed"):
        loss.backward()


@pytest.mark.parametrize("what", ["parameter", "input", "output"])
def test_changes_before_the_walk_back_are_noticed(what: str) -> None:
    weight = nn.Parameter(tc.tensor([0.5]))
    step = tc.compile(lambda x: tc.sigmoid(x * weight))
    for _ in range(4):
        x = tc.tensor([1.0], requires_grad=True)
        y = step(x)
        with tc.no_grad():
            {"parameter": weight, "input": x, "output": y}[what].mul_(2)
        with pytest.raises(tc.errors.GraphError, match="changed in place"):
            y.backward()


def test_evaluation_needs_no_graph() -> None:
    model = NETWORKS["resnet"]().eval()
    compiled = tc.compile(model)
    with tc.no_grad():
        for x, _ in batches("resnet", 4):
            y = compiled(x)
            assert not y.requires_grad
            assert tc.equal(y, model(x))
