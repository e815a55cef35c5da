"""Matrix products: NumPy's results, memory orders, sizes around the tiles of the fast kernel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyconv import device
from tinyconv.kernels import find_kernel

BACKENDS = ["reference", "cpu"]
sizes = st.sampled_from([1, 2, 5, 13, 16, 17, 31, 32, 33, 48, 65])


@pytest.fixture(autouse=True, scope="module")
def small_products_too():
    pytest.importorskip("numba")
    from tinyconv.kernels.cpu import _dots
    from tinyconv.kernels.cpu import _product as matmul

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matmul, "SMALL", 0)
        patch.setattr(_dots, "LEAST", 1)
        yield


def kernel(backend, name):
    return find_kernel(backend, "matmul", name)


@settings(deadline=None, max_examples=100)
@given(m=sizes, k=sizes, n=sizes, order=st.integers(0, 3), other=st.integers(0, 3))
def test_product_of_whole_numbers_is_exact(make_array, m, k, n, order, other):
    a, b = np.rint(make_array((m, k), order)), np.rint(make_array((k, n), other, 1))
    expected = a.astype(np.int64) @ b.astype(np.int64)
    for backend in BACKENDS:
        y = kernel(backend, "matmul")(a, b)
        assert y.dtype == np.float32
        np.testing.assert_array_equal(y, expected)


@settings(deadline=None, max_examples=60)
@given(
    batch=st.lists(st.integers(1, 5), max_size=3).map(tuple), k=sizes, n=sizes,
    order=st.integers(0, 47), other=st.integers(0, 3), has_bias=st.booleans(),
)  # fmt: skip
def test_linear_of_whole_numbers_is_exact(make_array, batch, k, n, order, other, has_bias):
    x, weight = np.rint(make_array((*batch, k), order)), np.rint(make_array((n, k), other, 1))
    bias = np.rint(make_array((n,), other, 2)) if has_bias else None
    expected = x.astype(np.int64) @ weight.astype(np.int64).T + (bias if has_bias else 0)
    for backend in BACKENDS:
        y = kernel(backend, "linear")(x, weight, bias)
        assert isinstance(y, np.ndarray) and y.dtype == np.float32
        np.testing.assert_array_equal(y, expected)


@settings(deadline=None, max_examples=60)
@given(
    rows=sizes, inputs=sizes, outputs=sizes, orders=st.tuples(*[st.integers(0, 3)] * 3),
    wanted=st.tuples(*[st.booleans()] * 3), dtype=st.sampled_from([np.float32, np.float64]),
)  # fmt: skip
def test_gradients_of_linear_are_those_of_float64(make_array, rows, inputs, outputs, orders, wanted, dtype):
    shapes = (rows, outputs), (rows, inputs), (outputs, inputs)
    arrays = [
        make_array(shape, order, seed, dtype=dtype)
        for seed, (shape, order) in enumerate(zip(shapes, orders, strict=True))
    ]
    grad, x, weight = (array.astype(np.float64) for array in arrays)
    expected = grad @ weight, grad.T @ x, grad.sum(0)
    bounds = abs(grad) @ abs(weight), abs(grad).T @ abs(x), abs(grad).sum(0)
    for backend in BACKENDS:
        found = kernel(backend, "linear_gradients")(*arrays, wanted)
        for is_wanted, y, exact, bound in zip(wanted, found, expected, bounds, strict=True):
            assert (y is not None) == is_wanted
            if is_wanted:
                assert y.dtype == dtype and y.shape == exact.shape
                assert (abs(y - exact) <= 1e-6 * bound).all()


@pytest.mark.parametrize("shape", [(0, 4, 3), (5, 0, 3), (5, 4, 0)])
@pytest.mark.parametrize("backend", BACKENDS)
def test_gradients_of_linear_layers_of_nothing(backend, shape):
    rows, inputs, outputs = shape
    grad, x, weight = np.ones((rows, outputs)), np.ones((rows, inputs)), np.ones((outputs, inputs))
    arrays = (array.astype(np.float32) for array in (grad, x, weight))
    found = kernel(backend, "linear_gradients")(*arrays, (True, True, True))
    for y, exact in zip(found, (grad @ weight, grad.T @ x, grad.sum(0)), strict=True):
        assert y.dtype == np.float32
        np.testing.assert_array_equal(y, exact)


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("outputs", [3, 40, 96])
def test_gradients_of_a_turned_input_are_turned_but_not_those_of_the_weight(make_array, order, outputs):
    grad, x, weight = make_array((64, outputs), order), make_array((64, 80), order), make_array((outputs, 80))
    x_grad, weight_grad, _ = kernel("cpu", "linear_gradients")(grad, x, weight, (True, True, True))
    assert x_grad.strides == x.strides and weight_grad.flags.c_contiguous


def test_numbers_between_whole_places_of_memory(make_array):
    record = np.zeros((40, 33), dtype=[("flag", "i1"), ("value", "f4")])
    record["value"] = np.rint(make_array((40, 33)))
    a, b = record["value"], np.rint(make_array((33, 50), 0, 1))
    np.testing.assert_array_equal(kernel("cpu", "matmul")(a, b), a.astype(np.int64) @ b.astype(np.int64))
    np.testing.assert_array_equal(kernel("cpu", "matmul")(b.T, a.T), (a.astype(np.int64) @ b).T)


def test_every_number_of_rows_is_covered_and_nothing_else_is_touched():
    from tinyconv.kernels.cpu import _product as matmul

    for m in range(1, 70):
        for n in (31, 48, 64):
            room = np.full((m + 1) * n, 7, np.float32)
            a, b = np.ones((m, 3), np.float32), np.full((3, n), 2, np.float32)
            row, out = matmul.row_table(m, n, 3, 1, matmul.WIDTH)
            c = room[: m * n].reshape(m, n)
            matmul.gemm(c.dtype)(
                a, b, matmul.NO_BIAS, False, c, row, out, matmul.SEGMENT, matmul.WIDTH, *matmul.NOTHING
            )
            assert (c == 6).all() and (room[m * n :] == 7).all()


@pytest.mark.parametrize(
    "m, n, threads, parts",
    [
        (128, 64, 2, 2),  # many rows for a thread, of a weight that it wrote
        (128, 2048, 64, 1),  # a panel for each thread, and only two rows
        (8192, 2048, 64, 64),
        (64, 64, 2, 1),
        (64, 128, 2, 1),  # two panels for each thread
        (100, 96, 2, 2),  # three panels: one thread would have two, the other one
        (20, 96, 2, 1),  # the same, but the copies take longer than the few rows
        (50, 32, 4, 4),  # one panel: three threads would be idle
        (128, 1024, 64, 1),  # half of them would be idle, and yet earlier ready
    ],
)
def test_threads_share_rows_where_that_is_sooner_done(m, n, threads, parts):
    """Counted in rows: L panels of m take L (m + 4), and n / 32 panels of m / threads as many times less."""
    pytest.importorskip("numba")
    from tinyconv.kernels.cpu._gemm import row_table

    row, _ = row_table(m, n, 1, threads, 16)
    assert len(row) == parts
    assert sorted({int(i) for part in row for i in part}) == list(range(m))


@pytest.mark.parametrize(
    "m, k, n", [(3, 9000, 40), (40, 9000, 3), (200, 513, 70), (70, 512, 300), (1, 5000, 1)]
)
@pytest.mark.parametrize("turned", [False, True])
def test_accuracy_of_long_sums(make_array, m, k, n, turned):
    a, b = make_array((m, k)), make_array((n, k), 0, 1).T if turned else make_array((k, n), 0, 1)
    exact = a.astype(np.float64) @ b.astype(np.float64)
    bound = np.abs(a).astype(np.float64) @ np.abs(b).astype(np.float64)
    error = np.abs(kernel("cpu", "matmul")(a, b) - exact) / bound
    assert error.max() < 2**-24 * 2 * np.sqrt(k)


@settings(deadline=None, max_examples=50)
@given(
    shapes=st.sampled_from([
        ((4,), (4,)), ((3, 4), (4,)), ((4,), (4, 5)), ((2, 3, 4), (4, 5)), ((2, 3, 4), (2, 4, 5)),
        ((2, 1, 3, 4), (5, 4, 2)), ((0, 4), (4, 3)), ((3, 0), (0, 2)), ((2, 0, 4), (4, 3)),
    ]),
    dtype=st.sampled_from([np.float32, np.float64]), order=st.integers(0, 47),
)  # fmt: skip
def test_stacks_and_vectors_are_numpys(make_array, shapes, dtype, order):
    a, b = (make_array(shape, order, i, dtype=dtype) for i, shape in enumerate(shapes))
    for backend in BACKENDS:
        y = kernel(backend, "matmul")(a, b)
        assert isinstance(y, np.ndarray) and y.dtype == dtype
        np.testing.assert_allclose(y, np.matmul(a, b), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "shapes", [((3, 40, 50), (3, 50, 33)), ((40, 50), (2, 1, 50, 33)), ((2, 1, 7, 64), (3, 64, 5))]
)
def test_stacks_do_without_the_threads_of_blas(make_array, monkeypatch, shapes):
    from tinyconv.kernels.cpu import matmul as fast

    a, b = (np.rint(make_array(shape, 0, i)) for i, shape in enumerate(shapes))
    expected = np.matmul(a.astype(np.int64), b.astype(np.int64))
    monkeypatch.setattr(fast, "reference", None)
    np.testing.assert_array_equal(fast.matmul(a, b), expected)


def test_nan_and_inf_stay_in_their_rows_and_columns():
    a, b = np.ones((40, 50), dtype=np.float32), np.ones((50, 60), dtype=np.float32)
    a[3, 7], b[9, 59] = np.nan, np.inf
    expected = np.full((40, 60), 50, dtype=np.float32)
    expected[:, 59] = np.inf
    expected[3] = np.nan
    np.testing.assert_array_equal(kernel("cpu", "matmul")(a, b), expected)
    few = kernel("cpu", "matmul")(a[2:5], np.ascontiguousarray(b.T).T)
    np.testing.assert_array_equal(few, expected[2:5])


@pytest.mark.parametrize("shape", [(2, 700, 900), (100, 700, 90), (64, 784, 256), (300, 70, 10)])
def test_threads_do_not_change_the_product(make_array, shape):
    m, k, n = shape
    a, b, grad, bias = (make_array(size) for size in ((m, k), (n, k), (m, n), (n,)))
    found = []
    for threads in {1, device.available_threads()}:
        with device.num_threads(threads):
            gradients = kernel("cpu", "linear_gradients")(grad, a, b, (True, True, True))
            found.append((kernel("cpu", "linear")(a, b, bias), kernel("cpu", "matmul")(a, b.T), *gradients))
    for products in found:
        for product, same in zip(products, found[0], strict=True):
            np.testing.assert_array_equal(product, same)


@pytest.mark.parametrize("name", ["matmul", "linear"])
def test_sizes_that_do_not_fit_are_refused_alike(name):
    a, b = np.ones((3, 4), dtype=np.float32), np.ones((6, 7), dtype=np.float32)
    arguments = (a, b) if name == "matmul" else (a, b, None)
    for backend in BACKENDS:
        with pytest.raises(ValueError):
            kernel(backend, name)(*arguments)
