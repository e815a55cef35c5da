"""MyGrad, an engine on NumPy alone: its convolution is a matrix product of unfolded windows."""

from __future__ import annotations

from typing import Any

import mygrad as mg
import numpy as np
from mygrad.nnet.activations import relu
from mygrad.nnet.layers import conv_nd, max_pool
from mygrad.nnet.losses import softmax_crossentropy

import tinyconv as tc
from benchmarks.contenders.walk import walk
from tinyconv.benchmark.case import BACKWARD, TRAINING, Case, Layer, Network
from tinyconv.benchmark.contender import Job, Unsupported
from tinyconv.benchmark.engines import LEARNING_RATE
from tinyconv.benchmark.networks import NETWORKS, target, weights

Array = Any
Tensor = Any

DOES = ("mlp", "lenet5")
MIX = 0.9, 0.999


class MyGrad:
    """One contender for all threads: NumPy's matrix product alone uses them."""

    version = mg.__version__

    def __init__(self, threads: int) -> None:
        pass

    def prepare(self, case: Case, task: str) -> Job:
        if isinstance(case, Layer):
            if case.groups > 1 or case.transposed:
                raise Unsupported("it has no groups and no transposed convolution")
            reach = case.dilation * (case.kernel - 1) + 1
            if any((n + 2 * case.padding - reach) % case.stride for n in case.size):
                raise Unsupported("its windows must end where the image ends")
            return _gradients(case) if task == BACKWARD else _forward(case)
        if case.network not in DOES:
            raise Unsupported("it has no layers for this network")
        return _training(case) if task == TRAINING else _inference(case)


def _convolve(case: Layer, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    options = {name: value for name, value in case.options.items() if name != "groups"}
    return conv_nd(x, weight, **options) + bias.reshape(1, -1, *[1] * len(case.size))


def _forward(case: Layer) -> Job:
    inputs = case.arrays()[:3]

    def run() -> Tensor:
        with mg.no_autodiff:
            return _convolve(case, *inputs)

    return Job(run, lambda: {"output": np.asarray(run())})


def _gradients(case: Layer) -> Job:
    *arrays, gradient = case.arrays()
    inputs = [mg.tensor(array) for array in arrays]
    graph: list[Tensor] = []

    def forward() -> None:
        """Not timed: MyGrad's graph can be walked back only once."""
        graph[:] = [_convolve(case, *inputs)]

    def run() -> None:
        graph[0].backward(gradient)

    def results() -> dict[str, Array]:
        forward()
        run()
        names = ("gradient of input", "gradient of weight", "gradient of bias")
        return {name: np.array(tensor.grad) for name, tensor in zip(names, inputs, strict=True)}

    return Job(run, results, before=forward)


class MyGradFunctions:
    """Those functions of `walk.Functions` that the networks of `DOES` need."""

    relu = staticmethod(relu)

    def conv(self, x: Tensor, weight: Tensor, bias: Tensor, padding: int) -> Tensor:
        return conv_nd(x, weight, stride=1, padding=padding) + bias.reshape(1, -1, 1, 1)

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return mg.matmul(x, weight.T) + bias

    def max_pool(self, x: Tensor) -> Tensor:
        return max_pool(x, (2, 2), 2)

    def flatten(self, x: Tensor) -> Tensor:
        return x.reshape(len(x), -1)


def _inference(case: Network) -> Job:
    model, images = NETWORKS[case.network](tc), case.images()
    parameters = weights(case.network)

    def run() -> Tensor:
        with mg.no_autodiff:
            return walk(model, MyGradFunctions(), parameters, images)

    return Job(run, lambda: {"output": np.asarray(run())})


def _training(case: Network) -> Job:
    model, images, truth = NETWORKS[case.network](tc), case.images(), target(case)
    parameters = {name: mg.tensor(value.copy()) for name, value in weights(case.network).items()}
    adam = Adam(parameters)

    def backward() -> float:
        loss = softmax_crossentropy(walk(model, MyGradFunctions(), parameters, images), truth)
        loss.backward()
        return loss.item()

    def run() -> None:
        backward()
        adam.step()

    def results() -> dict[str, Array]:
        loss = np.asarray(backward())
        return {"loss": loss, **{f"gradient of {n}": np.array(p.grad) for n, p in parameters.items()}}

    return Job(run, results)


class Adam:
    """Adam (Kingma and Ba, 2015) in NumPy; MyGrad has none."""

    def __init__(self, parameters: dict[str, Tensor]) -> None:
        self.parameters, self.count = parameters, 0
        self.first = {name: np.zeros_like(p.data) for name, p in parameters.items()}
        self.second = {name: np.zeros_like(p.data) for name, p in parameters.items()}

    def step(self) -> None:
        self.count += 1
        for name, parameter in self.parameters.items():
            m, v, gradient = self.first[name], self.second[name], parameter.grad
            m += (1 - MIX[0]) * (gradient - m)
            v += (1 - MIX[1]) * (gradient * gradient - v)
            root = np.sqrt(v / (1 - MIX[1] ** self.count)) + 1e-8
            parameter.data -= LEARNING_RATE / (1 - MIX[0] ** self.count) * m / root
