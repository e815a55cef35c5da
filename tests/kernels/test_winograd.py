"""Winograd convolution against the float64 reference, and its matrices against the published ones."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("numba")

import tinyconv as tc
from tests.kernels.conv_case import Case, channels_last
from tests.kernels.test_conv import ORDERS, guarded, relative_error
from tinyconv.device import available_threads, conv_algorithm, num_threads
from tinyconv.kernels.cpu import _algorithm
from tinyconv.kernels.cpu import _planes as planes
from tinyconv.kernels.cpu import _winograd_transform as transform
from tinyconv.kernels.cpu import conv as fast
from tinyconv.kernels.cpu import threads as cpu_threads
from tinyconv.kernels.cpu._vector_code import lanes
from tinyconv.kernels.cpu._windows import Problem
from tinyconv.kernels.reference import conv as reference

Array = Any

WIDTH = lanes(4)
ERROR = 3e-5
"""Of the largest output: the transforms lose a decimal digit."""


@pytest.fixture(autouse=True, scope="module")
def _shared() -> Any:
    """All threads for work of any size."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cpu_threads, "WORTH_SHARING", 0)
        yield


@pytest.fixture(params=[(tile, few) for tile in _algorithm.TILES for few in (False, True)], ids=str)
def tile(request: Any, monkeypatch: Any) -> int:
    """Winograd with output tiles of this size, in the way for many tiles or for few, whatever the layer."""
    tile, few = request.param
    monkeypatch.setattr(_algorithm, "TILES", (tile,))
    monkeypatch.setattr(planes, "has_few_tiles", lambda *_, **__: few)
    with conv_algorithm("winograd"):
        yield tile


def product(factors: transform.Factors) -> Array:
    return reduce(np.matmul, [np.array(matrix, dtype=float) for matrix in factors])


