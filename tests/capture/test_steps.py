"""A captured training step gives what the eager one gives, bit for bit."""

from __future__ import annotations

import tracemalloc
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
import tinyconv.nn.functional as F
from tests.capture.steps import NETWORKS, OPTIMISERS, Training, assert_same, batches
from tinyconv import nn


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    """A step that falls back to eager execution warns, and fails these tests."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def both(train: Any, **options: Any) -> Training:
    """Run `train` with an eager and a compiled step; both end in one state. The compiled one."""
    states, results = [], []
    for compiled in (False, True):
        training = Training(compiled=compiled, **options)
        results.append(train(training))
        states.append(training.state())
    assert_same(*states)
    assert results[0] == results[1]
    assert training.step.reason is None
    return training


def losses(training: Training, data: Any) -> list[float]:
    return [training.step(x, y).item() for x, y in data]


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("network", NETWORKS)
def test_twenty_steps(network: str, optimiser: str) -> None:
    data = batches(network, 20)
    training = both(lambda t: losses(t, data), network=network, optimiser=optimiser)
    # One plan for the first call, before which there were no gradients, was never met twice.
    assert len(training.step.captured()) == 1


def test_shapes_and_dtypes_have_plans_of_their_own() -> None:
    data = [batch for size in (4, 6, 4, 6, 4, 6, 4) for batch in batches("mlp", 2, size)]
    assert len(both(lambda t: losses(t, data)).step.captured()) == 2

    double = tc.compile(lambda x: tc.relu(x) * 2)
    for dtype in (tc.float32, tc.float64) * 4:
        y = double(tc.tensor([1.0, -1.0], dtype=dtype))
        assert y.dtype == dtype and y.tolist() == [2.0, 0.0]
    assert len(double.captured()) == 2


def test_memory_orders_have_plans_of_their_own() -> None:
    in_order = tc.compile(lambda x: x.contiguous())
    x = tc.arange(48, dtype=tc.float32).reshape(2, 3, 2, 4)
    for memory_format in ("contiguous_format", "channels_last") * 4:
        y = in_order(x.contiguous(memory_format=memory_format))
        assert y.is_contiguous() and tc.equal(y, x)
    assert len(in_order.captured()) == 2


def test_training_and_evaluation() -> None:
    data = batches("unet", 9)

    def train(training: Training) -> list[float]:
        found = []
        for i, (x, y) in enumerate(data):
            training.model.train(i % 3 != 0)
            found.append(training.step(x, y).item())
        return found

    assert len(both(train, network="unet").step.captured()) == 2


def test_frozen_layers() -> None:
    data = batches("mlp", 12)

    def train(training: Training) -> list[float]:
        found = losses(training, data[:5])
        training.model[0].requires_grad_(False)
        training.model[0].weight.grad = None
        found += losses(training, data[5:9])
        training.model[0].requires_grad_(True)
        return found + losses(training, data[9:])

    both(train, optimiser="adam")


def test_masks_go_on_where_the_eager_step_would() -> None:
    data = batches("unet", 6)

    def train(training: Training) -> Any:
        first = losses(training, data)
        F.dropout(tc.ones(3), 0.5)  # one mask between two steps
        return first, losses(training, data), tc.rand(2).tolist()

    both(train, network="unet")


def test_random_tensors_are_drawn_anew() -> None:
    @tc.compile
    def noisy(x: tc.Tensor) -> tc.Tensor:
        return x + tc.randn(3) * tc.rand_like(x) + tc.bernoulli(tc.full((3,), 0.5))

    def draw(function: Any) -> list[Any]:
        tc.manual_seed(3)
        return [function(tc.zeros(3)).tolist() for _ in range(6)]

    assert draw(noisy) == draw(noisy.function)
    assert noisy.captured()


def test_a_state_that_is_loaded() -> None:
    data = batches("resnet", 12)

    def train(training: Training) -> list[float]:
        found = losses(training, data[:4])
        saved = {name: value.clone() for name, value in training.model.state_dict().items()}
        rates = training.optimizer.state_dict()
        found += losses(training, data[4:8])
        training.model.load_state_dict(saved)
        training.optimizer.load_state_dict(rates)
        return found + losses(training, data[8:])

    both(train, network="resnet", optimiser="adam")


def test_parameters_that_are_assigned_anew() -> None:
    data = batches("mlp", 12)

    def train(training: Training) -> list[float]:
        found = losses(training, data[:4])
        training.model[0].weight.data = training.model[0].weight.detach() * 2
        found += losses(training, data[4:8])
        training.model[2] = nn.Linear(16, 12)
        return found + losses(training, data[8:])

    both(train)


def test_rates_that_are_set_by_hand() -> None:
    data = batches("mlp", 9)

    def train(training: Training) -> list[float]:
        found = []
        for i, (x, y) in enumerate(data):
            training.optimizer.param_groups[0]["lr"] = 0.01 * (i + 1)
            training.optimizer.param_groups[0]["weight_decay"] = 0.001 * i
            found.append(training.step(x, y).item())
        return found

    assert len(both(train).step.captured()) == 1


@pytest.mark.parametrize("set_to_none", [True, False])
def test_gradients_add_up(set_to_none: bool) -> None:
    data = batches("lenet", 12)

    def train(compiled: bool) -> tuple[dict[str, Any], Any]:
        training = Training("lenet", compiled=False)
        model = training.model

        def add(x: tc.Tensor, y: tc.Tensor) -> tc.Tensor:
            loss = F.cross_entropy(model(x), y) / 3
            loss.backward()
            return loss

        step = tc.compile(add) if compiled else add
        for i, (x, y) in enumerate(data):
            step(x, y)
            if i % 3 == 2:
                training.optimizer.step()
                training.optimizer.zero_grad(set_to_none)
        return training.state(), step

    (eager, _), (captured, step) = train(False), train(True)
    assert_same(eager, captured)
    assert step.captured()


def test_zero_grad_without_none_and_clipping_inside_the_step() -> None:
    data = batches("mlp", 8)

    def train(compiled: bool) -> tuple[dict[str, Any], Any]:
        training = Training(compiled=False)
        model, optimizer = training.model, training.optimizer
        plateau = tc.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=1)

        def step(x: tc.Tensor, y: tc.Tensor) -> Any:
            optimizer.zero_grad(set_to_none=False)
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            norm = nn.utils.clip_grad_norm_(model.parameters(), 0.1)
            nn.utils.clip_grad_value_(model.parameters(), 0.02)
            optimizer.step()
            plateau.step(loss)
            return {"loss": loss, "norm": norm}

        run = tc.compile(step) if compiled else step
        found = [{name: value.item() for name, value in run(x, y).items()} for x, y in data]
        return {**training.state(), "found": np.array([list(f.values()) for f in found])}, run

    (eager, _), (captured, run) = train(False), train(True)
    assert_same(eager, captured)
    assert run.captured()


def test_two_optimisers_as_in_a_gan() -> None:
    def train(compiled: bool) -> tuple[list[Any], Any]:
        tc.manual_seed(2)
        maker, judge = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 4)), nn.Linear(4, 1)
        of_maker = tc.optim.Adam(maker.parameters(), lr=0.01)
        of_judge = tc.optim.SGD(judge.parameters(), lr=0.05)

        def step(real: tc.Tensor) -> tuple[tc.Tensor, tc.Tensor]:
            noise = tc.randn(real.shape[0], 3)
            made = maker(noise)
            of_judge.zero_grad()
            loss = F.binary_cross_entropy_with_logits(judge(real), tc.ones(5, 1))
            loss = loss + F.binary_cross_entropy_with_logits(judge(made.detach()), tc.zeros(5, 1))
            loss.backward()
            of_judge.step()
            of_maker.zero_grad()
            fooled = F.binary_cross_entropy_with_logits(judge(made), tc.ones(5, 1))
            fooled.backward()
            of_maker.step()
            return loss, fooled

        run = tc.compile(step) if compiled else step
        real = tc.rand(5, 4)
        found = [[loss.item() for loss in run(real)] for _ in range(10)]
        weights = [p.tolist() for p in (*maker.parameters(), *judge.parameters())]
        return [
            found,
            weights,
            [None if p.grad is None else p.grad.tolist() for p in judge.parameters()],
        ], run

    (eager, _), (captured, run) = train(False), train(True)
    assert eager == captured
    assert run.captured()


def test_settings_may_change_between_calls() -> None:
    data = batches("lenet", 16)

    def train(training: Training) -> list[float]:
        found = losses(training, data[:6])
        with tc.num_threads(1):
            found += losses(training, data[6:8])
        with tc.conv_algorithm("im2col"):
            found += losses(training, data[8:10])
        with tc.kernel_backend("reference"):
            found += losses(training, data[10:14])
        return found + losses(training, data[14:])

    assert len(both(train, network="lenet").step.captured()) == 2


def test_labels_that_are_ignored() -> None:
    data = batches("mlp", 10)
    for _, y in data[4:7]:
        y.numpy()[:2] = -100  # fewer elements count than in the recording

    for smoothing in (0.0, 0.1):  # in one kernel, and by way of the places of those that count
        both(lambda t: losses(t, data), smoothing=smoothing)


def test_wrong_labels_are_refused_as_ever() -> None:
    training = Training()
    data = batches("mlp", 5)
    losses(training, data)
    before = training.state()
    with pytest.raises(tc.errors.ArgumentError, match="target is 7 somewhere"):
        training.step(data[0][0], data[0][1] * 0 + 7)
    before.pop("masks drawn")
    assert training.step.captured()
    for name, value in training.model.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[name])


def test_results_stay_what_they_were() -> None:
    training = Training()
    data = batches("mlp", 8)
    kept = [training.step(x, y) for x, y in data]
    values = [loss.item() for loss in kept]
    gradient = training.model[0].weight.grad
    copied = gradient.tolist()
    for x, y in data:
        training.step(x, y)
    assert [loss.item() for loss in kept] == values
    assert gradient.tolist() == copied
    assert len({id(loss.array) for loss in kept}) == len(kept)


def test_a_constant_that_is_given_away_may_be_changed() -> None:
    w = nn.Parameter(tc.ones(3))

    @tc.compile
    def step() -> tc.Tensor:
        w.grad = None
        (w * 2).sum().backward()
        return tc.zeros(2)

    for _ in range(5):
        out = step()
        assert w.grad is not None and w.grad.tolist() == [2.0, 2.0, 2.0] and out.tolist() == [0.0, 0.0]
        w.grad.fill_(7)
        out.fill_(7)
    assert step.captured()


def test_what_depends_on_a_constant_and_an_argument_is_computed_in_every_step() -> None:
    """The gradient of a sum is a constant, and the weight's is that times the argument."""
    weight = nn.Parameter(tc.ones(3))

    @tc.compile
    def step(x: tc.Tensor) -> None:
        weight.grad = None
        (weight * x).sum().backward()

    for i in range(5):
        step(tc.full((3,), float(i)))
        assert weight.grad is not None and weight.grad.tolist() == [float(i)] * 3
    assert step.captured()


