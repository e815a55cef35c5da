"""Batches that are copied to a GPU ahead of time; what waits for what is asked of the stand-in for CuPy."""

from __future__ import annotations

import gc
import os
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tinyconv.data import DataLoader, TensorDataset, prefetch
from tinyconv.kernels.cuda.emulator import build, orders, streams
from tinyconv.kernels.cuda.emulator.cupy_stand_in import emulated_cuda
from tinyconv.train import Trainer, accuracy, class_evaluate, find_learning_rate

COUNT = 4


@pytest.fixture
def cupy() -> Iterator[Any]:
    with emulated_cuda() as module:
        yield module


def _loader() -> DataLoader:
    return DataLoader(TensorDataset(tc.arange(2.0 * COUNT)), batch_size=2, pin_memory=True)


@pytest.mark.usefixtures("cupy")
def test_the_next_batch_is_copied_beside_the_step_on_the_present_one() -> None:
    seen = []
    with orders.written_down() as given:
        for (x,) in prefetch(_loader(), "cuda"):
            seen.append((x.array * 2).get().tolist())  # the step
    assert seen == [[0, 2], [4, 6], [8, 10], [12, 14]]
    copies = [i for i, order in enumerate(given) if order.what == orders.COPY]
    steps = [i for i, order in enumerate(given) if order.what == orders.WORK]
    before = orders.before_each(given)
    assert len(copies) == len(steps) == COUNT
    assert {given[i].stream for i in steps} == {0} and 0 not in {given[i].stream for i in copies}
    assert len({given[i].stream for i in copies}) == 1
    for n in range(COUNT):
        assert copies[n] in before[steps[n]]  # what is computed waits for its batch
        if n + 1 < COUNT:
            assert copies[n + 1] < steps[n] and not {copies[n + 1]} & before[steps[n]]
        if n >= 2:  # the memory of the batch before the last is free, its step was perhaps not done
            assert steps[n - 2] in before[copies[n]]


