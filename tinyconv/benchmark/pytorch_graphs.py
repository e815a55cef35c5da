"""PyTorch's own CUDA graphs: the kernels of a whole step, written down once and started together.

As PyTorch's documentation on graphs has it: some calls in a side stream warm up, then the same code runs once
more while a stream writes down what it is given. The optimiser is a capturable one, whose step number
stands on the card. Gradients and results lie where each replay writes them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinyconv.benchmark.case import Case
from tinyconv.benchmark.gpu import STEPS_FOR_PEAK, GpuEngine

Tensor = Any
WARM_UP = 3


class StepGraph:
    """A function of tensors, replayed by a CUDA graph that its first call makes.

    What is no tensor is in the graph as it was then: learning rates, whether dropout drops. `renew` follows
    a change of it.

    Parameters
    ----------
    torch : module
    function : callable
        Takes tensors on the card and returns one.
    """

    def __init__(self, torch: Any, function: Callable[..., Tensor]) -> None:
        self.torch, self.function = torch, function
        self.graph: Any = None
        self.inputs: tuple[Tensor, ...] = ()
        self.result: Tensor = None

    def __call__(self, *tensors: Tensor) -> Tensor:
        if self.graph is None:
            self._capture(tensors)
        for place, tensor in zip(self.inputs, tensors, strict=True):
            place.copy_(tensor)
        self.graph.replay()
        return self.result

    def renew(self) -> None:
        """Let the next call make the graph anew."""
        self.torch.cuda.synchronize()
        self.graph, self.inputs, self.result = None, (), None

    def _capture(self, tensors: tuple[Tensor, ...]) -> None:
        cuda = self.torch.cuda
        self.inputs = tuple(tensor.clone() for tensor in tensors)
        side = cuda.Stream()
        side.wait_stream(cuda.current_stream())
        with cuda.stream(side):
            for _ in range(WARM_UP):
                self.function(*self.inputs)
        cuda.current_stream().wait_stream(side)
        cuda.synchronize()
        cuda.reset_peak_memory_stats()
        graph = cuda.CUDAGraph()
        with cuda.graph(graph):
            result = self.function(*self.inputs)
        self.graph, self.result = graph, result.detach()


class GraphedPyTorch(GpuEngine):
    """PyTorch, whose whole steps are CUDA graphs."""

    def peak(self, case: Case, task: str) -> dict[str, int]:
        """As of the others, but of the steps in which the graph was made: a replay takes no memory."""
        rest = int(self.tc.cuda.memory_allocated())
        job = super().prepare(case, task)
        for _ in range(STEPS_FOR_PEAK):
            job.run()
        self.tc.cuda.synchronize()
        return {"rest": rest, "peak": int(self.tc.cuda.max_memory_allocated())}
