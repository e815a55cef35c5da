"""tinyconv and PyTorch on a card, each in several ways; and on the processor beside it.

A way is a precision, a memory order, and whether Python starts each kernel or a graph starts them
all. The names say which: ``pytorch channels_last bfloat16 graphs``. PyTorch has two ways of graphs:
``compiled`` is torch.compile's, with kernels of its own, ``graphs`` a capture of the whole step.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

from tinyconv.benchmark.case import Case, Layer, Network
from tinyconv.benchmark.contender import Contender, Job
from tinyconv.benchmark.engines import CONTENDERS as ON_PROCESSOR
from tinyconv.benchmark.engines import Engine, pytorch_is_installed

CALLS_OF_A_LAYER = 20
"""A layer is so short that Python cannot start it as fast as the card does it: so many stand in line."""

STEPS_FOR_PEAK = 4
PRECISIONS = {"float32": 0.0, "tf32": 2.0**-11, "bfloat16": 2.0**-8}
"""The largest relative error of a factor."""


class GpuEngine(Engine):
    """An engine whose tensors are on the current card.

    Its clock is the card's: a mark before the calls and one after them, in the stream.
    """

    def prepare(self, case: Case, task: str) -> Job:
        job = super().prepare(case, task)
        calls = CALLS_OF_A_LAYER if isinstance(case, Layer) else 1
        return replace(job, seconds=partial(self.seconds, job.run, calls))

    def seconds(self, run: Callable[[], object], calls: int) -> float:
        """Seconds of one call."""
        cuda = self.tc.cuda
        start, end = cuda.Event(enable_timing=True), cuda.Event(enable_timing=True)
        cuda.synchronize()
        start.record()
        for _ in range(calls):
            run()
        end.record()
        end.synchronize()
        return float(start.elapsed_time(end)) / 1e3 / calls

    def peak(self, case: Case, task: str) -> dict[str, int]:
        """Bytes that arrays on the card have before, and at most in the steps after a few that warm up."""
        rest = int(self.tc.cuda.memory_allocated())
        job = super().prepare(case, task)
        for number in range(2 * STEPS_FOR_PEAK):
            if number == STEPS_FOR_PEAK:
                self.tc.cuda.reset_peak_memory_stats()
            job.run()
        self.tc.cuda.synchronize()
        return {"rest": rest, "peak": int(self.tc.cuda.max_memory_allocated())}

    def _tensors(self, case: Layer) -> list[Any]:
        tensors = [self._tensor(array).to("cuda") for array in case.arrays()]
        return [self.place(tensor, len(case.size) + 2) for tensor in tensors]

    def _batch(self, case: Network) -> tuple[Any, Any]:
        images, truth = super()._batch(case)
        return self.place(images.to("cuda"), len(case.size) + 1), truth.to("cuda")

    def _model(self, case: Network) -> Any:
        return self.place(super()._model(case).to("cuda"), len(case.size) + 1)


def pytorch(
    threads: int, precision: str = "float32", channels_last: bool = False, how: str = "eager"
) -> Contender:
    """PyTorch with cuDNN, fused Adam, and cuDNN's search for the fastest algorithm."""
    torch = importlib.import_module("torch")
    if not torch.cuda.is_available():
        raise ImportError("this PyTorch has no CUDA, or finds no card")
    torch.set_num_threads(threads)
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    formats = {4: torch.channels_last, 5: torch.channels_last_3d} if channels_last else {}

    def place(thing: Any, ndim: int) -> Any:
        is_module = isinstance(thing, torch.nn.Module)
        if ndim not in formats or not (is_module or thing.ndim == ndim):
            return thing
        return thing.to(memory_format=formats[ndim])

    multiplying: Callable[[], AbstractContextManager[Any]] = nullcontext
    if precision == "bfloat16":
        # weights that were rounded before a graph is made would lie outside of its memory
        multiplying = partial(torch.autocast, "cuda", torch.bfloat16, cache_enabled=how != "graphs")
    adam = partial(torch.optim.Adam, fused=True)
    if how == "graphs":
        from tinyconv.benchmark.pytorch_graphs import GraphedPyTorch, StepGraph

        adam, whole = partial(adam, capturable=True), partial(StepGraph, torch)
        return GraphedPyTorch(
            torch, place, adam, torch.inference_mode, whole, compiles_step=True, multiplying=multiplying
        )
    compiled = partial(torch.compile, mode="reduce-overhead") if how == "compiled" else None
    return GpuEngine(torch, place, adam, torch.inference_mode, compiled, multiplying=multiplying)


def tinyconv(threads: int, precision: str = "float32", graphs: bool = False) -> Contender:
    """tinyconv's kernels in CUDA C."""
    import tinyconv as tc
    from tinyconv.device_errors import find_cupy

    find_cupy("bench")
    tc.set_num_threads(threads)
    tc.set_float32_matmul_precision({"float32": "highest", "tf32": "high", "bfloat16": "medium"}[precision])

    def place(thing: Any, ndim: int) -> Any:
        if not isinstance(thing, tc.Tensor) or thing.ndim != ndim or ndim != 4:
            return thing
        return thing.contiguous(memory_format=tc.channels_last)

    if not graphs:
        return GpuEngine(tc, place, tc.optim.Adam, tc.no_grad)
    compiled = partial(tc.compile, fullgraph=True)  # a graph that is given up is an error
    return GpuEngine(tc, place, tc.optim.Adam, tc.no_grad, compiled, compiles_step=True)


HERE = __name__
WAYS: dict[str, partial[Contender]] = {}
for _precision in PRECISIONS:
    for _how in ("eager", "compiled", "graphs"):
        _end = f"{_precision} {_how}"
        if _how != "compiled":
            WAYS[f"tinyconv {_end}"] = partial(tinyconv, precision=_precision, graphs=_how == "graphs")
        for _last in (False, True):
            _order = "channels_last" if _last else "nchw"
            WAYS[f"pytorch {_order} {_end}"] = partial(
                pytorch, precision=_precision, how=_how, channels_last=_last
            )


def __getattr__(name: str) -> Any:
    """The functions that make the contenders: ``tinyconv_float32_eager`` and so on."""
    for way, make in WAYS.items():
        if name == way.replace(" ", "_"):
            return make
    raise AttributeError(name)


PROCESSOR = "processor: "
CONTENDERS = {way: f"{HERE}:{way.replace(' ', '_')}" for way in WAYS} | {
    f"{PROCESSOR}{name}": ON_PROCESSOR[name] for name in ("pytorch channels_last", "tinyconv")
}
"""Where each contender is made, by its name."""


def pytorch_finds_a_gpu() -> bool:
    """Whether PyTorch is installed, with CUDA, and finds a card."""
    return pytorch_is_installed() and bool(importlib.import_module("torch").cuda.is_available())


def rounding(name: str) -> float:
    """The largest relative error of a factor in the products of a contender."""
    return next((error for precision, error in PRECISIONS.items() if f" {precision} " in name), 0.0)
