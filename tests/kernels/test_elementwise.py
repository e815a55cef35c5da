"""Arithmetic: NumPy's own results, broadcasting, memory order, and IEEE's special numbers."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyconv.kernels import find_kernel
from tinyconv.kernels.reference import elementwise as reference

pytestmark = pytest.mark.usefixtures("any_size")

BINARY = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.true_divide, "pow": np.power}
BACKENDS = ["reference", "cpu"]


@st.composite
def broadcast_shapes(draw):
    """Two shapes that broadcast, often equal, often one number per channel."""
    a = tuple(draw(st.lists(st.integers(0, 5), max_size=4)))
    kind = draw(st.sampled_from(["same", "channel", "any", "scalar"]))
    if kind == "same":
        return a, a
    if kind == "channel" and len(a) > 1:
        return a, (1, a[1], *(1,) * (len(a) - 2))
    if kind == "scalar":
        return a, ()
    b = tuple(1 if draw(st.booleans()) else n for n in a)
    return a, b[draw(st.integers(0, len(b))) :]


@settings(deadline=None, max_examples=150)
@given(
    name=st.sampled_from(sorted(BINARY)), shapes=broadcast_shapes(), swap=st.booleans(),
    order=st.integers(0, 47), other=st.integers(0, 47), dtype=st.sampled_from([np.float32, np.float64]),
)  # fmt: skip
def test_binary_is_numpys(make_array, name, shapes, swap, order, other, dtype):
    a = make_array(shapes[0], order, 0, special=True, dtype=dtype)
    b = make_array(shapes[1], other, 1, special=True, dtype=dtype)
    a, b = (b, a) if swap else (a, b)
    with np.errstate(all="ignore"):
        expected = BINARY[name](a, b)
    for backend in BACKENDS:
        y = find_kernel(backend, "elementwise", name)(a, b)
        assert isinstance(y, np.ndarray) and y.dtype == dtype
        np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("name", sorted(BINARY))
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("memory", ["rows", "channels_last"])
def test_one_number_for_each_place_of_the_innermost_dimension(name, backend, memory):
    """Biases and scales: the fast kernels go through the array row by row."""
    rng = np.random.default_rng(0)
    a, b = rng.uniform(1, 3, (2, 4, 5, 3)).astype(np.float32), rng.uniform(1, 3, 3).astype(np.float32)
    if memory == "channels_last":
        a, b = np.moveaxis(a, -1, 1), b.reshape(1, 3, 1, 1)
    for first, second in ((a, b), (b, a)):
        y = find_kernel(backend, "elementwise", name)(first, second)
        np.testing.assert_array_equal(y, BINARY[name](first, second))


@settings(deadline=None, max_examples=40)
@given(shape=st.lists(st.integers(0, 5), max_size=4).map(tuple), order=st.integers(0, 47))
def test_unary(make_array, shape, order):
    x = make_array(shape, order, special=True)
    with np.errstate(all="ignore"):
        expected = {"neg": -x, "exp": np.exp(x), "log": np.log(x)}
    for backend in BACKENDS:
        for name, right in expected.items():
            y = find_kernel(backend, "elementwise", name)(x)
            assert isinstance(y, np.ndarray) and y.dtype == np.float32
            np.testing.assert_allclose(y, right, rtol=3e-7)


@pytest.mark.parametrize("backend", BACKENDS)
def test_special_numbers_come_silently(backend):
    x = np.array([0, -1, 1, 1e38], dtype=np.float32)
    zero = np.zeros(4, dtype=np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        quotient = find_kernel(backend, "elementwise", "div")(x, zero)
        logarithm = find_kernel(backend, "elementwise", "log")(x)
        power = find_kernel(backend, "elementwise", "exp")(x)
        product = find_kernel(backend, "elementwise", "mul")(x, x)
    np.testing.assert_array_equal(quotient, [np.nan, -np.inf, np.inf, np.inf])
    np.testing.assert_array_equal(logarithm[:3], [-np.inf, np.nan, 0])
    assert power[3] == np.inf and product[3] == np.inf


def test_result_has_the_first_arrays_memory_order():
    a = np.ones((2, 4, 5, 3), dtype=np.float32).transpose(0, 3, 1, 2)
    b = np.ones(a.shape, dtype=np.float32)
    channel = np.arange(3, dtype=np.float32).reshape(1, 3, 1, 1)
    for second in (b, channel, np.array(2, dtype=np.float32)):
        y = find_kernel("cpu", "elementwise", "add")(a, second)
        assert y.strides == a.strides
        np.testing.assert_array_equal(y, reference.add(a, second))


def test_python_numbers_do_not_promote():
    x = np.ones(3, dtype=np.float32)
    for backend in BACKENDS:
        assert find_kernel(backend, "elementwise", "mul")(x, 2.5).dtype == np.float32
