"""What a replay would not repeat is noticed: the step runs as it is, and a warning says why."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
import tinyconv.nn.functional as F
from tests.capture.steps import Training, assert_same, batches
from tinyconv import nn

seen: list[float] = []
table = np.ones(3, np.float32)
numbers = iter(range(1000))
last = deque([2.0])


class Counter:
    count = 0
    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0


counter = Counter()


class Doubling(tc.autograd.Function):
    """Keeps a number that depends on the values."""

    @staticmethod
    def forward(ctx: Any, x: tc.Tensor) -> Any:
        ctx.largest = float(x.array.max())
        return x.array * 2

    @staticmethod
    def backward(ctx: Any, grad: tc.Tensor) -> Any:
        return grad * ctx.largest


def item(x: tc.Tensor) -> tc.Tensor:
    return x * x.sum().item()


def truth(x: tc.Tensor) -> tc.Tensor:
    return x if x.sum() > 3 else -x


def number(x: tc.Tensor) -> tc.Tensor:
    return x * float(x.max())


def numpy_values(x: tc.Tensor) -> tc.Tensor:
    return x * x.numpy()


def own_array(x: tc.Tensor) -> tc.Tensor:
    return tc.Tensor(x.array * 2)


def shown(x: tc.Tensor) -> tc.Tensor:
    str(x)
    return x * 2


def printed(x: tc.Tensor) -> tc.Tensor:
    print("a step")
    return x * 2


def timed(x: tc.Tensor) -> tc.Tensor:
    return x * (1 + 0 * time.perf_counter())


def python_random(x: tc.Tensor) -> tc.Tensor:
    return x * (random.random() < 2)


def numpy_random(x: tc.Tensor) -> tc.Tensor:
    return x * (1 + 0 * np.random.rand())  # noqa: NPY002


def appended(x: tc.Tensor) -> tc.Tensor:
    seen.append(1.0)
    return x * len(seen)


def counted(x: tc.Tensor) -> tc.Tensor:
    counter.value += 1
    return x * counter.value


def counted_in_class(x: tc.Tensor) -> tc.Tensor:
    Counter.count += 1
    return x * Counter.count


def from_a_table(x: tc.Tensor) -> tc.Tensor:
    return x * float(table[0])


def from_an_iterator(x: tc.Tensor) -> tc.Tensor:
    return x * next(numbers)


def from_a_deque(x: tc.Tensor) -> tc.Tensor:
    return x * last[0]


def assigned_data(x: tc.Tensor) -> tc.Tensor:
    y = x * 1
    y.data = y.detach() * 3
    return y


def seeded(x: tc.Tensor) -> tc.Tensor:
    tc.manual_seed(3)
    return x * tc.rand(3)


def masked(x: tc.Tensor) -> tc.Tensor:
    return x[x > 0.5].sum()


def returned_number(x: tc.Tensor) -> Any:
    return x * 2, 0.5


def returned_object(x: tc.Tensor) -> Any:
    return {1, 2}


def new_leaf(x: tc.Tensor) -> tc.Tensor:
    return tc.zeros(3, requires_grad=True)


def learning_rate(x: tc.Tensor) -> tc.Tensor:
    return x * optimizer.param_groups[0]["lr"]


weight = nn.Parameter(tc.ones(3))
optimizer = tc.optim.SGD([weight], lr=0.5)

CASES: dict[Callable[..., Any], str] = {
    item: "reads the values of a tensor, in single",
    truth: "in bool",
    number: "in single",
    numpy_values: "reads the values of a tensor, in numpy",
    own_array: r"in \.array",
    shown: "in repr",
    printed: "calls print",
    timed: "calls perf_counter",
    python_random: "calls Random.random",
    numpy_random: "random numbers from numpy.random",
    appended: r"changes seen",
    counted: "changes ",
    counted_in_class: "changes Counter.count",
    from_a_table: "can read table, a ndarray",
    from_an_iterator: "can read numbers, a range_iterator",
    from_a_deque: "can read last, a deque",
    assigned_data: "in data",
    seeded: "calls manual_seed",
    masked: "where a mask is true",
    returned_number: "returns a number",
    returned_object: "returns a set",
    new_leaf: "returns a new tensor that requires a gradient",
    learning_rate: "reads param_groups",
}


@pytest.mark.parametrize("step", CASES, ids=lambda step: step.__name__)
def test_the_step_runs_as_it_is(step: Callable[..., Any]) -> None:
    compiled = tc.compile(step)
    with pytest.warns(UserWarning, match=CASES[step]):
        for i in range(8):
            x = tc.tensor([0.25, 0.75, float(i)])
            seen.clear()
            counter.value = Counter.count = i
            got, state = compiled(x), tc.get_rng_state()
            seen.clear()
            counter.value = Counter.count = i
            tc.set_rng_state(state)
            if step not in (from_an_iterator, python_random, numpy_random):
                assert str(got) == str(step(x))
    assert compiled.captured() == []
    assert compiled.reason is not None


@pytest.mark.parametrize("step", CASES, ids=lambda step: step.__name__)
def test_or_is_refused(step: Callable[..., Any]) -> None:
    compiled = tc.compile(step, fullgraph=True)
    with pytest.raises(tc.errors.GraphError, match=CASES[step]):
        for _ in range(8):
            compiled(tc.tensor([0.25, 0.75, 4.0]))


def test_a_number_kept_by_an_op_of_ones_own() -> None:
    x = tc.tensor([1.0, 2.0], requires_grad=True)
    compiled = tc.compile(lambda x: Doubling.apply(x).sum())
    with pytest.warns(UserWarning, match="keeps a number in the op"):
        for i in range(5):
            x = tc.tensor([1.0, float(i)], requires_grad=True)
            compiled(x).backward()
            assert x.grad is not None and x.grad.tolist() == [max(1.0, i)] * 2


@pytest.mark.parametrize("kind", ["tensor", "parameter", "module"])
def test_hooks(kind: str) -> None:
    model = nn.Linear(3, 2)
    calls: list[Any] = []
    if kind == "module":
        model.register_forward_hook(lambda *given: calls.append(1))
    elif kind == "parameter":
        model.weight.register_hook(lambda grad: calls.append(1))

    @tc.compile
    def step(x: tc.Tensor) -> None:
        y = model(x)
        if kind == "tensor":
            y.register_hook(lambda grad: calls.append(1))
        y.sum().backward()

    with pytest.warns(UserWarning, match="runs as it is, because"):
        for _ in range(6):
            step(tc.ones(4, 3))
    assert len(calls) == 6


def test_a_hook_that_comes_later() -> None:
    training = Training()
    data = batches("mlp", 8)
    for x, y in data[:5]:
        training.step(x, y)
    assert training.step.captured()
    gradients: list[Any] = []
    training.model[0].weight.register_hook(gradients.append)
    with pytest.warns(UserWarning, match="runs hooks"):
        for x, y in data[5:]:
            training.step(x, y)
    assert len(gradients) == 3


def test_a_closure_of_the_optimiser_is_called_each_time() -> None:
    def train(compiled: bool) -> dict[str, Any]:
        training = Training(compiled=False)
        model, optimizer = training.model, training.optimizer

        def step(x: tc.Tensor, y: tc.Tensor) -> Any:
            def closure() -> tc.Tensor:
                optimizer.zero_grad()
                loss = F.cross_entropy(model(x), y)
                loss.backward()
                return loss

            return optimizer.step(closure)

        run = tc.compile(step) if compiled else step
        for x, y in batches("mlp", 5):
            run(x, y)
        return training.state()

    eager = train(False)
    with pytest.warns(UserWarning, match="passes a function"):
        assert_same(train(True), eager)


def test_a_step_that_is_different_each_time() -> None:
    lengths = {"now": 1}

    @tc.compile
    def step(x: tc.Tensor) -> tc.Tensor:
        for _ in range(lengths["now"]):
            x = x + 1
        return x

    with pytest.warns(UserWarning, match="more than 16 different ways"):
        for i in range(30):
            lengths["now"] = i
            assert step(tc.zeros(1)).tolist() == [float(lengths["now"])]


def test_arguments_that_are_not_apart() -> None:
    shared = tc.ones(3)
    add = tc.compile(lambda x, y: x * shared + y)
    x = tc.zeros(3)
    for _ in range(3):
        assert add(x, tc.ones(3)).tolist() == [1.0] * 3
    with pytest.warns(UserWarning, match="can be reached in another way too"):
        assert add(x, x).tolist() == [0.0] * 3
        assert add(shared, x).tolist() == [1.0] * 3
        assert add(x, shared.detach()).tolist() == [1.0] * 3
    assert add(x, tc.ones(3)).tolist() == [1.0] * 3
    assert add.captured()

    difference = tc.compile(lambda x, y: x - y)
    with pytest.warns(UserWarning, match="can be reached in another way too"):
        for _ in range(3):
            difference(shared, shared)
    assert difference(shared, x).tolist() == [1.0] * 3


def test_what_the_step_looks_at_is_looked_at_again() -> None:
    class Config:
        def __init__(self) -> None:
            self.scale, self.names = 2.0, ["a", "b"]

    config, offset = Config(), 1.0

    @tc.compile
    def step(x: tc.Tensor) -> tc.Tensor:
        return x * config.scale + offset + len(config.names)

    def check(expected: float) -> None:
        for _ in range(3):
            assert step(tc.ones(1)).tolist() == [expected]

    check(5.0)
    config.scale = 3.0
    check(6.0)
    config.names.append("c")
    check(7.0)
    offset = -0.5
    check(5.5)
    config.scale, offset = 2.0, 1.0
    config.names.pop()
    check(5.0)
    assert len(step.captured()) == 4


@pytest.mark.parametrize(
    "options",
    [{"dynamic": True}, {"backend": "tvm"}, {"mode": "fast"}, {"options": {"a": 1}}],
    ids=lambda options: next(iter(options)),
)
def test_arguments_that_mean_nothing_here(options: dict[str, Any]) -> None:
    with pytest.raises(tc.errors.ArgumentError, match=next(iter(options))):
        tc.compile(lambda x: x, **options)


def test_what_cannot_be_called() -> None:
    with pytest.raises(tc.errors.DtypeError, match="a function or a Module"):
        tc.compile(3)


def test_forms_of_the_call() -> None:
    def step(x: tc.Tensor) -> tc.Tensor:
        """Double it."""
        return x * 2

    assert tc.compile(step, disable=True) is step
    assert tc.compile(step, backend="eager") is step
    compiled = tc.compile(mode="max-autotune")(step)
    assert compiled.__name__ == "step" and compiled.__doc__ == "Double it."
    assert tc.compile(compiled) is compiled
    for _ in range(3):
        assert compiled(x=tc.ones(1)).tolist() == [2.0]
    assert "mul" in compiled.captured()[0]


def test_a_method() -> None:
    class Scale:
        def __init__(self, factor: float) -> None:
            self.factor = factor

        @tc.compile
        def times(self, x: tc.Tensor) -> tc.Tensor:
            return x * self.factor

    for factor in (2.0, 3.0):
        scale = Scale(factor)
        for _ in range(3):
            assert scale.times(tc.ones(1)).tolist() == [factor]
