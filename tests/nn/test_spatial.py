"""Padding, upsampling and embedding layers against their PyTorch twins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tinyconv import nn
from tinyconv.errors import ArgumentError

SHAPES = {"1d": (2, 3, 5), "2d": (2, 3, 5, 4), "3d": (2, 3, 5, 4, 3)}


def assert_twins(layer: Any, twin: Any, shape: tuple[int, ...]) -> None:
    """Same output, same input gradient and same repr."""
    torch = pytest.importorskip("torch")
    values = np.random.default_rng(0).standard_normal(shape)
    x, other = tc.tensor(values, requires_grad=True), torch.tensor(values, requires_grad=True)
    y, expected = layer(x), twin(other)
    np.testing.assert_allclose(y.detach().numpy(), expected.detach().numpy(), rtol=0, atol=1e-12)
    (y * y).sum().backward()
    (expected * expected).sum().backward()
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), other.grad.numpy(), rtol=0, atol=1e-11)
    assert repr(layer) == repr(twin)


@pytest.mark.parametrize("dims", SHAPES)
@pytest.mark.parametrize("kind", ["ZeroPad", "ConstantPad", "ReflectionPad", "ReplicationPad", "CircularPad"])
@pytest.mark.parametrize("uneven", [False, True])
def test_padding_layers(kind: str, dims: str, uneven: bool) -> None:
    torch = pytest.importorskip("torch")
    padding = (1, 2, 0, 1, 2, 0)[: 2 * int(dims[0])] if uneven else 1
    arguments = (padding, 0.5) if kind == "ConstantPad" else (padding,)
    name = kind + dims
    assert_twins(getattr(nn, name)(*arguments), getattr(torch.nn, name)(*arguments), SHAPES[dims])


@pytest.mark.parametrize("padding", [1.5, (1, 1), "same", (1, 1, 1, True), None])
def test_padding_layers_refuse_what_is_not_one_or_four_ints(padding: Any) -> None:
    with pytest.raises(ArgumentError, match=r"ZeroPad2d: padding is .* expected an int, or 4 of them"):
        nn.ZeroPad2d(padding)


def test_the_constant_must_be_a_number() -> None:
    with pytest.raises(ArgumentError, match="ConstantPad1d: value"):
        nn.ConstantPad1d(1, "one")
