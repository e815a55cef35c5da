"""JAX, everything under jit, channels last.

Its threads follow the cores that the process may use, so nothing is to be set for them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

import tinyconv as tc
from benchmarks.contenders.walk import walk
from tinyconv.benchmark.case import BACKWARD, TRAINING, Case, Layer, Network
from tinyconv.benchmark.contender import Job, Unsupported
from tinyconv.benchmark.engines import LEARNING_RATE
from tinyconv.benchmark.networks import CLASSES, NETWORKS, target, weights

Array = Any
Tensor = Any

DOES = ("mlp", "lenet5", "vgg16", "unet", "unet_small", "unet3d")
MIX = 0.9, 0.999


class Jax:
    """One contender for all threads."""

    version = jax.__version__

    def __init__(self, threads: int) -> None:
        pass

    def prepare(self, case: Case, task: str) -> Job:
        if isinstance(case, Layer):
            return _gradients(case) if task == BACKWARD else _forward(case)
        if case.network not in DOES:
            raise Unsupported("this network was not written for it")
        return _training(case) if task == TRAINING else _inference(case)


def _forward(case: Layer) -> Job:
    x, weight, bias, _ = _native(case)
    function = jax.jit(_convolution(case))

    def run() -> Tensor:
        return function(x, weight, bias).block_until_ready()

    return Job(run, lambda: {"output": channels_first(run())})


def _gradients(case: Layer) -> Job:
    *inputs, gradient = _native(case)
    convolution = _convolution(case)
    pull = jax.jit(lambda inputs, gradient: jax.vjp(convolution, *inputs)[1](gradient))

    def run() -> tuple[Tensor, ...]:
        return jax.block_until_ready(pull(inputs, gradient))

    def results() -> dict[str, Array]:
        x, weight, bias = run()
        return {
            "gradient of input": channels_first(x),
            "gradient of weight": pytorch_weight(weight, case.transposed),
            "gradient of bias": np.asarray(bias),
        }

    return Job(run, results)


def _convolution(case: Layer) -> Callable[..., Tensor]:
    if case.transposed:
        if case.groups > 1 or case.padding or case.kernel != case.stride:
            raise Unsupported("transposed convolution was written for windows that do not overlap")
        return up
    dilation = (case.dilation,) * len(case.size)
    stride = (case.stride,) * len(case.size)
    return lambda x, weight, bias: conv(x, weight, bias, case.padding, stride, dilation, case.groups)


def _native(case: Layer) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    x, weight, bias, gradient = case.arrays()
    images = (jnp.asarray(channels_last(array)) for array in (x, gradient))
    return next(images), jnp.asarray(native_weight(weight, case.transposed)), jnp.asarray(bias), next(images)


def channels_last(array: Array) -> Array:
    """(N, C, ...) to (N, ..., C), contiguous."""
    return np.ascontiguousarray(np.moveaxis(array, 1, -1))


def channels_first(tensor: Tensor) -> Array:
    """The inverse of `channels_last`."""
    return np.moveaxis(np.asarray(tensor), -1, 1)


def native_weight(weight: Array, transposed: bool) -> Array:
    """(out, in, ...) of a convolution, (in, out, ...) of a transposed one, to (..., in, out)."""
    ends = (0, 1) if transposed else (1, 0)
    return np.ascontiguousarray(np.moveaxis(weight, ends, (-2, -1)))


def pytorch_weight(weight: Tensor, transposed: bool) -> Array:
    """The inverse of `native_weight`."""
    ends = (0, 1) if transposed else (1, 0)
    return np.moveaxis(np.asarray(weight), (-2, -1), ends)


def conv(
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    padding: int,
    stride: Any = None,
    dilation: Any = None,
    groups: int = 1,
) -> Tensor:
    """Convolution of (N, ..., C) with (..., in, out)."""
    space = "DHW"[3 - (x.ndim - 2) :]
    names = (f"N{space}C", f"{space}IO", f"N{space}C")
    result = lax.conv_general_dilated(
        x, weight, stride or (1,) * len(space), [(padding, padding)] * len(space),
        rhs_dilation=dilation, dimension_numbers=names, feature_group_count=groups,
    )  # fmt: skip
    return result + bias


def up(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Transposed convolution whose stride is its kernel: (N, ..., in) with (..., in, out)."""
    kernel, space = weight.shape[:-2], "DHW"[3 - (x.ndim - 2) :]
    names = (f"N{space}C", f"{space}IO", f"N{space}C")
    flipped = jnp.flip(weight, range(len(kernel)))
    padding = [(k - 1, k - 1) for k in kernel]
    result = lax.conv_general_dilated(
        x, flipped, (1,) * len(kernel), padding, lhs_dilation=kernel, dimension_numbers=names
    )
    return result + bias