def test_what_is_returned_keeps_its_form() -> None:
    first, second = tc.ones(2), tc.zeros(2)

    @tc.compile
    def step(x: tc.Tensor, scale: float) -> Any:
        y = x * scale
        return {"same": x, "twice": (y, y), "list": [None, 3, "text"], "state": first}

    for _ in range(4):
        found = step(second, 0.5)
        assert found["same"] is second and found["state"] is first
        assert found["twice"][0] is found["twice"][1] and found["list"] == [None, 3, "text"]
    assert step.captured()
    assert tc.compile(lambda: None)() is None


def test_numbers_among_the_arguments() -> None:
    power = tc.compile(lambda x, n, flip=False: (-x if flip else x) * n)
    x = tc.tensor([1.0, 2.0])
    for _ in range(3):
        assert power(x, 2).tolist() == [2.0, 4.0]
        assert power(x, 3.5).tolist() == [3.5, 7.0]
        assert power(x, 2, flip=True).tolist() == [-2.0, -4.0]
    assert len(power.captured()) == 3


def test_changes_in_place() -> None:
    def average(running: tc.Tensor) -> Any:
        def step(x: tc.Tensor) -> tc.Tensor:
            with tc.no_grad():
                running.mul_(0.5)
                running.add_(x)
                part = x * 1
                part[0] = 9
                part += 1
            return part

        return step

    means = tc.zeros(3), tc.zeros(3)
    eager, captured = average(means[0]), tc.compile(average(means[1]))
    for i in range(6):
        x = tc.full((3,), float(i))
        assert eager(x).tolist() == captured(x).tolist() == [10.0, i + 1.0, i + 1.0]
        assert means[0].tolist() == means[1].tolist()
        assert means[0]._version == means[1]._version
    assert captured.captured()


