"""Arrays in every memory order, for tests that hold the fast kernels against the reference."""

from __future__ import annotations

import importlib.util
from itertools import permutations

import numpy as np
import pytest


@pytest.fixture(scope="module")
def any_size():
    """Let the fast kernels run on arrays of any size; without it small ones go to the reference."""
    if importlib.util.find_spec("numba") is None:
        pytest.skip("Numba is not installed")
    from tinyconv.kernels.cpu import flat

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flat, "SMALL", 1)
        yield


@pytest.fixture(scope="session")
def make_array():
    """A function that makes an array of random numbers in the memory order number `order`.

    Orders 0, 1, ... are the permutations of the axes in memory; from there on come arrays
    with gaps and negative steps.
    """

    def make(shape, order=0, seed=0, special=False, dtype=np.float32):
        rng = np.random.default_rng(seed)
        orders = list(permutations(range(len(shape))))
        axes = orders[order % len(orders)]
        gaps = order // len(orders) % 2
        stored = [shape[axis] * (1 + gaps) for axis in axes]
        x = rng.normal(scale=3, size=stored).astype(dtype)
        if special and x.size:
            places = rng.random(x.shape) < 0.1
            x[places] = rng.choice([np.nan, np.inf, -np.inf, 0, -0.0, 1e30, -1e30], places.sum())
        if gaps:
            x = x[(..., *(slice(None, None, -2) for _ in shape))]
        return x.transpose(np.argsort(axes))

    return make
