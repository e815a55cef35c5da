"""Captured steps on a GPU, or on the emulator: the same numbers, in graphs that are launched as one."""

from __future__ import annotations

import gc
import warnings
import weakref
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
import tinyconv.nn.functional as F
from tests.capture.steps import NETWORKS, batches
from tests.gpu import gpu as on_gpu
from tinyconv import nn
from tinyconv.benchmark import gpu
from tinyconv.capture import segments
from tinyconv.errors import ArgumentError, GraphError
from tinyconv.kernels.cuda import _many, resample
from tinyconv.kernels.cuda.emulator import orders

STEPS = 8
SEGMENTATION_LOSSES = {
    "Dice and cross-entropy": lambda y, t: (
        F.binary_cross_entropy_with_logits(y[:, :1], t) + F.dice_loss(y[:, :1].sigmoid(), t)
    ),
    "Tversky": lambda y, t: F.tversky_loss(y[:, 1:].sigmoid(), t),
    "focal": lambda y, t: F.focal_loss(y, t[:, 0].long()),
}


@pytest.fixture(autouse=True)
def cuda() -> Iterator[Any]:
    with on_gpu() as cupy:
        yield cupy


def on_cuda(*tensors: tc.Tensor) -> tuple[tc.Tensor, ...]:
    return tuple(tensor.to("cuda") for tensor in tensors)


class Training:
    """A network on the GPU, and a step of it."""

    def __init__(self, model: nn.Module, autocast: bool = False, loss: Any = F.cross_entropy) -> None:
        self.model = model.to("cuda").train()
        self.optimizer = tc.optim.SGD(self.model.parameters(), lr=0.05, momentum=0.9)
        self.autocast, self.loss = autocast, loss

    def step(self, x: tc.Tensor, y: tc.Tensor) -> tc.Tensor:
        self.optimizer.zero_grad()
        with tc.autocast("cuda", enabled=self.autocast):
            output = self.model(x)
        loss = self.loss(output, y)
        loss.backward()
        self.optimizer.step()
        return loss


def both(network: str, autocast: bool = False) -> tuple[list[float], list[float], Any, list[tc.Tensor]]:
    """The losses of the eager and of the captured step, the captured function, and all it returned."""
    losses = []
    returned: list[tc.Tensor] = []
    for captured in (False, True):
        tc.manual_seed(1)
        training = Training(NETWORKS[network](), autocast)
        step = tc.compile(training.step, fullgraph=True) if captured else training.step
        found = [step(*on_cuda(x, y)) for x, y in batches(network, STEPS, size=3)]
        losses.append([loss.item() for loss in found])
        returned = found
    return *losses, step, returned


def segments_of(compiled: Any) -> list[segments.Segment]:
    plans = [plan for plans in compiled._plans.values() for plan in plans]
    return [segment for plan in plans if plan.code for segment in plan.code.segments.values()]


def test_gradients_that_are_kept_stay_as_they_were() -> None:
    kept: list[list[Any]] = []
    for captured in (False, True):
        tc.manual_seed(1)
        training = Training(NETWORKS["mlp"]())
        step = tc.compile(training.step, fullgraph=True) if captured else training.step
        weights = list(training.model.parameters())
        gradients = []
        for x, y in batches("mlp", STEPS, size=3):
            step(*on_cuda(x, y))
            gradients.append([weight.grad for weight in weights])
        kept.append([[gradient.cpu().numpy() for gradient in row] for row in gradients])
    assert segments_of(step)
    for eager, replayed in zip(*kept, strict=True):
        for right, found in zip(eager, replayed, strict=True):
            np.testing.assert_array_equal(found, right)


def test_all_gradients_are_copied_in_one_launch(monkeypatch: pytest.MonkeyPatch) -> None:
    launches = []
    kernel = _many.kernel

    def counted(source: str, name: str) -> Any:
        return lambda *args: (launches.append(name), kernel(source, name)(*args))

    monkeypatch.setattr(_many, "kernel", counted)
    training = Training(NETWORKS["mlp"]())
    step = tc.compile(training.step, fullgraph=True)
    for x, y in batches("mlp", STEPS, size=3):
        launches.clear()
        step(*on_cuda(x, y))
    assert launches == ["copy_each<float>", "sgd<float>", "copy_each<float>"]  # the last one: the loss


