"""Matrix products on the GPU: cuBLAS is not tested here, but what it is given and what is added."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tinyconv.device import matmul_precision
from tinyconv.kernels.cuda import matmul as fast
from tinyconv.kernels.cuda._convolution import TENSOR_CORES, compute_capability
from tinyconv.kernels.reference import matmul as reference
from tinyconv.kernels.reference.elementwise import rounded

Array = Any


def normal(*shape: int, seed: int = 0, dtype: Any = np.float32) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


@pytest.fixture
def cublas(cuda: Any, monkeypatch: Any) -> Any:
    """CuPy's setting for products of float32: `now`, `before`, and what it was set to, `seen`."""
    from cupy._core import _routines_linalg as setting

    state = SimpleNamespace(seen=[], now=lambda: setting.get_compute_type("float32"))
    state.before, put = state.now(), setting.set_compute_type

    def set_compute_type(dtype: Any, kind: int) -> None:
        assert dtype == "float32"
        put(dtype, kind)
        state.seen.append(kind)

    monkeypatch.setattr(setting, "set_compute_type", set_compute_type)
    state.tf32 = [setting.COMPUTE_TYPE_TF32, state.before] if compute_capability() >= TENSOR_CORES else []
    return state


@pytest.mark.parametrize(
    "shapes", [((3, 4), (4, 5)), ((2, 1, 3, 4), (6, 4, 2)), ((4,), (4, 3)), ((0, 4), (4, 2))]
)
@pytest.mark.parametrize("precision", ["float32", "tf32", "bfloat16"])
def test_factors_are_rounded(cuda: Any, cublas: Any, shapes: Any, precision: str) -> None:
    a, b = (normal(*shape, seed=seed) for seed, shape in enumerate(shapes))
    with matmul_precision(precision):
        y = fast.matmul(cuda.asarray(a), cuda.asarray(b)).get()
    expected = rounded(a, precision).astype(np.float64) @ rounded(b, precision).astype(np.float64)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-6)
    assert cublas.seen == ([] if precision == "float32" else cublas.tf32)


def test_float64_is_not_rounded(cuda: Any, cublas: Any) -> None:
    a, b = normal(3, 4, dtype=np.float64), normal(4, 5, seed=1, dtype=np.float64)
    with matmul_precision("bfloat16"):
        np.testing.assert_allclose(fast.matmul(cuda.asarray(a), cuda.asarray(b)).get(), a @ b, rtol=1e-14)
    assert not cublas.seen


def test_the_setting_of_cublas_is_put_back_after_an_error(cuda: Any, cublas: Any) -> None:
    with matmul_precision("tf32"), pytest.raises(ValueError, match="mismatch"):
        fast.matmul(cuda.asarray(normal(3, 4)), cuda.asarray(normal(5, 4)))
    assert cublas.seen == cublas.tf32 and cublas.now() == cublas.before


def test_products_are_right_without_cupys_private_names(cuda: Any, monkeypatch: Any) -> None:
    from cupy._core import _routines_linalg as setting

    monkeypatch.delattr(setting, "get_compute_type")
    a, b = normal(3, 4), normal(4, 2, seed=1)
    with matmul_precision("tf32"):
        y = fast.matmul(cuda.asarray(a), cuda.asarray(b)).get()
    np.testing.assert_allclose(y, rounded(a, "tf32") @ rounded(b, "tf32"), rtol=0, atol=1e-6)


def test_two_threads_leave_cublas_as_it_was(cuda: Any, cublas: Any, monkeypatch: Any) -> None:
    """The second one would take the first one's setting for what was there before."""
    a, b = cuda.asarray(normal(3, 4)), cuda.asarray(normal(4, 2, seed=1))
    second_multiplies, first_is_done = threading.Event(), threading.Event()
    second = threading.Thread(target=lambda: fast.matmul(a, b))
    multiply = reference.matmul

    def matmul(a: Array, b: Array) -> Array:
        if threading.current_thread() is second:
            second_multiplies.set()
            first_is_done.wait(10)
        else:
            second.start()
            second_multiplies.wait(0.2)
        return multiply(a, b)

    monkeypatch.setattr(reference, "matmul", matmul)
    with matmul_precision("tf32"):
        fast.matmul(a, b)
        first_is_done.set()
        second.join()
    assert second_multiplies.is_set() and cublas.now() == cublas.before


@pytest.mark.parametrize("rows", [(), (3,), (2, 3), (0,)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("has_bias", [False, True])
def test_linear(cuda: Any, rows: tuple[int, ...], dtype: Any, has_bias: bool) -> None:
    x, weight = normal(*rows, 7, dtype=dtype), normal(5, 7, seed=1, dtype=dtype)
    bias = normal(10, seed=2, dtype=dtype)[::2] if has_bias else None
    y = fast.linear(cuda.asarray(x), cuda.asarray(weight), cuda.asarray(bias) if has_bias else None)
    expected = reference.linear(x, weight, bias)
    assert y.dtype == dtype and y.shape == expected.shape
    np.testing.assert_allclose(y.get(), expected, rtol=0, atol=1e-6 if dtype == np.float32 else 1e-14)


@pytest.mark.parametrize("wanted", [(True, True, True), (False, True, False), (True, False, False)])
@pytest.mark.parametrize("shape", [(300, 8, 5), (4, 3, 600), (0, 4, 3)])
def test_gradients_of_linear(cuda: Any, shape: tuple[int, int, int], wanted: Any) -> None:
    """Rows by the hundred and more columns than a block has threads: both passes of the bias's sum."""
    count, inputs, outputs = shape
    grad, x = normal(count, outputs, dtype=np.float64), normal(count, inputs, seed=1, dtype=np.float64)
    weight = normal(outputs, inputs, seed=2, dtype=np.float64)
    found = fast.linear_gradients(*map(cuda.asarray, (grad, x, weight)), wanted)
    right = reference.linear_gradients(grad, x, weight, wanted)
    for one, other in zip(found, right, strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            np.testing.assert_allclose(one.get(), other, rtol=0, atol=1e-12)


def test_integers_go_to_the_reference(cuda: Any) -> None:
    x, weight = (np.arange(n).reshape(-1, 3) for n in (6, 12))
    y = fast.linear(cuda.asarray(x), cuda.asarray(weight), None)
    assert np.array_equal(y.get(), x @ weight.T)
