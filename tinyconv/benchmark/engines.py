"""tinyconv, its reference kernels, and PyTorch as contenders.

All three are one class, because tinyconv has PyTorch's names. Images and weights lie in the
memory order that the engine likes best; to put them there is not timed.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import numpy as np

from tinyconv.benchmark.case import BACKWARD, INFERENCE, TRAINING, Case, Layer, Network
from tinyconv.benchmark.contender import Contender, Job, Unsupported
from tinyconv.benchmark.networks import NETWORKS, loss_function, target, weights

Array = Any
Module = Any
Tensor = Any

LEARNING_RATE = 1e-6
"""So small that thousands of timed steps on one batch do not end in gradients that underflow."""

CALLS_CHECKED = 3
"""The last of so many calls is compared: a captured function is recorded twice, then replayed."""


class Engine:
    """A package with PyTorch's names, as a contender.

    Parameters
    ----------
    tc : module
        tinyconv or torch.
    place : callable
        Puts a tensor or module into the memory order to be timed.
    adam : callable
        Makes the optimiser.
    compiled : callable
        Compiles a function; by default it stays as it is.
    compiles_step : bool
        Whether it compiles a whole training step, or the network with its loss.
    dtype : str
        In which to compute.
    without_graph : callable
        Makes the block in which inference runs.
    multiplying : callable
        Makes the block around layers and the networks' forward pass, without the loss.
    """

    def __init__(
        self,
        tc: Any,
        place: Callable[[Any, int], Any],
        adam: Callable[..., Any],
        without_graph: Callable[[], AbstractContextManager[Any]],
        compiled: Callable[..., Any] | None = None,
        dtype: str = "float32",
        compiles_step: bool = False,
        multiplying: Callable[[], AbstractContextManager[Any]] = nullcontext,
    ) -> None:
        self.multiplying = multiplying
        self.tc, self.place, self.adam, self.without_graph = tc, place, adam, without_graph
        self.compiled, self.dtype, self.compiles_step = compiled, dtype, compiles_step
        self.version = str(tc.__version__)

    def prepare(self, case: Case, task: str) -> Job:
        if isinstance(case, Layer):
            if self.compiled is not None:
                raise Unsupported("a single layer leaves nothing to compile")
            return self._gradients(case) if task == BACKWARD else self._forward(case)
        if task == TRAINING:
            return self._training(case)
        if task == INFERENCE:
            return self._inference(case)
        raise Unsupported(f"no task is named {task!r}")

    def _forward(self, case: Layer) -> Job:
        x, weight, bias, _ = self._tensors(case)

        def run() -> Tensor:
            with self.without_graph():
                return self._convolve(case, x, weight, bias)

        return Job(run, lambda: {"output": numbers(run())})

    def _gradients(self, case: Layer) -> Job:
        *inputs, gradient = self._tensors(case)
        output = self._convolve(case, *(tensor.requires_grad_() for tensor in inputs))

        def run() -> tuple[Tensor, ...]:
            return self.tc.autograd.grad(output, inputs, gradient, retain_graph=True)

        names = ("gradient of input", "gradient of weight", "gradient of bias")
        return Job(run, lambda: dict(zip(names, map(numbers, run()), strict=True)))

    def _training(self, case: Network) -> Job:
        model = self._model(case).train()
        optimizer = self.adam(model.parameters(), lr=LEARNING_RATE)
        loss_of = loss_function(self.tc, case.network)
        images, truth = self._batch(case)
        compiled = self.compiled or as_it_is
        forward = as_it_is if self.compiles_step else compiled
        whole = compiled if self.compiles_step else as_it_is

        def loss_of_batch(x: Tensor, y: Tensor) -> Tensor:
            with self.multiplying():
                output = model(x)
            return loss_of(output.to(getattr(self.tc, self.dtype)), y)

        loss_at = forward(loss_of_batch)

        def step(x: Tensor, y: Tensor) -> Tensor:
            optimizer.zero_grad()
            loss = loss_at(x, y)
            loss.backward()
            optimizer.step()
            return loss

        take_step = whole(step)

        def run() -> float:
            return float(take_step(images, truth).item())

        def results() -> dict[str, Array]:
            """Of the last of a few steps, none of which moves the weights."""
            dropouts = [module for module in model.modules() if isinstance(module, self.tc.nn.Dropout)]
            for module in dropouts:
                module.eval()
            set_learning_rate(optimizer, 0.0)
            renew(take_step)
            losses = [run() for _ in range(CALLS_CHECKED)]
            arrays = {"loss": np.asarray(losses[-1])}
            for name, parameter in model.named_parameters():
                arrays[f"gradient of {name}"] = numbers(parameter.grad)
            set_learning_rate(optimizer, LEARNING_RATE)
            for module in dropouts:
                module.train()
            renew(take_step)
            return arrays

        return Job(run, results)

    def _inference(self, case: Network) -> Job:
        model = self._model(case).eval()
        images, _ = self._batch(case)
        forward = (self.compiled or as_it_is)(model)

        def run() -> Tensor:
            with self.without_graph(), self.multiplying():
                return forward(images)

        def results() -> dict[str, Array]:
            return {"output": [numbers(run()) for _ in range(CALLS_CHECKED)][-1]}

        return Job(run, results)

    def _convolve(self, case: Layer, *inputs: Tensor) -> Tensor:
        with self.multiplying():
            return getattr(self.tc.nn.functional, case.function)(*inputs, **case.options)

    def _tensors(self, case: Layer) -> list[Tensor]:
        return [self.place(self._tensor(array), len(case.size) + 2) for array in case.arrays()]

    def _tensor(self, array: Array) -> Tensor:
        """A tensor of the engine's dtype, or of whole numbers."""
        return self.tc.from_numpy(array.astype(self.dtype, copy=False) if array.dtype.kind == "f" else array)

    def _batch(self, case: Network) -> tuple[Tensor, Tensor]:
        images = self.place(self._tensor(case.images()), len(case.size) + 1)
        return images, self._tensor(target(case))

    def _model(self, case: Network) -> Module:
        model = NETWORKS[case.network](self.tc)
        state = weights(case.network).items()
        model.load_state_dict({name: self.tc.from_numpy(value.copy()) for name, value in state})
        return self.place(model.to(getattr(self.tc, self.dtype)), len(case.size) + 1)