@pytest.mark.parametrize("network", ["mlp", "lenet", "unet"])
def test_a_captured_step_is_the_eager_one(network: str) -> None:
    eager, captured, step, returned = both(network)
    assert captured == eager and len(set(eager)) == STEPS
    found = segments_of(step)
    assert found and not [segment.reason for segment in found if segment.reason is not None]
    assert all(segment._graph is not None for segment in found)
    assert "check_classes" not in "".join(step.captured())
    assert [loss.item() for loss in returned] == captured  # no later call has written into them


def test_classes_are_checked_without_waiting_for_the_gpu(cuda: Any) -> None:
    """A stream that is capturing refuses whatever Python would wait for."""
    x, good = on_cuda(tc.tensor([[1.0, 2.0, 4.0], [0.0, 1.0, 0.0]]), tc.tensor([2, -100]))
    x.requires_grad_()
    right = -np.log(np.exp(4.0) / np.exp([1.0, 2.0, 4.0]).sum())  # of the first row; the second is ignored
    F.cross_entropy(x, good).backward()  # so that the kernels are compiled
    pool = cuda.cuda.MemoryPool()
    with cuda.cuda.using_allocator(pool.malloc), cuda.cuda.Stream(non_blocking=True) as stream:
        stream.begin_capture()
        x.grad = None
        loss = F.cross_entropy(x, good)
        loss.backward()
        graph = stream.end_capture()
        graph.launch()
        stream.synchronize()
    np.testing.assert_allclose(loss.item(), right, rtol=1e-6)


@pytest.mark.parametrize("kind", SEGMENTATION_LOSSES)
def test_a_step_with_a_loss_of_segmentation(kind: str) -> None:
    """It is captured, replayed without a wait, and the eager one."""
    loss = SEGMENTATION_LOSSES[kind]
    images = tc.tensor(np.random.default_rng(0).random((2, 1, 5, 6), np.float32)).to("cuda")
    masks = (images > 0.5).float()
    found = []
    for captured in (False, True):
        tc.manual_seed(0)
        model = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.Conv2d(3, 2, 1)).to("cuda")
        training = Training(model, loss=loss)
        step = tc.compile(training.step, fullgraph=True) if captured else training.step
        found.append([step(images, masks).item() for _ in range(STEPS)])
    assert found[0] == found[1] and found[0][-1] < found[0][0]
    gc.collect()  # the graphs of other steps are waited for when they go
    with orders.written_down() as given:
        step(images, masks)
    assert not [order for order in given if order.what in (orders.READ, orders.SYNCHRONIZE)]


def test_what_is_no_class_makes_nan_and_an_error_where_it_is_looked_for() -> None:
    x, wrong = on_cuda(tc.zeros(2, 3), tc.tensor([1, 3]))
    x.requires_grad_()
    loss = F.cross_entropy(x, wrong)
    loss.backward()
    assert np.isnan(loss.item()) and np.isnan(x.grad.cpu().numpy()).tolist() == [[False] * 3, [True] * 3]
    with tc.autograd.detect_anomaly(), pytest.raises(ArgumentError, match="3 somewhere"):
        F.cross_entropy(x, wrong)
    with tc.kernel_backend("reference"), pytest.raises(ArgumentError, match="3 somewhere"):
        F.cross_entropy(x, wrong)


def test_dropout_draws_a_new_mask_in_each_call() -> None:
    """Its key is put into an array that the graph reads."""
    tc.manual_seed(0)
    model = nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 16), nn.Dropout(0.5)).to("cuda")
    compiled = tc.compile(lambda x: model(model[2](model[0](x) * 2 + 1)[:, :1].expand(-1, 20)).sum(1) * 3)
    x = tc.ones(2, 20).to("cuda")
    with tc.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("error")
        results = [tuple(compiled(x).tolist()) for _ in range(7)]
    assert compiled.captured() and len(set(results)) == 7
    found = segments_of(compiled)
    assert not [segment.reason for segment in found if segment.reason is not None]
    assert sum(len(segment._keys) for segment in found) == 1


