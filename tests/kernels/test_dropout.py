"""Dropout: the generator's published answers, the mask's rule, and the fast twin bit for bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyconv import device
from tinyconv.kernels import find_kernel
from tinyconv.kernels.reference import dropout as reference

pytestmark = pytest.mark.usefixtures("any_size")

KNOWN_ANSWERS = [
    ((0, 0, 0, 0), (0, 0), "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
]
keys = st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
shapes = st.lists(st.integers(0, 7), min_size=0, max_size=5).map(tuple)


@pytest.mark.parametrize("counter, key, answer", KNOWN_ANSWERS)
def test_philox_known_answers(counter, key, answer):
    words = reference.philox(tuple(np.uint64(word) for word in counter), key)
    assert " ".join(f"{int(word):08x}" for word in words) == answer


@pytest.mark.parametrize("counter, key, answer", KNOWN_ANSWERS)
def test_fast_philox_known_answers(counter, key, answer):
    from tinyconv.kernels.cpu._mask import _philox

    words = _philox(*(np.uint64(word) for word in (*counter, *key)))
    assert " ".join(f"{int(word):08x}" for word in words) == answer


def test_first_decisions_by_hand():
    """Counter 0, call 0, seed 0: words 0x66.., 0xe1.., 0xbc.., 0x9b..; half of 2**32 is 0x80..."""
    y = reference.dropout(np.ones(4), 0.5, (0, 0))
    assert y.tolist() == [0, 2, 2, 2]
    assert reference.dropout(np.ones(4), 0.7, (0, 0)).tolist() == [0, 1 / (1 - 0.7), 1 / (1 - 0.7), 0]


def test_images_count_in_channels_last_order():
    key = (3, 5)
    x = np.ones((2, 3, 4, 5), dtype=np.float32)
    flat = reference.dropout(np.ones(x.size, dtype=np.float32), 0.4, key)
    expected = flat.reshape(2, 4, 5, 3).transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(reference.dropout(x, 0.4, key), expected)


@settings(deadline=None, max_examples=80)
@given(
    shape=shapes, order=st.integers(0, 239), seed=st.integers(0, 99), key=keys,
    p=st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(0, 1)),
)  # fmt: skip
def test_fast_is_the_reference_bit_for_bit(make_array, shape, order, seed, key, p):
    x = make_array(shape, order, seed, special=True)
    y = find_kernel("cpu", "dropout", "dropout")(x, p, key)
    assert y.shape == x.shape and y.dtype == np.float32
    np.testing.assert_array_equal(y, reference.dropout(x, p, key))


@settings(deadline=None, max_examples=10)
@given(size=st.integers(1000, 5000), key=keys)
def test_threads_do_not_change_the_mask(size, key):
    x = np.ones(size, dtype=np.float32)
    fast = find_kernel("cpu", "dropout", "dropout")
    with device.num_threads(1):
        one = fast(x, 0.3, key)
    with device.num_threads(device.available_threads()):
        np.testing.assert_array_equal(fast(x, 0.3, key), one)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_share_and_mean(p):
    count = 200_000
    y = find_kernel("cpu", "dropout", "dropout")(np.ones(count, dtype=np.float32), p, (11, 2))
    kept = (y != 0).mean()
    assert abs(kept - (1 - p)) < 5 * np.sqrt(p * (1 - p) / count)
    np.testing.assert_allclose(y[y != 0], 1 / (1 - p), rtol=1e-6)


def test_seed_and_call_number_both_matter():
    x = np.ones(1000)
    masks = [reference.dropout(x, 0.5, key) != 0 for key in [(0, 0), (0, 1), (1, 0), (0, 2**32), (2**32, 0)]]
    for i, first in enumerate(masks):
        for second in masks[:i]:
            assert 400 < (first != second).sum() < 600


def test_nothing_and_everything_dropped():
    x = np.array([1.5, -2.0, 3.0])
    np.testing.assert_array_equal(reference.dropout(x, 0.0, (1, 1)), x)
    np.testing.assert_array_equal(reference.dropout(x, 1.0, (1, 1)), [0, 0, 0])


def test_own_adjoint():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 2, 3, 4, 4))
    left = (reference.dropout(x, 0.3, (1, 2)) * y).sum()
    np.testing.assert_allclose(left, (x * reference.dropout(y, 0.3, (1, 2))).sum())
