"""PyTorch's graphs of whole steps, in the order of its documentation; a stand-in takes CUDA's place."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tinyconv.benchmark import Network
from tinyconv.benchmark.case import INFERENCE, TRAINING
from tinyconv.benchmark.engines import Engine, as_it_is
from tinyconv.benchmark.pytorch_graphs import WARM_UP, StepGraph

torch = pytest.importorskip("torch")


class FakeCuda:
    """`torch.cuda` of a card whose graphs do the captured function again, with what it closed over then."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.Stream = lambda: self._stream("side")
        self.function: Any = None

    def _stream(self, name: str) -> Any:
        return SimpleNamespace(wait_stream=lambda other: self.told.append(f"{name} waits"), name=name)

    def current_stream(self) -> Any:
        return self._stream("main")

    @contextlib.contextmanager
    def stream(self, stream: Any) -> Iterator[None]:
        self.told.append(f"in {stream.name}")
        yield
        self.told.append(f"out of {stream.name}")

    def synchronize(self) -> None:
        self.told.append("synchronize")

    def reset_peak_memory_stats(self) -> None:
        self.told.append("reset")

    def CUDAGraph(self) -> Any:  # noqa: N802
        return SimpleNamespace(replay=lambda: self.told.append("replay"))

    @contextlib.contextmanager
    def graph(self, graph: Any) -> Iterator[None]:
        self.told.append("capture")
        yield
        self.told.append("captured")


def test_a_step_is_captured_after_it_has_warmed_up_in_a_side_stream() -> None:
    cuda = FakeCuda()
    calls = []

    def step(x: Any) -> Any:
        cuda.told.append("step")
        calls.append(x)
        return x * 2

    graph = StepGraph(SimpleNamespace(cuda=cuda), step)
    given = torch.ones(2)
    result = graph(given)
    begin = [
        "side waits",
        "in side",
        *["step"] * WARM_UP,
        "out of side",
        "main waits",
        "synchronize",
        "reset",
    ]
    assert cuda.told == [*begin, "capture", "step", "captured", "replay"]
    place = calls[0]
    assert place is not given and all(call is place for call in calls)
    cuda.told.clear()
    assert graph(torch.full((2,), 5.0)) is result and place.tolist() == [5, 5]
    assert cuda.told == ["replay"]
    graph.renew()
    graph(given)
    assert cuda.told[:2] == ["replay", "synchronize"] and cuda.told.count("capture") == 1


class Redone(StepGraph):
    """Its replay does the step again, as a graph would that has the learning rate and the modes of then."""

    def _capture(self, tensors: Any) -> None:
        super()._capture(tensors)
        settings = self.settings()

        def replay() -> None:
            assert self.settings() == settings, "the graph has other settings in it"
            with torch.enable_grad():
                self.result = self.function(*self.inputs).detach()

        self.graph = SimpleNamespace(replay=replay)

    def settings(self) -> Any:
        found = [cell.cell_contents for cell in getattr(self.function, "__closure__", None) or ()]
        optimizers = [thing for thing in found if isinstance(thing, torch.optim.Optimizer)]
        return [group["lr"] for optimizer in optimizers for group in optimizer.param_groups]


def test_results_and_steps_are_those_of_the_eager_engine() -> None:
    case = Network("mlp", 4, (784,))
    cuda = FakeCuda()
    found = []
    for whole in (None, partial(Redone, SimpleNamespace(cuda=cuda))):
        engine = Engine(
            torch, as_it_is, torch.optim.Adam, torch.no_grad, whole, compiles_step=whole is not None
        )
        job = engine.prepare(case, TRAINING)
        found.append(job.results())
        job.run()
    assert cuda.told.count("capture") == 2  # for the results, and anew for the steps
    assert set(found[0]) == set(found[1])
    for name, right in found[0].items():
        np.testing.assert_allclose(found[1][name], right, rtol=1e-6, atol=1e-7)
    assert "output" in engine.prepare(case, INFERENCE).results()