def test_the_batch_stays_on_the_host_until_it_is_copied(cupy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def alloc(size: int) -> Any:
        memory = PinnedMemory(size)
        made.append(weakref.ref(memory))
        return memory

    class PinnedMemory(bytearray):
        __module__ = "cupy.cuda.pinned_memory"

    monkeypatch.setattr(cupy.cuda, "alloc_pinned_memory", alloc)
    monkeypatch.setattr(streams.Event, "done", False)
    batches = prefetch(_loader(), "cuda")
    for _ in range(COUNT - 1):
        next(batches)
    gc.collect()
    assert [memory() is not None for memory in made] == [True] * COUNT
    monkeypatch.setattr(streams.Event, "done", True)
    with orders.written_down() as given:
        next(batches)
        with pytest.raises(StopIteration):
            next(batches)
    gc.collect()
    assert [memory() is not None for memory in made] == [False] * COUNT
    assert [order.what for order in given].count(orders.SYNCHRONIZE) == COUNT


@pytest.mark.usefixtures("cupy")
def test_an_error_waits_for_its_turn() -> None:
    def batches() -> Iterator[Any]:
        yield tc.ones(1), ["name"]
        raise ValueError("the second")

    ahead = prefetch(batches(), "cuda")
    x, names = next(ahead)
    assert x.device == "cuda:0" and names == ["name"]
    with pytest.raises(ValueError, match="the second"):
        next(ahead)


def test_on_the_cpu_nothing_is_made_ahead() -> None:
    taken = []
    batches = prefetch((taken.append(i) or (tc.ones(1), i) for i in range(3)), "cpu")
    next(batches)
    assert taken == [0] and [number for _, number in batches] == [1, 2]


@pytest.mark.skipif(build.why_not() is not None, reason=f"kernels: {build.why_not()}")
@pytest.mark.usefixtures("cupy")
def test_the_training_loop_copies_ahead() -> None:
    model = tc.nn.Linear(1, 1).to("cuda")
    data = TensorDataset(tc.rand(4, 1), tc.rand(4, 1))
    optimizer = tc.optim.SGD(model.parameters(), lr=0.1)
    streams_of_copies = []

    class Loss:
        def __call__(self, output: tc.Tensor, target: tc.Tensor) -> tc.Tensor:
            copies = [order.stream for order in given if order.what == orders.COPY]
            streams_of_copies.append([stream for stream in copies if stream != 0])
            return (output - target).sum()

    with orders.written_down() as given:
        Trainer(model, optimizer, Loss(), DataLoader(data, batch_size=2), 1).fit()
    assert [len(found) for found in streams_of_copies] == [4, 4]  # images and targets of both batches


def _accuracy(model: tc.nn.Module, data: TensorDataset) -> None:
    assert 0 <= accuracy(model, data, batch_size=2) <= 1


def _score(model: tc.nn.Module, data: TensorDataset) -> None:
    assert class_evaluate.score(model, data).probabilities.shape == (6, 3)


def _find_learning_rate(model: tc.nn.Module, data: TensorDataset) -> None:
    optimizer = tc.optim.SGD(model.parameters(), lr=0.1)
    loader = DataLoader(data, batch_size=2)
    assert find_learning_rate(model, optimizer, tc.nn.functional.cross_entropy, loader, steps=3).rates


@pytest.mark.parametrize("look", [_accuracy, _score, _find_learning_rate])
@pytest.mark.skipif(build.why_not() is not None, reason=f"kernels: {build.why_not()}")
@pytest.mark.usefixtures("cupy")
def test_whoever_goes_through_data_copies_ahead(look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(class_evaluate, "BATCH", 2)
    data = TensorDataset(tc.rand(6, 4), tc.arange(6) % 3)
    ahead = []  # at each call of the model: how many copies were begun beside its stream

    class Watched(tc.nn.Linear):
        def forward(self, x: tc.Tensor) -> tc.Tensor:
            copies = [order for order in given if order.what == orders.COPY and order.stream != 0]
            ahead.append(len(copies))
            return super().forward(x)

    model = Watched(4, 3).to("cuda")
    with orders.written_down() as given:
        look(model, data)
    assert ahead == [4, 6, 6]  # images and labels of the present batch and of the next


@pytest.mark.parametrize("look", [_accuracy, _score])
@pytest.mark.skipif(build.why_not() is not None, reason=f"kernels: {build.why_not()}")
@pytest.mark.usefixtures("cupy")
def test_scores_are_read_once(look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The processor prepares the next batch while the GPU computes."""
    monkeypatch.setattr(class_evaluate, "BATCH", 2)
    model, data = tc.nn.Linear(4, 3).to("cuda"), TensorDataset(tc.rand(6, 4), tc.arange(6) % 3)
    with orders.written_down() as given:
        look(model, data)
    copies = [i for i, order in enumerate(given) if order.what == orders.COPY and order.stream != 0]
    reads = [i for i, order in enumerate(given) if order.what == orders.READ]
    assert len(copies) == 6 and reads and min(reads) > max(copies)


@pytest.mark.parametrize("workers", [0, 2, "processes"])
@pytest.mark.usefixtures("cupy")
def test_batches_of_arrays_are_made_on_the_default_device(workers: Any) -> None:
    """PyTorch's `default_collate` calls `as_tensor` for arrays, and joins tensors where they are."""
    samples = [(np.full(2, i, "f4"), i, {"weight": 0.5}, tc.ones(1)) for i in range(4)]
    made_by: Any = {"num_workers": workers}
    if workers == "processes":
        if not hasattr(os, "fork"):
            pytest.skip("needs fork")
        made_by = {"num_workers": 1, "multiprocessing_context": "fork"}
    with tc.default_device("cuda"):
        loader = DataLoader(samples, batch_size=2, **made_by)
        images, labels, more, ones = next(iter(loader))
        assert {images.device, labels.device, more["weight"].device} == {"cuda:0"} and ones.device == "cpu"
        assert images.dtype == np.float32 and images.cpu().tolist() == [[0, 0], [1, 1]]
        assert ones.tolist() == [[1.0], [1.0]]
        images, labels, more, ones = next(iter(DataLoader(samples, 2, pin_memory=True, **made_by)))
        for made in (images, labels, more["weight"], ones):
            assert made.device == "cpu" and made.is_pinned()