def numbers(tensor: Tensor) -> Array:
    """A copy as a NumPy array."""
    array = tensor.detach().cpu()
    return (array.float() if "bfloat16" in str(array.dtype) else array).numpy().copy()


def set_learning_rate(optimizer: Any, rate: float) -> None:
    """Set it for all parameters."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def renew(step: Any) -> None:
    """Learning rates and modes were changed: a graph of kernels that has the old ones in it is made anew."""
    if hasattr(step, "renew"):
        step.renew()


def as_it_is(thing: Any, ndim: int = 0) -> Any:
    """Return `thing`."""
    return thing


def _channels_last(thing: Any, ndim: int) -> Any:
    """A tinyconv tensor of `ndim` dimensions in channels-last memory; anything else as it is."""
    import tinyconv as tc

    if not isinstance(thing, tc.Tensor) or thing.ndim != ndim or ndim < 3:
        return thing
    array = np.ascontiguousarray(np.moveaxis(thing.numpy(), 1, -1))
    return tc.from_numpy(np.moveaxis(array, -1, 1))


def tinyconv(threads: int, backend: str = "auto", compiled: bool = False) -> Contender:
    """Return tinyconv with `threads` threads."""
    import tinyconv as tc

    tc.set_num_threads(threads)
    tc.kernel_backend.set(backend)
    if not compiled:
        return Engine(tc, _channels_last, tc.optim.Adam, tc.no_grad)
    return Engine(tc, _channels_last, tc.optim.Adam, tc.no_grad, tc.compile, compiles_step=True)


tinyconv_compiled = partial(tinyconv, compiled=True)
reference = partial(tinyconv, backend="reference")


def pytorch(threads: int, channels_last: bool = False, compiled: bool = False) -> Contender:
    """Return PyTorch with `threads` threads and fused Adam."""
    torch = importlib.import_module("torch")
    torch.set_num_threads(threads)
    formats = {4: torch.channels_last, 5: torch.channels_last_3d} if channels_last else {}

    def place(thing: Any, ndim: int) -> Any:
        is_module = isinstance(thing, torch.nn.Module)
        if ndim not in formats or not (is_module or thing.ndim == ndim):
            return thing
        return thing.to(memory_format=formats[ndim])

    adam = partial(torch.optim.Adam, fused=True)
    return Engine(torch, place, adam, torch.inference_mode, torch.compile if compiled else None)


pytorch_channels_last = partial(pytorch, channels_last=True)
pytorch_compiled = partial(pytorch, compiled=True)
pytorch_channels_last_compiled = partial(pytorch, channels_last=True, compiled=True)


def exact(threads: int) -> Contender:
    """Return what the others are measured by: PyTorch in float64, or without it the reference kernels."""
    if pytorch_is_installed():
        torch = importlib.import_module("torch")
        torch.set_num_threads(threads)
        return Engine(torch, as_it_is, torch.optim.Adam, torch.inference_mode, dtype="float64")
    import tinyconv as tc

    tc.kernel_backend.set("reference")
    return Engine(tc, as_it_is, tc.optim.Adam, tc.no_grad, dtype="float64")


HERE = __name__
EXACT = f"{HERE}:exact"
CONTENDERS = {
    "pytorch nchw": f"{HERE}:pytorch",
    "pytorch channels_last": f"{HERE}:pytorch_channels_last",
    "pytorch nchw compiled": f"{HERE}:pytorch_compiled",
    "pytorch channels_last compiled": f"{HERE}:pytorch_channels_last_compiled",
    "tinyconv": f"{HERE}:tinyconv",
    "tinyconv compiled": f"{HERE}:tinyconv_compiled",
    "reference": f"{HERE}:reference",
}
"""Where each contender is made, by its name."""


def pytorch_is_installed() -> bool:
    """Whether PyTorch can be found; it is not imported."""
    return importlib.util.find_spec("torch") is not None
