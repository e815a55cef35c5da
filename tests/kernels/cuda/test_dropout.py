"""Dropout in CUDA has the reference's mask, bit for bit, alone and with an activation function."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.kernels.cuda.comparing import FUNCTIONS, assert_is_reference, dtypes, on_gpu, orders, seeds, shapes
from tinyconv.kernels import dropout as kernels
from tinyconv.kernels.reference import activation as functions
from tinyconv.kernels.reference import dropout as reference

keys = st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
chances = st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(0, 1))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    shape=shapes, order=orders, seed=seeds, key=keys, p=chances, dtype=dtypes,
)  # fmt: skip
def test_dropout(
    cuda: Any, make_array: Any, shape: Any, order: int, seed: int, key: Any, p: float, dtype: Any
) -> None:
    x = make_array(shape, order, seed, special=True, dtype=dtype)
    assert_is_reference(cuda, "dropout", "dropout", x, p, key, rtol=0, atol=0)


def test_a_thread_takes_several_groups_of_four(cuda: Any) -> None:
    """Each of 4096 threads takes several groups of four, and the last group is not full."""
    x = np.ones(4 * 4096 * 2 + 3, dtype=np.float32)
    assert_is_reference(cuda, "dropout", "dropout", x, 0.3, (7, 2**63), rtol=0, atol=0)


def test_an_element_whose_word_is_the_threshold_is_kept(cuda: Any) -> None:
    """The first word of seed 0 and call 0 is known: with p = word / 2**32 it is the threshold."""
    word = int(reference.random_words(1, (0, 0))[0])
    found = assert_is_reference(cuda, "dropout", "dropout", np.ones(1), word / 2**32, (0, 0))
    assert found[0] > 0


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(
    shape=shapes, both=st.tuples(orders, orders),
    seed=seeds, key=keys, p=chances, dtype=dtypes,
)  # fmt: skip
def test_dropout_joined_with_a_function(
    cuda: Any, make_array: Any, shape: Any, both: Any, seed: int, key: Any, p: float, dtype: Any
) -> None:
    x = make_array(shape, both[0], seed, special=True, dtype=dtype)
    grad = make_array(shape, both[1], seed + 1, dtype=dtype)
    for name, numbers in FUNCTIONS:
        assert_is_reference(cuda, "fused", "activation_dropout", x, name, numbers, p, key)
        at = x if name == "leaky_relu" else getattr(functions, name)(x, *numbers)
        assert_is_reference(cuda, "fused", "dropout_activation_backward", grad, p, key, at, name, numbers)


def test_a_function_that_is_not_among_them_goes_the_reference_way(cuda: Any) -> None:
    x = np.linspace(-1, 1, 7, dtype=np.float32)
    assert_is_reference(cuda, "fused", "activation_dropout", x, "scaled_elu", (1.0, 2.0, 1.0), 0.5, (1, 2))


@pytest.mark.parametrize("dtype", [np.int64, np.bool_])
def test_other_dtypes_go_the_reference_way(cuda: Any, dtype: Any) -> None:
    x = np.ones(9).astype(dtype)
    found = kernels.dropout(on_gpu(cuda, x), 0.5, (3, 4)).get()
    np.testing.assert_array_equal(found, reference.dropout(x, 0.5, (3, 4)))
