"""The direct convolution kernels against the reference in float64, and against PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("numba")

from tests.kernels.conv_case import Case, channels_last, every_second
from tinyconv.device import available_threads, conv_algorithm, num_threads
from tinyconv.kernels.cpu import _planes as planes
from tinyconv.kernels.cpu import conv as fast
from tinyconv.kernels.cpu import threads as cpu_threads
from tinyconv.kernels.reference import conv as reference

Array = Any


@pytest.fixture(autouse=True, scope="module")
def _direct_and_shared() -> Any:
    """No Winograd, and all threads for work of any size; without this, small problems get one."""
    with pytest.MonkeyPatch.context() as patch, conv_algorithm("direct"):
        patch.setattr(cpu_threads, "WORTH_SHARING", 0)
        yield


FLOAT32_ERROR = 2e-6
FLOAT64_ERROR = 1e-14
CHANNELS = (1, 2, 3, 5, 8, 16, 17, 33)


@st.composite
def cases(draw: Any, ndim: int = 2) -> Case:
    per_axis = [_axis(draw) for _ in range(ndim)]
    size, kernel_size, stride, padding, dilation = (tuple(axis) for axis in zip(*per_axis, strict=True))
    return Case(
        draw(st.integers(1, 4)), draw(st.sampled_from(CHANNELS)), draw(st.sampled_from(CHANNELS)),
        draw(st.sampled_from((1, 1, 1, 2, 3))), size, kernel_size, stride, padding, dilation,
    )  # fmt: skip


def _axis(draw: Any) -> tuple[int, int, int, int, int]:
    kernel, dilation = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    padding = draw(st.integers(0, 4))
    smallest = max(1, dilation * (kernel - 1) + 1 - 2 * padding)
    return draw(st.integers(smallest, smallest + 12)), kernel, draw(st.integers(1, 4)), padding, dilation


def fortran(array: Array) -> Array:
    return np.asfortranarray(array)


def read_only(array: Array) -> Array:
    array = array.copy()
    array.flags.writeable = False
    return array


ORDERS = (np.ascontiguousarray, channels_last, every_second, fortran, read_only)


def relative_error(got: Array, expected: Array) -> float:
    """Largest difference, relative to the largest expected number."""
    assert got.shape == expected.shape
    return float(abs(got - expected).max() / max(abs(expected).max(), 1e-30))


def check_all(case: Case, order: Any, dtype: Any, limit: float) -> None:
    """The three kernels against the float64 reference.

    Where terms cancel, the largest output may be much smaller than the sums on the way to it, each of
    which is rounded: one rounding of the largest of them is allowed besides `limit`.
    """
    arrays = case.arrays(dtype)
    x, weight, bias, grad = (order(a) for a in arrays)
    fast_results = case.three_maps(fast, x, weight, bias, grad)
    right = case.three_maps(reference, *(a.astype(np.float64) for a in arrays))
    sizes = case.three_maps(reference, *(abs(a.astype(np.float64)) for a in arrays))
    for got, expected, size in zip(fast_results, right, sizes, strict=True):
        assert got.dtype == dtype
        assert got.shape == expected.shape
        allowed = limit * abs(expected).max() + np.finfo(dtype).eps * size.max()
        assert abs(got - expected).max() <= allowed
    weight_grad, bias_grad = fast.conv_parameter_grads(x, grad, case.kernel_size, *case.geometry)
    assert np.array_equal(weight_grad, fast_results[2])
    total = grad.astype(np.float64).sum((0, *range(2, grad.ndim)))
    most = abs(grad.astype(np.float64)).sum((0, *range(2, grad.ndim))).max()
    assert abs(bias_grad - total).max() <= limit * abs(total).max() + np.finfo(dtype).eps * most


@settings(max_examples=100, deadline=None)
@given(cases(), st.sampled_from(ORDERS))
def test_float32_agrees_with_the_float64_reference(case: Case, order: Any) -> None:
    check_all(case, order, np.float32, FLOAT32_ERROR)


@settings(max_examples=40, deadline=None)
@given(cases(), st.sampled_from(ORDERS))
def test_float64_agrees_with_the_reference(case: Case, order: Any) -> None:
    check_all(case, order, np.float64, FLOAT64_ERROR)


@settings(max_examples=40, deadline=None)
@given(cases(ndim=1), st.sampled_from(ORDERS))
def test_one_dimension(case: Case, order: Any) -> None:
    check_all(case, order, np.float32, FLOAT32_ERROR)


@settings(max_examples=40, deadline=None)
@given(cases(ndim=3), st.sampled_from(ORDERS), st.sampled_from((np.float32, np.float64)))
def test_three_dimensions(case: Case, order: Any, dtype: Any) -> None:
    limit = FLOAT32_ERROR if dtype == np.float32 else FLOAT64_ERROR
    check_all(
        case._replace(channels=case.channels % 4 + 1, columns=case.columns % 5 + 1), order, dtype, limit
    )


LAYERS = (
    Case(2, 16, 16, 1, (70, 90), (3, 3), (1, 1), (1, 1), (1, 1)),
    Case(3, 48, 80, 1, (33, 31), (3, 3), (2, 2), (1, 1), (1, 1)),
    Case(1, 3, 16, 1, (128, 200), (7, 7), (2, 2), (3, 3), (1, 1)),
    Case(17, 64, 96, 1, (2, 2), (3, 3), (1, 1), (1, 1), (1, 1)),
    Case(5, 130, 70, 1, (14, 14), (1, 1), (1, 1), (0, 0), (1, 1)),
    Case(2, 32, 16, 1, (64, 64), (2, 2), (2, 2), (0, 0), (1, 1)),
    Case(2, 16, 32, 1, (40, 60), (1, 5), (1, 1), (0, 2), (1, 1)),
    Case(2, 24, 40, 1, (37, 41), (3, 3), (1, 1), (4, 4), (4, 4)),
    Case(4, 1, 1, 40, (30, 30), (3, 3), (1, 1), (1, 1), (1, 1)),
    Case(64, 1, 6, 1, (28, 28), (5, 5), (1, 1), (2, 2), (1, 1)),
)


DEPTHWISE = (
    Case(3, 1, 1, 48, (20, 23), (3, 3), (1, 1), (1, 1), (1, 1)),
    Case(2, 1, 1, 33, (21, 20), (5, 3), (2, 3), (2, 0), (1, 2)),
    Case(2, 1, 1, 2, (4, 40), (1, 7), (1, 2), (0, 5), (1, 1)),
)
VOLUMES = (
    Case(2, 16, 32, 1, (12, 20, 24), (3, 3, 3), (1, 1, 1), (1, 1, 1), (1, 1, 1)),
    Case(1, 32, 16, 1, (8, 10, 12), (2, 2, 2), (2, 2, 2), (0, 0, 0), (1, 1, 1)),
    Case(2, 3, 16, 2, (9, 30, 31), (3, 5, 1), (2, 1, 3), (2, 1, 0), (2, 1, 1)),
    Case(1, 1, 8, 1, (64, 64, 64), (3, 3, 3), (1, 1, 1), (1, 1, 1), (1, 1, 1)),
)


@pytest.mark.parametrize("case", [*LAYERS, *DEPTHWISE, *VOLUMES], ids=str)
def test_layers_of_several_bands(case: Case) -> None:
    check_all(case, channels_last, np.float32, FLOAT32_ERROR)


def test_transposed_size_beyond_the_last_window() -> None:
    """Output rows that no kernel position meets hold the bias."""
    x = np.ones((1, 1, 2, 2), np.float32)
    weight = np.full((1, 1, 1, 1), 3, np.float32)
    y = fast.conv_transpose(x, weight, np.array([0.5], np.float32), (4, 5), (3, 4), (0, 0), (1, 1), 1)
    expected = np.full((4, 5), 0.5)
    expected[::3, ::4] = 3.5
    assert np.array_equal(y[0, 0], expected)


def test_bias_of_the_transposed_convolution() -> None:
    case = LAYERS[5]
    _, weight, _, grad = case.arrays()
    bias = np.arange(case.channels, dtype=np.float32)
    y = fast.conv_transpose(grad, weight, bias, case.size, *case.geometry)
    plain = fast.conv_transpose(grad, weight, None, case.size, *case.geometry)
    assert relative_error(y, plain + bias.reshape(1, -1, 1, 1)) < FLOAT32_ERROR


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_empty_batch(dtype: Any) -> None:
    x, weight, bias, grad = LAYERS[0]._replace(batch=0).arrays(dtype)
    case = LAYERS[0]
    assert fast.conv(x, weight, bias, *case.geometry).shape == grad.shape
    assert fast.conv_transpose(grad, weight, None, case.size, *case.geometry).shape == x.shape
    gradient = fast.conv_weight_grad(x, grad, case.kernel_size, *case.geometry)
    assert np.array_equal(gradient, np.zeros_like(weight))
    assert gradient.dtype == dtype


def guarded(array: Array, guards: list[Array]) -> Array:
    """The same numbers in the middle of a buffer of NaNs, in the same memory order."""
    order = np.argsort([-stride for stride in array.strides], kind="stable")
    buffer = np.full(array.size + 512, np.nan, array.dtype)
    inside = buffer[256:-256].reshape([array.shape[axis] for axis in order])
    view = inside.transpose(np.argsort(order))
    view[...] = array
    guards.append(buffer)
    return view


@settings(max_examples=40, deadline=None)
@given(cases(), st.sampled_from((np.asarray, channels_last)))
def test_nothing_beyond_the_arrays_is_read_or_written(case: Case, order: Any) -> None:
    """A NaN read from the guard zones would reach the result; a number written would stay there."""
    guards: list[Array] = []
    x, weight, bias, grad = (guarded(order(a), guards) for a in case.arrays())
    before = [buffer.copy() for buffer in guards]
    real = planes.channels_last_empty

    def guarded_empty(*args: Any) -> Array:
        return guarded(real(*args), guards)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planes, "channels_last_empty", guarded_empty)
        results = case.three_maps(fast, x, weight, bias, grad)
    assert len(guards) == 6
    for result in results:
        assert np.isfinite(result).all()
    for buffer in guards:
        assert np.isnan(buffer[:256]).all() and np.isnan(buffer[-256:]).all()
    for now, then in zip(guards, before, strict=False):
        assert np.array_equal(now, then, equal_nan=True)


@pytest.mark.parametrize("case", [LAYERS[0], LAYERS[1], LAYERS[3], LAYERS[9], DEPTHWISE[0]], ids=str)
def test_same_bits_in_every_run_and_for_every_number_of_threads(case: Case) -> None:
    x, weight, bias, grad = case.arrays()

    def run(threads: int) -> list[Array]:
        with num_threads(threads):
            return case.three_maps(fast, x, weight, bias, grad)

    first = run(available_threads())
    for threads in (1, available_threads()):
        for got, expected in zip(run(threads), first, strict=True):
            assert np.array_equal(got, expected)


def test_the_three_are_adjoint() -> None:
    """<conv(x, w), g> = <x, conv_transpose(g, w)> = <w, conv_weight_grad(x, g)>."""
    case = LAYERS[1]
    x, weight, _, grad = case.arrays(np.float64)
    forward = np.vdot(fast.conv(x, weight, None, *case.geometry), grad)
    to_x = np.vdot(x, fast.conv_transpose(grad, weight, None, case.size, *case.geometry))
    to_weight = np.vdot(weight, fast.conv_weight_grad(x, grad, case.kernel_size, *case.geometry))
    assert forward == pytest.approx(to_x, rel=1e-10)
    assert forward == pytest.approx(to_weight, rel=1e-10)


def test_output_is_channels_last_in_memory() -> None:
    case = LAYERS[0]
    x, weight, bias, _ = case.arrays()
    y = fast.conv(x, weight, bias, *case.geometry)
    assert y.transpose(0, 2, 3, 1).flags.c_contiguous


def test_nan_and_infinity_stay_where_they_belong() -> None:
    """Only windows that contain the NaN see it; padding and unused columns must not spread it."""
    x = np.zeros((1, 3, 9, 9), np.float32)
    x[0, 1, 4, 4] = np.nan
    weight = np.ones((5, 3, 3, 3), np.float32)
    y = fast.conv(x, weight, None, (1, 1), (1, 1), (1, 1), 1)
    expected = np.zeros((9, 9), bool)
    expected[3:6, 3:6] = True
    assert np.array_equal(np.isnan(y[0]), np.broadcast_to(expected, (5, 9, 9)))


@pytest.mark.parametrize("case", LAYERS, ids=str)
def test_agrees_with_pytorch(case: Case) -> None:
    torch = pytest.importorskip("torch")
    x, weight, bias, grad = case.arrays()
    exact = [torch.from_numpy(a.astype(np.float64)) for a in (x, weight, bias)]
    torch_x, torch_weight, torch_bias = (a.requires_grad_() for a in exact)
    y = torch.nn.functional.conv2d(torch_x, torch_weight, torch_bias, *case.geometry)
    y.backward(torch.from_numpy(grad.astype(np.float64)))
    limit = FLOAT32_ERROR
    assert relative_error(fast.conv(x, weight, bias, *case.geometry), y.detach().numpy()) <= limit
    back = fast.conv_transpose(grad, weight, None, case.size, *case.geometry)
    assert relative_error(back, torch_x.grad.numpy()) <= limit
    gradient = fast.conv_weight_grad(x, grad, case.kernel_size, *case.geometry)
    assert relative_error(gradient, torch_weight.grad.numpy()) <= limit