def test_a_compiled_function_inside_another() -> None:
    inner = tc.compile(lambda x: tc.relu(x) + 1)
    outer = tc.compile(lambda x: inner(x) * inner(-x))
    for i in range(5):
        x = tc.tensor([float(i), -1.0])
        assert outer(x).tolist() == [i + 1.0, 2.0]
    assert outer.captured() and not inner.captured()


def test_an_error_in_the_step_leaves_no_plan() -> None:
    @tc.compile
    def step(x: tc.Tensor) -> tc.Tensor:
        if x.shape[0] == 2:
            raise KeyError("two")
        return x + 1

    for size in (3, 2, 3, 2, 3, 2, 3):
        if size == 2:
            with pytest.raises(KeyError):
                step(tc.ones(size))
        else:
            assert step(tc.ones(size)).tolist() == [2.0] * 3
    assert len(step.captured()) == 1


def test_a_steady_step_keeps_no_more_memory_than_the_one_before() -> None:
    training = Training("lenet")
    ((x, y),) = batches("lenet", 1)
    for _ in range(6):
        training.step(x, y)
    arrays = tracemalloc.DomainFilter(True, np.lib.tracemalloc_domain)
    tracemalloc.start()
    try:
        sizes = []
        for _ in range(6):
            training.step(x, y)
            found = tracemalloc.take_snapshot().filter_traces([arrays]).traces
            sizes.append((len(found), sum(trace.size for trace in found)))
    finally:
        tracemalloc.stop()
    assert sizes[1] == sizes[-1]
    assert sizes[1][1] > 8_000  # bytes, of the gradients: they were seen