def test_the_matrices_are_those_of_lavin_and_gray() -> None:
    assert product(transform.INPUT_4).tolist() == [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]
    weight = [[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]
    np.testing.assert_allclose(24 * product(transform.WEIGHT_4), weight, rtol=1e-15)
    assert product(transform.OUTPUT_4).tolist() == [
        [1, 1, 1, 1, 1, 0],
        [0, 1, -1, 2, -2, 0],
        [0, 1, 1, 4, 4, 0],
        [0, 1, -1, 8, -8, 1],
    ]
    assert product(transform.INPUT_2).tolist() == [[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]]
    assert (2 * product(transform.WEIGHT_2)).tolist() == [[2, 0, 0], [1, 1, 1], [1, -1, 1], [0, 0, 2]]
    assert product(transform.OUTPUT_2).tolist() == [[1, 1, 1, 0], [0, 1, -1, -1]]


@pytest.mark.parametrize("size", [2, 4])
def test_the_matrices_convolve(size: int) -> None:
    """Bilinear in signal and weights: the unit vectors are enough, and exact."""
    of_input, of_weight, of_output = (
        product(getattr(transform, f"{name}_{size}")) for name in ("INPUT", "WEIGHT", "OUTPUT")
    )
    for signal in np.eye(size + 2):
        for weight in np.eye(3):
            y = of_output @ ((of_weight @ weight) * (of_input @ signal))
            np.testing.assert_allclose(y, np.correlate(signal, weight, "valid"), atol=1e-15)


@st.composite
def layers(draw: Any) -> Case:
    padding = draw(st.tuples(*[st.integers(0, 2)] * 2))
    size = tuple(draw(st.integers(max(1, 3 - 2 * p), 14)) for p in padding)
    channels, columns = (WIDTH * draw(st.integers(1, 3)) for _ in range(2))
    return Case(draw(st.integers(1, 5)), channels, columns, 1, size, (3, 3), (1, 1), padding, (1, 1))


def three_kernels(case: Case, order: Any) -> list[tuple[Array, Array]]:
    """What the kernels give, and what the reference gives in float64."""
    x, weight, bias, grad = case.arrays(np.float32, seed=sum(case.size))
    x64, weight64, bias64, grad64 = (a.astype(np.float64) for a in (x, weight, bias, grad))
    x, weight, bias, grad = (order(a) for a in (x, weight, bias, grad))
    return [
        (fast.conv(x, weight, bias, *case.geometry), reference.conv(x64, weight64, bias64, *case.geometry)),
        (
            fast.conv_transpose(grad, weight, None, case.size, *case.geometry),
            reference.conv_transpose(grad64, weight64, None, case.size, *case.geometry),
        ),
        (
            fast.conv_weight_grad(x, grad, case.kernel_size, *case.geometry),
            reference.conv_weight_grad(x64, grad64, case.kernel_size, *case.geometry),
        ),
    ]


def uses_winograd(monkeypatch: Any) -> list[str]:
    """The names of the Winograd runs from now on."""
    runs: list[str] = []
    for name in ("_run_winograd", "_winograd_parameter_grads"):
        real = getattr(planes, name)

        def counted(*args: Any, name: str = name, real: Any = real) -> Array:
            runs.append(name)
            return real(*args)

        monkeypatch.setattr(planes, name, counted)
    return runs


@settings(max_examples=40, deadline=None)
@given(case=layers(), order=st.sampled_from(ORDERS))
@pytest.mark.usefixtures("tile")
def test_agrees_with_the_float64_reference(case: Case, order: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        runs = uses_winograd(patch)
        for got, expected in three_kernels(case, order):
            assert got.dtype == np.float32
            assert relative_error(got, expected) <= ERROR
        assert len(runs) == 3


LAYERS = (
    Case(2, 2 * WIDTH, 3 * WIDTH, 1, (70, 90), (3, 3), (1, 1), (1, 1), (1, 1)),
    Case(33, 4 * WIDTH, 2 * WIDTH, 1, (7, 5), (3, 3), (1, 1), (0, 2), (1, 1)),
    Case(1, 512, 512, 1, (12, 12), (3, 3), (1, 1), (1, 1), (1, 1)),
    Case(2, WIDTH, 2 * WIDTH, 1, (5, 9, 11), (3, 3, 3), (1, 1, 1), (1, 1, 1), (1, 1, 1)),
)


@pytest.mark.parametrize("case", LAYERS, ids=str)
@pytest.mark.usefixtures("tile")
def test_layers_of_several_blocks(case: Case) -> None:
    for got, expected in three_kernels(case, channels_last):
        assert relative_error(got, expected) <= ERROR


@pytest.mark.usefixtures("tile")
def test_transposed_convolution_adds_its_bias() -> None:
    _, weight, _, grad = LAYERS[0].arrays()
    bias = np.arange(2 * WIDTH, dtype=np.float32)
    y = fast.conv_transpose(grad, weight, bias, LAYERS[0].size, *LAYERS[0].geometry)
    plain = fast.conv_transpose(grad, weight, None, LAYERS[0].size, *LAYERS[0].geometry)
    assert relative_error(y, plain + bias.reshape(1, -1, 1, 1)) < ERROR


@settings(max_examples=12, deadline=None)
@given(case=layers(), order=st.sampled_from((np.asarray, channels_last)))
@pytest.mark.usefixtures("tile")
def test_nothing_beyond_the_arrays_is_read_or_written(case: Case, order: Any) -> None:
    guards: list[Array] = []
    x, weight, bias, grad = (guarded(order(a), guards) for a in case.arrays())
    real = planes.channels_last_empty
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planes, "channels_last_empty", lambda *args: guarded(real(*args), guards))
        for result in (
            fast.conv(x, weight, bias, *case.geometry),
            fast.conv_transpose(grad, weight, None, case.size, *case.geometry),
            fast.conv_weight_grad(x, grad, case.kernel_size, *case.geometry),
        ):
            assert np.isfinite(result).all()
    assert len(guards) == 6
    for buffer in guards:
        assert np.isnan(buffer[:256]).all() and np.isnan(buffer[-256:]).all()


@pytest.mark.parametrize("case", LAYERS, ids=str)
@pytest.mark.usefixtures("tile")
def test_same_bits_in_every_run_and_for_every_number_of_threads(case: Case) -> None:
    x, weight, bias, grad = case.arrays()

    def run() -> list[Array]:
        return [
            fast.conv(x, weight, bias, *case.geometry),
            fast.conv_transpose(grad, weight, None, case.size, *case.geometry),
            fast.conv_weight_grad(x, grad, case.kernel_size, *case.geometry),
        ]

    first = run()
    for got, expected in zip(run(), first, strict=True):
        assert np.array_equal(got, expected)
    with num_threads(1):
        one_thread = run()
    for got, expected in zip(one_thread, first, strict=True):
        assert np.array_equal(got, expected)


@pytest.mark.parametrize("case", LAYERS, ids=str)
@pytest.mark.usefixtures("tile")
def test_bias_gradient_is_the_sum_of_each_channel(case: Case) -> None:
    x, weight, _, grad = case.arrays()
    got_weight, got_bias = fast.conv_parameter_grads(x, channels_last(grad), case.kernel_size, *case.geometry)
    assert np.array_equal(got_weight, fast.conv_weight_grad(x, grad, case.kernel_size, *case.geometry))
    expected = grad.astype(np.float64).sum((0, *range(2, grad.ndim)))
    assert relative_error(got_bias, expected) < 1e-6
    assert got_bias.dtype == np.float32


def test_few_tiles_with_many_weights_have_a_way_of_their_own() -> None:
    def few(batch: int, channels: int, size: int, for_weight: bool) -> bool:
        problem = Problem(
            batch, (size, size), channels, (size, size), channels, 1, (3, 3), (1, 1), (1, 1), (1, 1), False
        )
        return _algorithm.has_few_tiles(problem, 4, 4, for_weight)

    assert few(4, 256, 16, False) and few(4, 256, 16, True)
    assert not few(4, 64, 64, False) and not few(4, 64, 64, True)


BIG = Case(4, 64, 64, 1, (64, 64), (3, 3), (1, 1), (1, 1), (1, 1))


def test_auto_takes_winograd_for_large_layers_and_direct_for_the_rest(monkeypatch: Any) -> None:
    runs = uses_winograd(monkeypatch)

    def count(case: Case, dtype: Any = np.float32) -> int:
        runs.clear()
        x, weight, bias, grad = case.arrays(dtype)
        fast.conv(x, weight, bias, *case.geometry)
        fast.conv_transpose(grad, weight, None, case.size, *case.geometry)
        fast.conv_weight_grad(x, grad, case.kernel_size, *case.geometry)
        return len(runs)

    assert count(BIG) == 3
    assert count(BIG, np.float64) == 0
    for change in (
        {"stride": (2, 2)},
        {"dilation": (2, 2)},
        {"kernel_size": (5, 5)},
        {"kernel_size": (3, 1)},
        {"channels": 63},
        {"columns": 63},
        {"channels": 32, "columns": 32, "groups": 2},
        {"padding": (3, 3)},
    ):
        assert count(BIG._replace(**change)) == 0, change
    with conv_algorithm("direct"):
        assert count(BIG) == 0


def test_im2col_is_the_reference() -> None:
    case = BIG._replace(size=(9, 9))
    x, weight, bias, grad = case.arrays()
    with conv_algorithm("im2col"):
        assert np.array_equal(
            fast.conv(x, weight, bias, *case.geometry), reference.conv(x, weight, bias, *case.geometry)
        )


def test_the_setting_is_public() -> None:
    assert tc.get_conv_algorithm() == "auto"
    tc.set_conv_algorithm("winograd")
    assert tc.get_conv_algorithm() == "winograd"
    tc.set_conv_algorithm("auto")


def test_more_threads_than_blocks() -> None:
    case = LAYERS[0]._replace(batch=1, size=(5, 5))
    with conv_algorithm("winograd"), num_threads(available_threads()):
        for got, expected in three_kernels(case, channels_last):
            assert relative_error(got, expected) <= ERROR
