"""A tuple of one number means that number for all dimensions, in convolutions and pools, as in PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tinyconv.errors import ArgumentError

X, W = (
    np.random.default_rng(0).standard_normal((2, 3, 7, 8)),
    np.random.default_rng(1).standard_normal((3, 3, 2, 3)),
)

CALLS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "conv2d": lambda F, x, w: F.conv2d(x, w, stride=(2,), padding=[1], dilation=(1,)),
    "conv_transpose2d": lambda F, x, w: F.conv_transpose2d(x, w, None, (2,), (1,), (1,)),
    "max_pool2d": lambda F, x, w: F.max_pool2d(x, (3,), (2,), (1,), [1]),
    "avg_pool2d": lambda F, x, w: F.avg_pool2d(x, [2], padding=(1,)),
}


@pytest.mark.parametrize("name", CALLS)
def test_functions(name: str) -> None:
    torch = pytest.importorskip("torch")
    got = CALLS[name](tc.nn.functional, tc.tensor(X), tc.tensor(W))
    expected = CALLS[name](torch.nn.functional, torch.tensor(X), torch.tensor(W))
    np.testing.assert_allclose(got.numpy(), expected.numpy(), rtol=1e-12, atol=1e-12)


def test_layers() -> None:
    torch = pytest.importorskip("torch")
    for make in (
        lambda nn: nn.Conv2d(3, 4, 3, stride=(2,), padding=(1,)),
        lambda nn: nn.MaxPool2d((2,)),
        lambda nn: nn.AvgPool2d((3,), stride=(1,)),
    ):
        x = X.astype("float32")
        assert make(tc.nn)(tc.tensor(x)).shape == tuple(make(torch.nn)(torch.tensor(x)).shape)


def test_where_the_number_of_sizes_says_something_one_is_not_enough() -> None:
    for call in (
        lambda: tc.nn.Conv2d(3, 4, (3,)),
        lambda: tc.nn.functional.unfold(tc.tensor(X), (2,)),
        lambda: tc.nn.functional.interpolate(tc.tensor(X), (2,)),
        lambda: tc.nn.functional.adaptive_avg_pool2d(tc.tensor(X), (2,)),
    ):
        with pytest.raises(ArgumentError, match="2 of them"):
            call()
