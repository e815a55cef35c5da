"""The ops whose time is the time of moving numbers, and how many bytes each has to move at least.

Each array counts once: an input that is read, an output that is written, in a backward pass also
what the derivative is computed from. What is normalised over a whole batch counts twice where it is
read, because the mean is known after the last number only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Sizes = tuple[int, ...]
Call = Callable[..., Any]

IMAGES, VOLUMES, LINES = (4, 64, 256, 256), (1, 32, 128, 64, 64), (16, 64, 16384)
PIXELS = 1 / 16
"""A quick run has so much of each dimension of the pixels."""
FORWARD, BACKWARD, STEP = "forward", "backward", "step"


@dataclass(frozen=True)
class Case:
    """One op on arrays far larger than the caches.

    Parameters
    ----------
    name : str
    call : callable
        ``call(F, *inputs, *others)`` gives the output; `F` is `tinyconv.nn.functional`.
    shapes : sequence of tuple of int
        Of the inputs, all of which receive gradients.
    others : callable, optional
        ``others(F, *inputs)`` gives tensors without gradients that the op reads too.
    saved : float
        What the backward pass reads besides the output's gradient, in arrays like the first input.
    again : float
        What the forward pass has to read a second time, in the same unit.
    moves_back : bool
        Whether the backward pass moves anything; that of an addition hands its gradient on.
    """

    name: str
    call: Call
    shapes: Sequence[Sizes] = (IMAGES,)
    others: Call | None = None
    saved: float = 0
    again: float = 0
    moves_back: bool = True


@dataclass(frozen=True)
class Timed:
    """What is timed, and the bytes that it moves at least."""

    name: str
    task: str
    bytes: float
    run: Callable[[], Any]


def prepared(case: Case, quick: bool, device: str = "cpu", times: int = 1) -> Iterator[Timed]:
    """The forward pass without a graph, and the backward pass alone; on so many times the images."""
    import tinyconv as tc
    import tinyconv.nn.functional as F

    shapes = [(times * shape[0], *shape[1:]) for shape in case.shapes]
    inputs = [tc.from_numpy(numbers(shape, seed, quick)) for seed, shape in enumerate(shapes)]
    others = tuple(case.others(F, *inputs)) if case.others else ()
    inputs, others = [placed(x, device) for x in inputs], tuple(placed(x, device) for x in others)

    def forward() -> Any:
        with tc.no_grad():
            return case.call(F, *inputs, *others)

    unit = inputs[0].array.nbytes
    read = sum(tensor.array.nbytes for tensor in (*inputs, *others))
    y = forward()
    yield Timed(case.name, FORWARD, read + y.array.nbytes + case.again * unit, forward)
    if not case.moves_back:
        return
    grad = y.detach().clone()
    for tensor in inputs:
        tensor.requires_grad_()
    y = case.call(F, *inputs, *others)

    def backward() -> Any:
        return tc.autograd.grad(y, inputs, grad, retain_graph=True)

    written = sum(tensor.array.nbytes for tensor in inputs)
    indices = sum(tensor.array.nbytes for tensor in others)
    yield Timed(case.name, BACKWARD, grad.array.nbytes + written + indices + case.saved * unit, backward)


def placed(tensor: Any, device: str) -> Any:
    """The tensor on a device, its channels still innermost; a copy to a GPU alone would put them first."""
    if device == "cpu":
        return tensor
    axes = tuple(range(2, tensor.ndim))
    stored = tensor.permute(0, *axes, 1).to(device) if axes else tensor.to(device)
    return stored.permute(0, stored.ndim - 1, *range(1, stored.ndim - 1)) if axes else stored


def numbers(shape: Sizes, seed: int, quick: bool) -> np.ndarray:
    """Numbers between -3 and 3, the channels innermost in memory."""
    if quick:
        shape = (*shape[:2], *(max(1, int(n * PIXELS)) for n in shape[2:]))
    stored = (shape[0], *shape[2:], shape[1])
    array = np.random.default_rng(seed).uniform(-3, 3, stored).astype(np.float32)
    return np.moveaxis(array, -1, 1)


def smaller(shape: Sizes, factor: int) -> Sizes:
    return (*shape[:2], *(n // factor for n in shape[2:]))


def op(name: str, **options: Any) -> Call:
    """A call of ``F.name`` with these options."""
    return lambda F, *inputs: getattr(F, name)(*inputs, **options)


def places_in(factor: int, shape: Sizes) -> Call:
    """The int64 indices of a max pooling of an image of `shape`, for what is to be unpooled."""
    pool = {3: "max_pool1d", 4: "max_pool2d", 5: "max_pool3d"}[len(shape)]

    def others(F: Any, x: Any) -> Any:
        import tinyconv as tc

        size = (*x.shape[:2], *(n * factor for n in x.shape[2:]))
        stored = np.moveaxis(
            np.random.default_rng(1).random((size[0], *size[2:], size[1]), np.float32), -1, 1
        )
        return (getattr(F, pool)(tc.from_numpy(stored), factor, return_indices=True)[1],)

    return others


def labels(F: Any, x: Any) -> Any:
    """A class for each pixel."""
    import tinyconv as tc

    shape = x.shape[0], *x.shape[2:]
    return (tc.from_numpy(np.random.default_rng(1).integers(0, x.shape[1], shape)),)


def mask(F: Any, x: Any) -> Any:
    """A target of 0 and 1 for each number."""
    import tinyconv as tc

    return (tc.from_numpy((x.array > 0).astype(np.float32)),)


ACTIVATIONS = (
    "relu", "leaky_relu", "relu6", "hardtanh", "elu", "selu", "celu", "sigmoid", "tanh", "softplus",
    "logsigmoid", "gelu", "silu", "mish", "hardswish", "hardsigmoid", "hardshrink", "softshrink",
    "softsign", "tanhshrink",
)  # fmt: skip

HALF, HALF_VOLUMES = smaller(IMAGES, 2), smaller(VOLUMES, 2)

CASES: tuple[Case, ...] = (
    *(Case(name, op(name), saved=1) for name in ACTIVATIONS),
    Case("gelu, by tanh", op("gelu", approximate="tanh"), saved=1),
    Case("dropout 0.5", op("dropout", p=0.5, training=True)),
    Case("max_pool1d 2", op("max_pool1d", kernel_size=2), [LINES], saved=0.5),
    Case("max_pool2d 2", op("max_pool2d", kernel_size=2), saved=0.25),
    Case("max_pool2d 3, stride 2", op("max_pool2d", kernel_size=3, stride=2, padding=1), saved=0.25),
    Case("max_pool3d 2", op("max_pool3d", kernel_size=2), [VOLUMES], saved=0.125),
    Case("max_unpool1d 2", op("max_unpool1d", kernel_size=2), [smaller(LINES, 2)], places_in(2, LINES)),
    Case("max_unpool2d 2", op("max_unpool2d", kernel_size=2), [HALF], places_in(2, IMAGES)),
    Case("max_unpool3d 2", op("max_unpool3d", kernel_size=2), [HALF_VOLUMES], places_in(2, VOLUMES)),
    Case("avg_pool1d 2", op("avg_pool1d", kernel_size=2), [LINES]),
    Case("avg_pool2d 2", op("avg_pool2d", kernel_size=2)),
    Case("avg_pool2d 3, stride 1", op("avg_pool2d", kernel_size=3, stride=1, padding=1)),
    Case("avg_pool3d 2", op("avg_pool3d", kernel_size=2), [VOLUMES]),
    Case("adaptive_avg_pool1d 1000", op("adaptive_avg_pool1d", output_size=1000), [LINES]),
    Case("adaptive_avg_pool2d 1", op("adaptive_avg_pool2d", output_size=1)),
    Case("adaptive_avg_pool2d 100", op("adaptive_avg_pool2d", output_size=100)),
    Case("adaptive_avg_pool3d 7", op("adaptive_avg_pool3d", output_size=7), [VOLUMES]),
    Case("adaptive_max_pool1d 1000", op("adaptive_max_pool1d", output_size=1000), [LINES]),
    Case("adaptive_max_pool2d 100", op("adaptive_max_pool2d", output_size=100)),
    Case("adaptive_max_pool3d 7", op("adaptive_max_pool3d", output_size=7), [VOLUMES]),
    Case("batch_norm", lambda F, x: F.batch_norm(x, None, None, training=True), saved=2, again=1),
    Case("group_norm 8", op("group_norm", num_groups=8), saved=1),
    Case("instance_norm", op("instance_norm"), saved=1),
    Case("layer_norm", lambda F, x: F.layer_norm(x, x.shape[1:]), saved=1),
    Case("softmax", op("softmax", dim=1), saved=1),
    Case("log_softmax", op("log_softmax", dim=1), saved=1),
    Case("cross_entropy", op("cross_entropy"), others=labels, saved=1),
    Case("binary_cross_entropy_with_logits", op("binary_cross_entropy_with_logits"), others=mask, saved=1),
    Case("interpolate nearest 1-D", op("interpolate", scale_factor=2, mode="nearest"), [smaller(LINES, 2)]),
    Case("interpolate linear", op("interpolate", scale_factor=2, mode="linear"), [smaller(LINES, 2)]),
    Case("interpolate nearest", op("interpolate", scale_factor=2, mode="nearest"), [HALF]),
    Case("interpolate bilinear", op("interpolate", scale_factor=2, mode="bilinear"), [HALF]),
    Case("interpolate bicubic", op("interpolate", scale_factor=2, mode="bicubic"), [HALF]),
    Case("interpolate area, half", op("interpolate", scale_factor=0.5, mode="area")),
    Case("interpolate nearest 3-D", op("interpolate", scale_factor=2, mode="nearest"), [HALF_VOLUMES]),
    Case("interpolate trilinear", op("interpolate", scale_factor=2, mode="trilinear"), [HALF_VOLUMES]),
    Case("pad 1 by zeros", op("pad", pad=(1, 1, 1, 1))),
    Case("pad 1 by reflection", op("pad", pad=(1, 1, 1, 1), mode="reflect")),
    Case("cat of two", lambda F, x, y: joined(x, y), [(4, 32, *IMAGES[2:])] * 2, moves_back=False),
    Case("add", lambda F, x, y: x + y, [IMAGES] * 2, moves_back=False),
    Case("mul", lambda F, x, y: x * y, [IMAGES] * 2, saved=2),
)


def joined(*tensors: Any) -> Any:
    import tinyconv as tc

    return tc.cat(tensors, dim=1)


OPTIMISERS: dict[str, tuple[dict[str, Any], int]] = {
    "SGD": ({"lr": 1e-9}, 3),
    "SGD, momentum": ({"lr": 1e-9, "momentum": 0.9}, 5),
    "Adam": ({"lr": 1e-9}, 7),
    "AdamW": ({"lr": 1e-9}, 7),
}
"""Options, and how many arrays a step reads and writes."""


def optimiser(name: str, quick: bool, device: str = "cpu", times: int = 1) -> Timed:
    """A step over four parameters that are 64 MiB together, or so many times as much."""
    import tinyconv as tc

    options, arrays = OPTIMISERS[name]
    size = times * (2**12 if quick else 2**22)
    parameters = [tc.nn.Parameter(tc.zeros(size, device=device)) for _ in range(4)]
    for parameter in parameters:
        parameter.grad = tc.full((size,), 0.5, device=device)
    steps = getattr(tc.optim, name.partition(",")[0])(parameters, **options)
    return Timed(name, STEP, 4.0 * size * 4 * arrays, steps.step)
