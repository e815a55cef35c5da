"""From a net that gives one label to one that gives a map of labels: dense layers become convolutions.

A dense layer on features of 512 x 7 x 7 is a convolution whose 7x7 window has one place to stand. Where
the image is larger, the window has more places, and each gives what the net would say of the part of
the image below it (slide decks S0 to S2; Long, Shelhamer and Darrell 2015).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyconv.errors import ArgumentError, DtypeError, ShapeError
from tinyconv.grad_mode import no_grad
from tinyconv.nn import (
    AdaptiveAvgPool2d,
    AvgPool2d,
    BatchNorm1d,
    BatchNorm2d,
    Conv2d,
    Flatten,
    Identity,
    Linear,
    Module,
    Parameter,
)
from tinyconv.nn import Sequential as Chain
from tinyconv.ops import tensor
from tinyconv.tensor import Tensor


def convolutionize(net: Module, input_size: Sequence[int] = (3, 224, 224)) -> Chain:
    """The same net with convolutions for its dense layers, which takes larger images too.

    Parameters
    ----------
    net : Module
        A chain: its children, in the order in which they were made, are applied one after the other, and
        flattened before the first dense layer (`VGG`, `AlexNet`, a `Sequential` …).
    input_size : tuple of int
        (C, H, W) that the dense layers were made for.

    Returns
    -------
    Sequential
        Of children with the names that they had; its weights share the memory of those of `net`. An image of
        `input_size` gives (N, classes, 1, 1), the scores of `net`; a larger one a grid of scores.

    Raises
    ------
    ArgumentError
        If `net` is not such a chain (that is: if the outputs are not equal), or pools to sizes that a window
        cannot give.

    Notes
    -----
    Pooling to a fixed size, which would make all images alike, becomes pooling over windows of the size
    that they have at `input_size`. At larger sizes a convolution's padding is beyond the whole image's
    border, not beyond that of each part.

    Examples
    --------
    >>> import tinyconv as tc
    >>> from tinyconv import models, nn
    >>> net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(2 * 6 * 6, 5))
    >>> convolutional = models.convolutionize(net, (1, 8, 8))
    >>> convolutional(tc.zeros(1, 1, 8, 8)).shape
    (1, 5, 1, 1)
    >>> convolutional(tc.zeros(1, 1, 20, 30)).shape
    (1, 5, 13, 23)
    """
    if not isinstance(net, Module):
        raise DtypeError("convolutionize", "net", f"a {type(net).__name__}", "a Module")
    modes = {module: module.training for module in net.modules()}
    try:
        with no_grad():
            result = _converted(net.eval(), input_size)
    finally:
        for module, training in modes.items():
            object.__setattr__(module, "training", training)
    for module in result.modules():
        object.__setattr__(module, "training", modes.get(module, net.training))
    return result


def _converted(net: Module, input_size: Sequence[int]) -> Chain:
    like = next((p for p in net.parameters()), None)
    if like is None:
        raise ArgumentError("convolutionize", "net", f"a {type(net).__name__} without weights", "some")
    if not isinstance(input_size, list | tuple) or len(input_size) != 3:
        raise ArgumentError("convolutionize", "input_size", repr(input_size), "(C, H, W)")
    numbers = np.random.default_rng(0).standard_normal((1, *input_size)).astype(like.dtype)
    example = tensor(numbers).to(like.device)
    expected = net(example)
    try:
        result, scores = _chain(net, example)
    except ShapeError as error:  # the net itself took the example
        raise _not_a_chain(net, f"parts that do not follow one another ({error})") from error
    if not isinstance(expected, Tensor) or expected.ndim != 2 or scores.shape != (*expected.shape, 1, 1):
        raise _not_a_chain(net, "outputs of other shapes")
    difference = float(abs(scores.array.reshape(expected.shape) - expected.array).max())
    if not difference <= 1e-3 * float(abs(expected.array).max()) + 1e-6:
        raise _not_a_chain(net, f"outputs that are {difference:.2g} apart")
    return result


def _not_a_chain(net: Module, found: str) -> ArgumentError:
    expected = "a net whose children are applied one after the other, to the same scores"
    return ArgumentError("convolutionize", "net", f"a {type(net).__name__} with {found}", expected)


def _chain(net: Module, x: Tensor) -> tuple[Chain, Tensor]:
    """The children of a net, each converted for what the one before it gives; and what comes out."""
    layers: dict[str, Any] = {}
    for name, module in net.named_children():
        layers[name], x = _convert(module, x)
    return Chain(layers), x


def _convert(module: Module, x: Tensor) -> tuple[Module, Tensor]:
    replaced: Module = module
    if isinstance(module, Linear):
        replaced = _as_convolution(module, x)
    elif isinstance(module, BatchNorm1d):
        replaced = _as_2d(module)
    elif isinstance(module, Flatten):
        replaced = Identity()
    elif isinstance(module, AdaptiveAvgPool2d):
        replaced = _as_window(module, x)
    elif isinstance(module, Chain):
        return _chain(module, x)
    return replaced, replaced(x)


def _as_convolution(layer: Linear, x: Tensor) -> Conv2d:
    """One whose window is all of `x`, with the weights of a dense layer in another shape."""
    _, channels, height, width = x.shape
    if channels * height * width != layer.in_features:
        given = f"{layer.in_features} dense inputs after features of {channels} x {height} x {width}"
        raise ArgumentError("convolutionize", "net", given, "a chain, and the input_size it was made for")
    window = Conv2d(1, 1, 1, bias=layer.bias is not None)
    window.in_channels, window.out_channels = channels, layer.out_features
    window.kernel_size = (height, width)
    weight = layer.weight.detach().reshape(layer.out_features, channels, height, width)
    window.weight = Parameter(weight)
    if layer.bias is not None:
        window.bias = layer.bias
    return window


def _as_2d(layer: BatchNorm1d) -> BatchNorm2d:
    result = BatchNorm2d(layer.num_features, layer.eps, layer.momentum, layer.affine)
    for name, parameter in layer._parameters.items():
        result._parameters[name] = parameter
    for name, buffer in layer._buffers.items():
        result._buffers[name] = buffer
    result.eval()
    return result


def _as_window(layer: AdaptiveAvgPool2d, x: Tensor) -> Module:
    """Average pooling over windows as large as they are at the size that the net was made for."""
    made = layer(x).shape[2:]
    if any(n % m for n, m in zip(x.shape[2:], made, strict=True)):
        given = f"pooling from {x.shape[2:]} to {made}"
        raise ArgumentError("convolutionize", "net", given, "windows of one size: another input_size")
    window = tuple(n // m for n, m in zip(x.shape[2:], made, strict=True))
    if window == (1, 1):
        return Identity()
    return AvgPool2d(window, stride=1 if tuple(made) == (1, 1) else window)
