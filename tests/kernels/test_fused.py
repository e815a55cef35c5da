"""A fused kernel gives the bits of the kernels that it stands for."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tinyconv import device
from tinyconv.kernels import find_kernel

pytest.importorskip("numba")

Array = Any
FUNCTIONS = [("relu", ()), ("leaky_relu", (0.1,)), ("elu", (0.7,)), ("sigmoid", ()), ("tanh", ())]
functions = pytest.mark.parametrize(("activation", "numbers"), FUNCTIONS)
KEY, P = (3, 5), 0.3


@pytest.fixture(autouse=True, params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = tc.get_num_threads()
    tc.set_num_threads(request.param)
    yield request.param
    tc.set_num_threads(before)


def kernel(file: str, name: str) -> Any:
    return find_kernel("cpu", file, name)


def images(*shape: int, dtype: Any = np.float32, seed: int = 0) -> Array:
    """Numbers of both signs (N, C, ...), channels-last in memory, with zeros among them."""
    x = np.random.default_rng(seed).standard_normal((shape[0], *shape[2:], *shape[1:2])).astype(dtype)
    x.flat[:: x.size // 7 + 2] = 0
    return np.moveaxis(x, -1, 1)


def rows(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def same(one: Any, two: Any) -> None:
    """Every bit, the sign of zero among them."""
    one, two = (x if isinstance(x, tuple) else (x,) for x in (one, two))
    assert len(one) == len(two)
    for a, b in zip(one, two, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            assert (a.shape, a.dtype) == (b.shape, b.dtype)
            assert np.ascontiguousarray(a).tobytes() == np.ascontiguousarray(b).tobytes()


LAYERS = {
    # N, C_in, C_out, size, kernel, stride, padding, groups, dtype
    "few channels": (2, 3, 16, (37, 35), (3, 3), 1, 1, 1, np.float32),
    "winograd": (2, 16, 16, (37, 22), (3, 3), 1, 1, 1, np.float32),
    "winograd, few tiles": (2, 256, 272, (7, 8), (3, 3), 1, 1, 1, np.float32),
    "no padding": (2, 6, 16, (14, 14), (5, 5), 1, 0, 1, np.float32),
    "one column": (2, 16, 1, (40, 30), (1, 1), 1, 0, 1, np.float32),
    "groups": (2, 32, 32, (20, 20), (3, 3), 2, 1, 8, np.float32),
    "small": (1, 2, 3, (5, 5), (3, 3), 1, 1, 1, np.float32),
    "double": (1, 3, 8, (24, 24), (3, 3), 1, 1, 1, np.float64),
    "row": (4, 5, 16, (300,), (3,), 1, 1, 1, np.float32),
    "volume": (1, 8, 16, (9, 10, 12), (3, 3, 3), 1, 1, 1, np.float32),
}


def layer(name: str) -> tuple[Array, Array, Array, tuple[Any, ...]]:
    n, channels, columns, size, kernel_size, stride, padding, groups, dtype = LAYERS[name]
    x = images(n, channels, *size, dtype=dtype)
    weight = images(columns, channels // groups, *kernel_size, dtype=dtype, seed=1) * dtype(0.3)
    bias = images(columns, 1, dtype=dtype, seed=2)[:, 0]
    dims = len(size)
    return x, weight, bias, ((stride,) * dims, (padding,) * dims, (1,) * dims, groups)


DENSE = {
    # images, features from the input on, and whether one pass does all if the threads get as many panels each
    "the mlp": (64, (784, 256, 128, 10), True),
    "two": (128, (300, 150, 40), True),
    "four": (64, (100, 90, 80, 70, 60), True),
    "longer than a block": (64, (1800, 130, 20), True),
    "one panel": (32, (400, 200, 50), True),
    "one feature at the end": (64, (784, 300, 1), True),
    "five": (64, (100, 90, 80, 70, 60, 50), False),
    "half a panel": (40, (400, 200, 50), True),
    "few features": (256, (784, 100, 10), False),
    "one feature at the beginning": (512, (1, 1024, 64), False),
    "one feature between": (64, (784, 512, 1, 300), False),
}


def in_one_pass(case: str) -> bool:
    """Whether one pass does all on this machine, by the width of its vectors and the number of threads."""
    from tinyconv.kernels.cpu._layers import PANEL, use_threads

    count, features, fits = DENSE[case]
    products = count * sum(n * k for n, k in pairwise(features))
    return fits and count % (PANEL * use_threads(products)) == 0


def dense(features: tuple[int, ...], function: Any) -> Any:
    """The layers; the last has no activation function."""
    pairs = zip(features[1:], features[:-1], strict=True)
    weights = [rows(n, k, seed=i) * np.float32(k**-0.5) for i, (n, k) in enumerate(pairs)]
    layers = [(weight, rows(len(weight), seed=9 + i), *function) for i, weight in enumerate(weights)]
    return *layers[:-1], (*layers[-1][:2], None, ())


@pytest.mark.parametrize("case", DENSE)
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function[0])
def test_dense_layers_in_one_pass(case: str, function: Any, threads: int) -> None:
    from tinyconv.kernels.cpu._layers import layers_in_one_pass

    count, features, _ = DENSE[case]
    x, layers = rows(count, features[0], seed=5), dense(features, function)
    assert (layers_in_one_pass(x, layers) is not None) == in_one_pass(case)
    wide = [(*(array.astype(np.float64) for array in layer[:2]), *layer[2:]) for layer in layers]
    exact = find_kernel("reference", "fused", "linear_layers")(x.astype(np.float64), wide)
    y = kernel("fused", "linear_layers")(x, layers)
    same(y, one_by_one(x, layers))
    np.testing.assert_allclose(y, exact, atol=2e-5)


def test_more_dense_layers_are_several_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one begins with what the first one left, which lies by columns."""
    from tinyconv.kernels.cpu import _layers, fused

    x, layers = rows(64, 300), dense((300, 250, 130, 80, 60, 90, 70, 50, 40, 30), ("relu", ()))
    expected, made = one_by_one(x, layers), []

    def noted(x: Array, part: Any) -> Array | None:
        y = _layers.layers_in_one_pass(x, part)
        made.append((len(part), y is not None))
        return y

    monkeypatch.setattr(fused, "layers_in_one_pass", noted)
    same(kernel("fused", "linear_layers")(x, layers), expected)
    fits = 64 % (_layers.PANEL * _layers.use_threads()) == 0
    assert made == [(3, fits)] * 3