def test_autocast_is_replayed() -> None:
    eager, captured, step, _ = both("lenet", autocast=True)
    plain, *_ = both("lenet")
    assert captured == eager and eager != plain
    assert not [segment.reason for segment in segments_of(step) if segment.reason is not None]


def test_weights_that_were_replaced_are_seen() -> None:
    tc.manual_seed(2)
    model = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 2)).to("cuda")
    compiled = tc.compile(lambda x: model(x))
    x = tc.rand(3, 6).to("cuda")
    with tc.no_grad():
        for _ in range(5):
            compiled(x)
        for parameter in model.parameters():
            parameter.array = parameter.array * 2
        np.testing.assert_array_equal(compiled(x).cpu().numpy(), model(x).cpu().numpy())
    (segment,) = segments_of(compiled)
    assert segment.reason is None


def test_a_call_on_another_device_is_another_call() -> None:
    compiled = tc.compile(lambda x: ((x * 2 + 1) * x).sum(0), fullgraph=True)
    x = tc.tensor([[1.0, 2.0], [3.0, 4.0]])
    expected = [3.0 + 21.0, 10.0 + 36.0]  # x (2 x + 1)
    for device in ("cpu", "cuda", "cpu", "cuda"):
        for _ in range(4):
            result = compiled(x.to(device))
            assert result.device.startswith(device) and result.tolist() == expected
    assert len(compiled.captured()) == 2


def test_a_model_that_moves_is_recorded_anew() -> None:
    tc.manual_seed(2)
    model = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 4)).to("cuda")
    compiled = tc.compile(lambda: (model[0].weight * 2 + 1).sum(0), fullgraph=True)
    with tc.no_grad():
        for device in ("cuda", "cpu", "cuda"):
            model.to(device)
            for _ in range(4):
                result = compiled()
                right = model[0].weight.detach().cpu().numpy() * 2 + 1
                assert result.device.startswith(device)
                np.testing.assert_allclose(result.cpu().numpy(), right.sum(0), rtol=1e-6)


def test_a_graph_that_gives_other_numbers_is_not_used(cuda: Any) -> None:
    x = cuda.asarray(np.ones(3, np.float32))
    calls = [0]

    def kernels(a: Any) -> tuple[Any, ...]:
        calls[0] += 1
        return (a * calls[0],)  # a number that Python counts, which a graph cannot

    segment = segments.Segment(kernels, (False,))
    for call in range(1, 5):
        (result,) = segment(x)
        assert result.get()[0] == calls[0] and call <= calls[0]
    assert segment.reason is not None and "other numbers" in segment.reason


def test_a_graph_that_was_made_anew_is_compared_again(cuda: Any) -> None:
    x, weight, other = (cuda.asarray(np.full(3, value, np.float32)) for value in (1, 2, 5))
    factors = [1] * 4 + [1, 1, 7]  # by the call of the kernels; the graph that is made anew keeps a 1
    calls = iter(factors)
    segment = segments.Segment(lambda a, w: (a * w * next(calls),), (False, True))
    for _ in range(6):
        assert segment(x, weight)[0].get()[0] == 2
    assert segment.reason is None
    results = [float(segment(x, other)[0].get()[0]) for _ in range(2)]
    assert results == [5, 35] and segment.reason is not None and "other numbers" in segment.reason


def test_a_kernel_that_asks_for_a_number_is_left_alone(cuda: Any) -> None:
    x = cuda.asarray(np.ones(3, np.float32))
    segment = segments.Segment(lambda a: (a * float(a.sum()),), (True,))
    for _ in range(4):
        assert segment(x)[0].get().tolist() == [3, 3, 3]
    assert segment.reason is not None and "RuntimeError" in segment.reason and "capturing" in segment.reason


@pytest.fixture
def no_graphs(monkeypatch: pytest.MonkeyPatch, cuda: Any) -> None:
    """CUDA says no to each graph."""

    def begin_capture(stream: Any, mode: Any = None) -> None:
        raise RuntimeError("no graphs today")

    stream = type("Stream", (cuda.cuda.Stream,), {"begin_capture": begin_capture})
    monkeypatch.setattr(cuda.cuda, "Stream", stream)


def chain() -> Any:
    weight = tc.ones(3, 3).to("cuda")
    return lambda x: ((x @ weight) * 2 + 1).tanh() * 3