class JaxFunctions:
    """The functions of `walk.Functions`; `key` None is dropout switched off."""

    def __init__(self, key: Tensor | None = None) -> None:
        self.key = key

    conv = staticmethod(conv)
    up = staticmethod(up)
    relu = staticmethod(jax.nn.relu)
    elu = staticmethod(jax.nn.elu)
    sigmoid = staticmethod(jax.nn.sigmoid)

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return x @ weight + bias

    def max_pool(self, x: Tensor) -> Tensor:
        window = (1, *(2,) * (x.ndim - 2), 1)
        return lax.reduce_window(x, -jnp.inf, lax.max, window, window, "VALID")

    def dropout(self, x: Tensor, p: float) -> Tensor:
        if self.key is None:
            return x
        self.key, own = jax.random.split(self.key)
        return jnp.where(jax.random.bernoulli(own, 1 - p, x.shape), x / (1 - p), 0)

    def flatten(self, x: Tensor) -> Tensor:
        return jnp.moveaxis(x, -1, 1).reshape(len(x), -1)

    def cat(self, a: Tensor, b: Tensor) -> Tensor:
        return jnp.concatenate([a, b], axis=-1)


def _loss(case: Network, output: Tensor, truth: Tensor) -> Tensor:
    if case.network in CLASSES:
        return -jnp.take_along_axis(jax.nn.log_softmax(output), truth[:, None], axis=1).mean()
    entropy = -(truth * jnp.log(output) + (1 - truth) * jnp.log1p(-output)).mean()
    if case.network == "unet3d":
        return entropy
    overlap = 2 * (output * truth).sum((1, 2)) + 1
    dice = 1 - overlap / (output.sum((1, 2)) + truth.sum((1, 2)) + 1)
    return entropy + dice.mean()


def _start(case: Network) -> tuple[Any, dict[str, Tensor], Tensor, Tensor]:
    """The modules to walk, parameters, images and truth."""
    model = NETWORKS[case.network](tc)
    parameters = {name: jnp.asarray(_native_parameter(name, w)) for name, w in weights(case.network).items()}
    images, truth = case.images(), target(case)
    if images.ndim > 2:
        images = channels_last(images)
    if truth.ndim > 1:
        truth = channels_last(truth)
    return model, parameters, jnp.asarray(images), jnp.asarray(truth)


def _native_parameter(name: str, value: Array) -> Array:
    return value if value.ndim == 1 else native_weight(value, name.startswith("up."))


def _inference(case: Network) -> Job:
    model, parameters, images, _ = _start(case)
    function = jax.jit(lambda parameters, x: walk(model, JaxFunctions(), parameters, x))

    def run() -> Tensor:
        return function(parameters, images).block_until_ready()

    return Job(run, lambda: {"output": channels_first(run()) if images.ndim > 2 else np.asarray(run())})


def _training(case: Network) -> Job:
    model, parameters, images, truth = _start(case)

    def loss_of(parameters: Any, key: Tensor | None) -> Tensor:
        return _loss(case, walk(model, JaxFunctions(key), parameters, images), truth)

    @jax.jit
    def step(state: Any, key: Tensor) -> tuple[Any, Tensor]:
        loss, gradients = jax.value_and_grad(loss_of)(state[0], key)
        return _adam(state, gradients), loss

    zeros = {name: jnp.zeros_like(value) for name, value in parameters.items()}
    holder = {"state": (parameters, zeros, zeros, jnp.zeros(())), "key": jax.random.key(0)}

    def run() -> None:
        holder["key"], own = jax.random.split(holder["key"])
        holder["state"], loss = jax.block_until_ready(step(holder["state"], own))

    def results() -> dict[str, Array]:
        loss, gradients = jax.jit(jax.value_and_grad(loss_of))(parameters, None)
        arrays = {"loss": np.asarray(loss)}
        for name, value in gradients.items():
            back = np.asarray(value) if value.ndim == 1 else pytorch_weight(value, name.startswith("up."))
            arrays[f"gradient of {name}"] = back
        return arrays

    return Job(run, results)


def _adam(state: Any, gradients: Any) -> Any:
    """One step of Adam (Kingma and Ba, 2015)."""
    parameters, first, second, count = state
    count = count + 1
    first = jax.tree.map(lambda m, g: MIX[0] * m + (1 - MIX[0]) * g, first, gradients)
    second = jax.tree.map(lambda v, g: MIX[1] * v + (1 - MIX[1]) * g * g, second, gradients)

    def moved(p: Tensor, m: Tensor, v: Tensor) -> Tensor:
        return p - LEARNING_RATE * (m / (1 - MIX[0] ** count)) / (jnp.sqrt(v / (1 - MIX[1] ** count)) + 1e-8)

    return jax.tree.map(moved, parameters, first, second), first, second, count