def one_by_one(x: Array, layers: Any) -> Array:
    for weight, bias, activation, numbers in layers:
        name, rest = ("linear", ()) if activation is None else ("linear_activation", (activation, numbers))
        x = kernel("fused" if rest else "matmul", name)(x, weight, bias, *rest)
    return x


def unaligned(array: Array) -> Array:
    room = np.zeros(array.nbytes + 1, np.uint8)
    moved = room[1:].view(np.float32).reshape(array.shape)
    moved[...] = array
    return moved


def test_layers_that_one_pass_does_not_take_for_granted() -> None:
    """No bias, or one number for all; float64; memory that is not aligned: one by one, and right."""
    from tinyconv.kernels.cpu._layers import layers_in_one_pass

    x, layers = rows(64, 200), dense((200, 130, 70), ("relu", ()))
    fused, reference = kernel("fused", "linear_layers"), find_kernel("reference", "fused", "linear_layers")
    without = tuple((weight, None, *rest) for weight, _, *rest in layers)
    single_number = tuple((weight, bias[:1], *rest) for weight, bias, *rest in layers)
    moved = tuple((unaligned(weight), bias, *rest) for weight, bias, *rest in layers)
    (wide,) = dense((200, 300), (None, ()))
    row = x, (wide, ((rows(300) / np.float32(17))[None], rows(1), None, ()))
    double = x.astype(np.float64), tuple((w.astype(np.float64), None, *rest) for w, _, *rest in layers)
    cases = ((x, without), (x, single_number), (unaligned(x), layers), (x, moved), double, row)
    for arguments in cases:
        assert layers_in_one_pass(*arguments) is None
        y, right = fused(*arguments), reference(*arguments)
        assert y.dtype == right.dtype
        same(y, one_by_one(*arguments))
        np.testing.assert_allclose(y, right, atol=2e-5)


@functions
@pytest.mark.parametrize("name", LAYERS)
def test_convolution(name: str, activation: str, numbers: Any) -> None:
    x, weight, bias, geometry = layer(name)
    y = kernel("activation", activation)(kernel("conv", "conv")(x, weight, bias, *geometry), *numbers)
    arguments = x, weight, bias, *geometry, activation, numbers
    same(kernel("fused", "conv_activation")(*arguments), y)
    both = kernel("fused", "conv_activation_dropout")(*arguments, P, KEY)
    same(both, (y, kernel("dropout", "dropout")(y, P, KEY)))


@functions
@pytest.mark.parametrize("name", LAYERS)
def test_gradients_of_a_convolution(name: str, activation: str, numbers: Any) -> None:
    x, weight, bias, geometry = layer(name)
    y = kernel("conv", "conv")(x, weight, bias, *geometry)
    grad = images(*y.shape, dtype=y.dtype, seed=3)
    before = kernel("activation", f"{activation}_backward")(grad, y, *numbers)
    expected = kernel("conv", "conv_parameter_grads")(x, before, weight.shape[2:], *geometry)
    got = kernel("fused", "conv_activation_parameter_grads")(
        grad, y, activation, numbers, x, weight.shape[2:], *geometry
    )
    same(got, (before, *expected))


