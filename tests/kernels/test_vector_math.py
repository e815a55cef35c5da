"""The vectorised exp and its relatives against float64, in units in the last place."""

import numpy as np
import pytest

numba = pytest.importorskip("numba")
from tinyconv.kernels.cpu import vector_math  # noqa: E402
from tinyconv.kernels.cpu.options import ARITHMETIC  # noqa: E402

LIMIT = 88.72283  # exp is finite up to here


def apply(function, x):
    @numba.njit(**ARITHMETIC)
    def loop(x, y):
        for i in range(x.size):
            y[i] = function(x[i])

    y = np.empty_like(x)
    loop(x, y)
    return y


def sample(low, high):
    rng = np.random.default_rng(0)
    spread = rng.uniform(low, high, 200_000)
    small = rng.normal(size=100_000) * 10.0 ** rng.integers(-30, 0, 100_000)
    x = np.concatenate([spread, small[(small > low) & (small < high)], [low, high, 0.0]])
    return x.astype(np.float32)


CASES = {
    "exp": (np.exp, -87.3, LIMIT, 2),
    "expm1": (np.expm1, -100, 80, 3),
    "tanh": (np.tanh, -30, 30, 3),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), -80, 80, 3),
}


@pytest.mark.parametrize("name", CASES)
def test_accuracy(name):
    exact, low, high, allowed = CASES[name]
    x = sample(low, high)
    y = apply(getattr(vector_math, name), x)
    expected = exact(x.astype(np.float64))
    unit = np.spacing(np.abs(expected).astype(np.float32)).astype(np.float64)
    assert (np.abs(y - expected) / unit).max() <= allowed


def test_limits():
    x = np.array([-np.inf, -1000, -200, 0, 89, 1000, np.inf, np.nan], dtype=np.float32)
    np.testing.assert_array_equal(apply(vector_math.exp, x), [0, 0, 0, 1, np.inf, np.inf, np.inf, np.nan])
    np.testing.assert_array_equal(apply(vector_math.tanh, x), [-1, -1, -1, 0, 1, 1, 1, np.nan])
    np.testing.assert_array_equal(apply(vector_math.sigmoid, x)[[0, 3, 5, 6, 7]], [0, 0.5, 1, 1, np.nan])
    np.testing.assert_array_equal(apply(vector_math.expm1, x)[[0, 1, 2, 3, 7]], [-1, -1, -1, 0, np.nan])


def test_exp_fades_out_through_the_subnormal_numbers():
    x = np.linspace(-103, -87.4, 1000).astype(np.float32)
    y = apply(vector_math.exp, x).astype(np.float64)
    step = 2.0**-149
    assert (np.abs(y - np.exp(x.astype(np.float64))) <= np.maximum(step, 2e-7 * y)).all()
