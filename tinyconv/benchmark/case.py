"""What is timed: a convolution with given sizes, or a network with a batch of images.

A case is a few numbers. It travels to the processes as JSON, and each process makes the same
arrays from it, by the same seed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import prod
from typing import Any, ClassVar

import numpy as np

Array = Any

FORWARD, BACKWARD = "forward", "backward"
TRAINING, INFERENCE = "training step", "inference"


@dataclass(frozen=True)
class Layer:
    """A convolution, or its transpose, with as many dimensions as `size` has entries.

    The task ``forward`` gives the output; ``backward`` the gradients of input, weight and bias.

    Examples
    --------
    >>> Layer(4, 64, 64, (56, 56)).name
    '3x3 64>64, 4x56x56'
    >>> Layer(4, 64, 64, (56, 56), kernel=1, padding=0, stride=2).output_size
    (28, 28)
    """

    batch: int
    in_channels: int
    out_channels: int
    size: tuple[int, ...]
    kernel: int = 3
    padding: int = 1
    stride: int = 1
    dilation: int = 1
    groups: int = 1
    transposed: bool = False

    tasks: ClassVar[tuple[str, ...]] = (FORWARD, BACKWARD)

    @property
    def name(self) -> str:
        kernel, size = "x".join([str(self.kernel)] * len(self.size)), "x".join(map(str, self.size))
        extras = [f"{name} {value}" for name in ("stride", "dilation") if (value := getattr(self, name)) != 1]
        if self.groups > 1:
            extras.append("depthwise" if self.groups == self.in_channels else f"{self.groups} groups")
        kind = " transposed" if self.transposed else ""
        channels = f"{self.in_channels}>{self.out_channels}"
        return ", ".join([f"{kernel}{kind} {channels}", f"{self.batch}x{size}", *extras])

    @property
    def output_size(self) -> tuple[int, ...]:
        reach = self.dilation * (self.kernel - 1) + 1
        if self.transposed:
            return tuple((n - 1) * self.stride - 2 * self.padding + reach for n in self.size)
        return tuple((n + 2 * self.padding - reach) // self.stride + 1 for n in self.size)

    @property
    def multiply_adds(self) -> int:
        """Of one forward pass, as the definition counts them; the backward pass has twice as many."""
        pixels = prod(self.size if self.transposed else self.output_size)
        products = self.in_channels * self.out_channels // self.groups * self.kernel ** len(self.size)
        return self.batch * pixels * products

    @property
    def function(self) -> str:
        """The name in ``nn.functional``."""
        return f"conv_transpose{len(self.size)}d" if self.transposed else f"conv{len(self.size)}d"

    @property
    def options(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in ("stride", "padding", "dilation", "groups")}

    def arrays(self) -> tuple[Array, Array, Array, Array]:
        """Input, weight, bias, and the gradient that reaches the output; float32."""
        rng = np.random.default_rng(0)
        ends = (self.in_channels, self.out_channels)
        first, second = ends if self.transposed else ends[::-1]
        shapes = (
            (self.batch, self.in_channels, *self.size),
            (first, second // self.groups, *[self.kernel] * len(self.size)),
            (self.out_channels,),
            (self.batch, self.out_channels, *self.output_size),
        )
        x, weight, bias, gradient = (rng.standard_normal(shape, dtype=np.float32) for shape in shapes)
        return x, weight, bias, gradient


@dataclass(frozen=True)
class Network:
    """A network of `networks.NETWORKS` with a batch of images of `size`, which has the channels first.

    The task ``training step`` is zero_grad, forward, loss, backward and Adam; ``inference`` a
    forward pass in eval mode without a graph. `tasks` are those that are timed.
    """

    network: str
    batch: int
    size: tuple[int, ...]
    tasks: tuple[str, ...] = (TRAINING, INFERENCE)

    @property
    def name(self) -> str:
        return f"{self.network}, {self.batch}x{'x'.join(map(str, self.size[1:] or self.size))}"

    def images(self) -> Array:
        """The batch: float32 (batch, *size)."""
        return np.random.default_rng(0).standard_normal((self.batch, *self.size), dtype=np.float32)

    def labels(self, classes: int) -> Array:
        """A class for each image: int64 (batch,)."""
        return np.random.default_rng(1).integers(0, classes, self.batch)

    def masks(self) -> Array:
        """A mask for each image, a fifth of it 1: float32 (batch, 1, *spatial)."""
        chance = np.random.default_rng(1).random((self.batch, 1, *self.size[1:]))
        return (chance < 0.2).astype(np.float32)


Case = Layer | Network
KINDS: dict[str, type[Layer] | type[Network]] = {kind.__name__: kind for kind in (Layer, Network)}


def to_json(case: Case) -> str:
    """The inverse of `from_json`."""
    return json.dumps({"kind": type(case).__name__, **asdict(case)})


def from_json(text: str) -> Case:
    """The case that `to_json` wrote.

    Examples
    --------
    >>> from_json(to_json(Network("lenet5", 64, (1, 28, 28))))
    Network(network='lenet5', batch=64, size=(1, 28, 28), tasks=('training step', 'inference'))
    """
    fields: dict[str, Any] = json.loads(text)
    kind = KINDS[fields.pop("kind")]
    lists = {name: tuple(value) for name, value in fields.items() if isinstance(value, list)}
    return kind(**{**fields, **lists})


def tasks_of(cases: Sequence[Case]) -> list[tuple[Case, str]]:
    """Each case with each of its tasks."""
    return [(case, task) for case in cases for task in case.tasks]