@functions
@pytest.mark.parametrize("shape", [(64, 784, 256), (64, 256, 128), (100, 300, 77), (3, 300, 400), (2, 5, 3)])
def test_linear(shape: tuple[int, int, int], activation: str, numbers: Any) -> None:
    count, inputs, outputs = shape
    x, weight, bias = rows(count, inputs), rows(outputs, inputs, seed=1), rows(outputs, seed=2)
    y = kernel("activation", activation)(kernel("matmul", "linear")(x, weight, bias), *numbers)
    same(kernel("fused", "linear_activation")(x, weight, bias, activation, numbers), y)
    both = kernel("fused", "linear_activation_dropout")(x, weight, bias, activation, numbers, P, KEY)
    same(both, (y, kernel("dropout", "dropout")(y, P, KEY)))


@functions
@pytest.mark.parametrize("shape", [(64, 784, 256), (64, 256, 128), (300, 100, 600), (2, 5, 3)])
@pytest.mark.parametrize("wanted", [(True, True, True), (False, True, True), (True, True, False)])
def test_gradients_of_linear(shape: Any, wanted: Any, activation: str, numbers: Any) -> None:
    count, inputs, outputs = shape
    x, weight, y, grad = (
        rows(count, inputs),
        rows(outputs, inputs),
        rows(count, outputs),
        rows(count, outputs),
    )
    for at, arrived in ((y, grad), (np.asfortranarray(y), grad), (y, np.asfortranarray(grad))):
        before = kernel("activation", f"{activation}_backward")(arrived, at, *numbers)
        expected = kernel("matmul", "linear_gradients")(before, x, weight, wanted)
        fused = kernel("fused", "linear_activation_gradients")
        same(fused(arrived, at, activation, numbers, x, weight, wanted), expected)


@functions
@pytest.mark.parametrize("shape", [(3, 16, 40, 37), (200, 300), (3, 5, 30, 41, 2), (20000,), (4, 4)])
def test_dropout_and_its_derivative(shape: Any, activation: str, numbers: Any) -> None:
    for x in (images(*shape) if len(shape) > 2 else rows(*shape), rows(*shape, seed=4)):
        y = kernel("activation", activation)(x, *numbers)
        dropped = kernel("dropout", "dropout")(y, P, KEY)
        same(kernel("fused", "activation_dropout")(x, activation, numbers, P, KEY), (y, dropped))
        grad = kernel("dropout", "dropout")(x[::-1][::-1], P, KEY)
        expected = kernel("activation", f"{activation}_backward")(grad, y, *numbers)
        fused = kernel("fused", "dropout_activation_backward")
        same(fused(x, P, KEY, y, activation, numbers), expected)


@functions
def test_the_definitions_are_what_float64_gives(activation: str, numbers: Any) -> None:
    """Differences of a sum of the dropped outputs, by the bias and by the input."""
    x, weight, bias, geometry = layer("double")
    x = x[:, :, :6, :6]

    def total(x: Array, bias: Array) -> Any:
        forward = find_kernel("reference", "fused", "conv_activation_dropout")
        return forward(x, weight, bias, *geometry, activation, numbers, P, KEY)

    y, dropped = total(x, bias)
    start = images(*dropped.shape, dtype=np.float64, seed=8)
    grad = find_kernel("reference", "fused", "dropout_activation_backward")(
        start, P, KEY, _derived_from(activation, y, x, weight, bias, geometry), activation, numbers
    )
    step = 1e-6
    for channel in range(3):
        shift = np.zeros_like(bias)
        shift[channel] = step
        difference = ((total(x, bias + shift)[1] - total(x, bias - shift)[1]) * start).sum() / (2 * step)
        np.testing.assert_allclose(grad[:, channel].sum(), difference, rtol=1e-6, atol=1e-7)


def _derived_from(activation: str, y: Array, *convolved: Any) -> Array:
    """The output; for leaky ReLU the input."""
    if activation != "leaky_relu":
        return y
    x, weight, bias, geometry = convolved
    return find_kernel("reference", "conv", "conv")(x, weight, bias, *geometry)


def test_every_fused_kernel_has_a_fast_twin() -> None:
    import tinyconv.kernels.cpu.fused as fast
    import tinyconv.kernels.reference.fused as definitions

    names = [n for n, f in vars(definitions).items() if inspect.isfunction(f) and n[0] != "_"]
    assert len(names) >= 8
    assert all(hasattr(fast, name) for name in names)
    assert device.kernel_backend.get() == "auto"