def test_a_graph_that_is_given_up_is_told_once(no_graphs: None) -> None:
    compiled, x = tc.compile(chain()), tc.ones(2, 3).to("cuda")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        results = [compiled(x).tolist() for _ in range(6)]
    assert results == [results[0]] * 6
    (warning,) = told
    assert "starts some kernels one by one" in str(warning.message)
    assert "no graphs today" in str(warning.message) and warning.filename == __file__


def test_a_graph_that_is_given_up_is_an_error_if_the_whole_must_be_one(no_graphs: None) -> None:
    x = tc.ones(2, 3).to("cuda")
    for compiled in (tc.compile(chain(), fullgraph=True), gpu.tinyconv(1, graphs=True).compiled(chain())):
        with pytest.raises(GraphError, match="no graphs today"):
            for _ in range(4):
                compiled(x)


def test_the_memory_of_a_graph_is_counted(cuda: Any) -> None:
    x = cuda.asarray(np.ones(1000, np.float32))
    segment = segments.Segment(lambda a: (a * 2,), (True,))
    segment(x)
    tc.cuda.empty_cache()  # as is done when the graph is relied on
    before = tc.cuda.memory_allocated(), tc.cuda.memory_reserved()
    segment(x), segment(x)
    now = tc.cuda.memory_allocated(), tc.cuda.memory_reserved()
    assert all(new - old >= 4000 for new, old in zip(now, before, strict=True))
    del segment
    assert tc.cuda.memory_allocated() == before[0]


def test_a_graph_is_dropped_after_its_last_launch(cuda: Any) -> None:
    x, weight, other = (cuda.asarray(np.full(3, value, np.float32)) for value in (1, 2, 5))
    segment = segments.Segment(lambda a, w: (a * w,), (False, True))
    for _ in range(4):
        segment(x, weight)
    waited: list[bool] = []
    old = weakref.ref(segment._memory)
    wait = SimpleNamespace(synchronize=lambda: waited.append(old() is not None))
    segment._launched = wait
    assert segment(x, other)[0].get()[0] == 5
    assert waited == [True] and old() is None
    segment._launched = wait
    old = weakref.ref(segment._memory)
    del segment
    assert waited == [True, True] and old() is None


def test_what_a_graph_reads_stays_with_it(cuda: Any) -> None:
    """Tables of a resampling are remembered, and forgotten where too many others come."""
    x = cuda.asarray(np.arange(6, dtype=np.float32).reshape(2, 3))
    positions, weights = np.array([[0, 1], [1, 2]]), np.array([[0.5, 0.5], [0.25, 0.75]])
    segment = segments.Segment(lambda a: (resample.resample(a, positions, weights, 1),), (False,))
    for _ in range(4):
        segment(x)
    assert segment.reason is None
    ((table,),) = [segment._memory.kept]
    kept = [weakref.ref(array) for array in table]
    assert len(kept) == 3
    del table
    resample._kept_table.cache_clear()
    gc.collect()
    assert all(array() is not None for array in kept)
    np.testing.assert_allclose(segment(x)[0].get(), [[0.5, 1.75], [3.5, 4.75]])
    del segment
    gc.collect()
    assert not any(array() is not None for array in kept)


def test_outside_of_a_step_a_way_back_has_no_graph() -> None:
    """Another forward pass may come before it, and would write over what it needs."""
    tc.manual_seed(3)
    model = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 2)).to("cuda")
    compiled = tc.compile(model)
    x, z = tc.rand(3, 6).to("cuda"), tc.rand(3, 6).to("cuda")
    for _ in range(5):
        compiled(x).sum().backward()
    assert compiled is not model
    model.zero_grad()
    first, second = compiled(x), compiled(z)
    (first.sum() + 2 * second.sum()).backward()
    gradients = [parameter.grad.cpu().numpy() for parameter in model.parameters()]
    model.zero_grad()
    (model(x).sum() + 2 * model(z).sum()).backward()
    for found, parameter in zip(gradients, model.parameters(), strict=True):
        np.testing.assert_allclose(found, parameter.grad.cpu().numpy(), rtol=1e-5, atol=1e-6)
