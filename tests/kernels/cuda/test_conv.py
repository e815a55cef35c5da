"""The CUDA convolutions against the reference in float64, tile by tile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gpu import to_gpu
from tests.kernels.conv_case import Case, channels_last
from tests.kernels.cuda.conv_cases import LAYERS, ORDERS, cases, off_the_beginning
from tinyconv.device import conv_algorithm, matmul_precision
from tinyconv.kernels.cuda import _convolution, _gradients
from tinyconv.kernels.cuda import conv as fast
from tinyconv.kernels.reference import conv as reference
from tinyconv.kernels.reference.elementwise import rounded

Array = Any
ROUNDING = {"float32": 2.0**-24, "float64": 2.0**-53, "tf32": 2.0**-11, "bfloat16": 2.0**-8}
"""The largest relative error of one number in each format."""

drawn = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def check(cupy: Any, case: Case, order: Any = channels_last, numbers: str = "float32") -> list[Array]:
    """The three maps are those of the reference, up to the rounding of sums of rounded factors.

    A sum of n products that is made in any order is wrong by less than about n roundings of the sum of
    their absolute values. The tensor cores cut sums off where others round: that is twice as much.
    """
    dtype = np.float64 if numbers == "float64" else np.float32
    arrays = case.arrays(dtype)
    with matmul_precision("float32" if numbers == "float64" else numbers):
        found = case.three_maps(fast, *(to_gpu(cupy, order(array)) for array in arrays))
    x, weight, bias, grad = arrays
    factors = [rounded(array, numbers).astype(np.float64) for array in (x, weight, grad)]
    right = case.three_maps(reference, *factors[:2], bias.astype(np.float64), factors[2])
    plain = case.three_maps(reference, *(array.astype(np.float64) for array in arrays))
    bounds = case.three_maps(reference, *(abs(array.astype(np.float64)) for array in arrays))
    of_sum, of_factor = ROUNDING[np.dtype(dtype).name], ROUNDING[numbers]
    steps = 2 if numbers in ("tf32", "bfloat16") else 1
    for y, exact, unrounded, bound, terms in zip(found, right, plain, bounds, case.terms(), strict=True):
        assert y.dtype == dtype and y.shape == exact.shape
        rounding = 1.1 * steps * (terms + 2) * of_sum * bound
        assert (abs(y.get() - exact) <= rounding).all()
        if numbers in ("tf32", "bfloat16"):
            limit = (2 * of_factor + of_factor**2) * bound + rounding * (1 + of_factor) ** 2
            assert (abs(y.get() - unrounded) <= limit).all()
    return found


@pytest.mark.parametrize("numbers", ["float32", "float64", "tf32", "bfloat16"])
@pytest.mark.parametrize("name", LAYERS)
def test_layers(cuda: Any, name: str, numbers: str) -> None:
    check(cuda, LAYERS[name], numbers=numbers)


@settings(drawn, max_examples=100)
@given(
    cases(), st.sampled_from(ORDERS), st.sampled_from(("float32", "float32", "float64", "tf32", "bfloat16"))
)
def test_any_geometry_and_memory_order(cuda: Any, case: Case, order: Any, numbers: str) -> None:
    check(cuda, case, order, numbers)


@pytest.fixture(params=["Wide", "Square", "Narrow", "Flat"])
def tile(request: Any, monkeypatch: Any) -> Iterator[None]:
    """Every convolution takes this tile, if its kernel has it."""
    chosen = next(t for t in (_convolution.WIDE, _convolution.SQUARE, _convolution.NARROW, _convolution.FLAT)
                  if t.name == request.param)  # fmt: skip
    if chosen.name != "Flat":
        monkeypatch.setattr(_convolution, "tile_of", lambda *_: chosen)
    if chosen.name != "Narrow":
        monkeypatch.setattr(_gradients, "tile_of", lambda *_: chosen)
    yield


@pytest.mark.parametrize("numbers", ["float32", "tf32", "bfloat16"])
@pytest.mark.parametrize("name", ["3x3", "stride 2", "three channels", "groups"])
def test_every_tile(cuda: Any, tile: None, name: str, numbers: str) -> None:
    check(cuda, LAYERS[name], numbers=numbers)


@pytest.mark.parametrize("numbers", ["float32", "float64", "tf32", "bfloat16"])
@pytest.mark.parametrize("name", ["3x3", "stride 2", "three channels", "groups", "volume, stride 2"])
def test_long_sums_on_many_multiprocessors(cuda: Any, name: str, numbers: str, monkeypatch: Any) -> None:
    """Few tiles: the terms are cut into parts, also those of a class that has fewer than others."""
    monkeypatch.setattr(_convolution, "multiprocessors", lambda: 100)
    monkeypatch.setattr(_convolution, "LEAST_TERMS", 16)
    check(cuda, LAYERS[name], numbers=numbers)


@pytest.mark.parametrize("numbers", ["float32", "bfloat16"])
def test_a_sum_in_parts_is_the_same_in_every_run(cuda: Any, numbers: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(_gradients, "LEAST_PIXELS", 16)
    for name in ("3x3", "depthwise"):
        first, again = (check(cuda, LAYERS[name], numbers=numbers) for _ in range(2))
        for one, other in zip(first, again, strict=True):
            assert np.array_equal(one.get(), other.get())


def test_numbers_that_do_not_begin_at_a_multiple_of_four(cuda: Any) -> None:
    for numbers in ("float32", "float64", "tf32"):
        check(cuda, LAYERS["3x3"], off_the_beginning, numbers)


@pytest.mark.parametrize("name", ["3x3", "stride and dilation", "groups", "row", "volume"])
@pytest.mark.parametrize("numbers", ["float32", "float64", "bfloat16"])
def test_im2col_and_a_matrix_product(cuda: Any, name: str, numbers: str) -> None:
    with conv_algorithm("im2col"):
        check(cuda, LAYERS[name], numbers=numbers)


@settings(drawn, max_examples=25)
@given(cases(), st.sampled_from(ORDERS))
def test_im2col_and_col2im_are_copies_and_their_adjoint(cuda: Any, case: Case, order: Any) -> None:
    x = case.arrays()[0]
    arguments = case.kernel_size, case.stride, case.padding, case.dilation
    columns = fast.im2col(to_gpu(cuda, order(x)), *arguments).get()
    assert np.array_equal(columns, reference.im2col(x, *arguments))
    whole = np.rint(4 * columns)
    back = fast.col2im(cuda.asarray(whole), case.size, *arguments).get()
    assert np.array_equal(back, reference.col2im(whole, case.size, *arguments))


@pytest.mark.parametrize("algorithm", ["auto", "im2col"])
@pytest.mark.parametrize("numbers", ["float64", "float32", "tf32", "bfloat16"])
def test_gradients_of_weight_and_bias(cuda: Any, algorithm: str, numbers: str) -> None:
    """Both from the rounded gradient; the sums of n numbers are wrong by less than n roundings."""
    for case in (LAYERS["3x3"], LAYERS["depthwise"], LAYERS["volume"]):
        x, _, _, grad = case.arrays(np.float64 if numbers == "float64" else np.float32)
        geometry = case.kernel_size, *case.geometry
        with conv_algorithm(algorithm), matmul_precision("float32" if numbers == "float64" else numbers):
            found = fast.conv_parameter_grads(cuda.asarray(x), cuda.asarray(grad), *geometry)
        x, grad = (rounded(array, numbers).astype(np.float64) for array in (x, grad))
        right = reference.conv_parameter_grads(x, grad, *geometry)
        bounds = reference.conv_parameter_grads(abs(x), abs(grad), *geometry)
        for one, other, bound in zip(found, right, bounds, strict=True):
            limit = 2.2 * (case.terms()[2] + 2) * ROUNDING[one.dtype.name] * bound
            assert (abs(one.get() - other) <= limit).all()


def test_the_three_are_adjoint(cuda: Any) -> None:
    """<conv(x, w), g> = <x, conv_transpose(g, w)> = <w, conv_weight_grad(x, g)>."""
    case = LAYERS["stride and dilation"]
    x, weight, _, grad = case.arrays(np.float64)
    maps = case.three_maps(fast, *map(cuda.asarray, (x, weight)), None, cuda.asarray(grad))
    products = [np.vdot(a, b.get()) for a, b in zip((grad, x, weight), maps, strict=True)]
    assert products == pytest.approx([products[0]] * 3, rel=1e-12)


def test_transposed_size_beyond_the_last_window(cuda: Any) -> None:
    """Output pixels that no tap reaches hold the bias."""
    x, weight = np.ones((1, 1, 2, 2), np.float32), np.full((1, 1, 1, 1), 3, np.float32)
    bias = np.array([0.5], np.float32)
    arrays = map(cuda.asarray, (x, weight, bias))
    y = fast.conv_transpose(*arrays, (4, 5), (3, 4), (0, 0), (1, 1), 1)
    expected = np.full((4, 5), 0.5)
    expected[::3, ::4] = 3.5
    assert np.array_equal(y.get()[0, 0], expected)


def test_bias_of_the_transposed_convolution(cuda: Any) -> None:
    for case in (LAYERS["stride 2"], LAYERS["depthwise"]):
        _, weight, _, grad = case.arrays(np.float64)
        bias = np.arange(case.channels * case.groups, dtype=np.float64)
        arrays = map(cuda.asarray, (grad, weight, bias))
        y = fast.conv_transpose(*arrays, case.size, *case.geometry)
        right = reference.conv_transpose(grad, weight, bias, case.size, *case.geometry)
        np.testing.assert_allclose(y.get(), right, rtol=0, atol=1e-12)


@pytest.mark.parametrize("algorithm", ["auto", "im2col"])
@pytest.mark.parametrize("numbers", ["float32", "float64", "bfloat16"])
def test_empty_batch(cuda: Any, numbers: str, algorithm: str) -> None:
    with conv_algorithm(algorithm):
        for name in ("3x3", "depthwise", "volume"):
            found = check(cuda, LAYERS[name]._replace(batch=0), numbers=numbers)
            assert not found[2].get().any()


def test_output_is_channels_last_in_memory(cuda: Any) -> None:
    case = LAYERS["3x3"]
    y = fast.conv(*map(cuda.asarray, case.arrays()[:3]), *case.geometry)
    assert y.transpose(0, 2, 3, 1).flags.c_contiguous


@pytest.mark.parametrize("numbers", ["float32", "tf32", "bfloat16"])
def test_nan_and_infinity_stay_where_they_belong(cuda: Any, numbers: str) -> None:
    """Only windows that contain them see them: tiles and padding must not spread them."""
    for value, is_there in ((np.nan, np.isnan), (np.inf, np.isposinf)):
        x = np.zeros((1, 3, 9, 9), np.float32)
        x[0, 1, 4, 4] = value
        weight = np.ones((5, 3, 3, 3), np.float32)
        with matmul_precision(numbers):
            y = fast.conv(cuda.asarray(x), cuda.asarray(weight), None, (1, 1), (1, 1), (1, 1), 1)
        expected = np.zeros((9, 9), bool)
        expected[3:6, 3:6] = True
        assert np.array_equal(is_there(y.get()[0]), np.broadcast_to(expected, (5, 9, 9)))


def test_without_tensor_cores_the_factors_are_rounded_all_the_same(cuda: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(_convolution, "compute_capability", lambda: 75)
    for numbers in ("tf32", "bfloat16"):
        check(cuda, LAYERS["3x3"], numbers=numbers)


def test_other_dtypes_go_to_the_reference(cuda: Any) -> None:
    case = LAYERS["3x3"]
    x, weight, _, grad = (np.rint(array).astype(np.int32) for array in case.arrays())
    found = case.three_maps(fast, *map(cuda.asarray, (x, weight)), None, cuda.asarray(grad))
    right = case.three_maps(reference, x, weight, None, grad)
    for one, other in zip(found, right, strict=True):
        assert one.dtype == other.dtype and np.array_equal(one.get(), other)
