"""Optimiser steps in CUDA equal the reference: of one parameter, and of many in one launch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from tests.kernels.cuda.comparing import DTYPES, dtypes, on_cpu, on_gpu, orders, seeds, shapes
from tinyconv.kernels import optim as kernels
from tinyconv.kernels import shape
from tinyconv.kernels.cuda import _many
from tinyconv.kernels.reference import optim as reference

STEPS = 3
TOLERANCE = {"float32": 2e-5, "float64": 1e-12}
SGD = {"momentum": 0.0, "dampening": 0.0, "weight_decay": 0.0, "nesterov": False, "lr": 0.05}
ADAM = {"lr": 0.02, "beta1": 0.8, "beta2": 0.95, "eps": 1e-4, "weight_decay": 0.1}
RMSPROP = {"lr": 0.02, "alpha": 0.8, "eps": 1e-2, "weight_decay": 0.1}
KINDS: dict[str, tuple[str, tuple[bool, ...], dict[str, Any]]] = {
    "sgd": ("sgd_steps", (False,), SGD),
    "momentum": ("sgd_steps", (True,), {**SGD, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    "nesterov": ("sgd_steps", (True,), {**SGD, "momentum": 0.9, "weight_decay": 0.1, "nesterov": True}),
    "adam": ("adam_steps", (True, True), {**ADAM, "decoupled": False}),
    "adamw": ("adam_steps", (True, True), {**ADAM, "decoupled": True}),
    "amsgrad": ("amsgrad_steps", (True, True, True), {**ADAM, "decoupled": False}),
    "amsgrad, decoupled": ("amsgrad_steps", (True, True, True), {**ADAM, "decoupled": True}),
    "rmsprop": ("rmsprop_steps", (True, False, False), {**RMSPROP, "momentum": 0.0}),
    "rmsprop, centered": ("rmsprop_steps", (True, True, False), {**RMSPROP, "momentum": 0.0}),
    "rmsprop, momentum": ("rmsprop_steps", (True, False, True), {**RMSPROP, "momentum": 0.7}),
    "rmsprop, both": ("rmsprop_steps", (True, True, True), {**RMSPROP, "momentum": 0.7}),
    "adagrad": ("adagrad_steps", (True,), {"lr": 0.1, "lr_decay": 0.2, "weight_decay": 0.1, "eps": 1e-4}),
    "adadelta": ("adadelta_steps", (True, True), {"lr": 1.0, "rho": 0.8, "eps": 1e-3, "weight_decay": 0.1}),
}
"""The function, which averages it keeps, and its numbers."""


def near(found: Any, expected: Any) -> None:
    for one, other in zip(on_cpu(found), expected, strict=True):
        if other is not None:
            tolerance = TOLERANCE[str(other.dtype)]
            np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(
    shape=shapes, order=orders, other=orders, seed=seeds,
    dtype=dtypes,
)  # fmt: skip
def test_steps_of_one_parameter(
    cuda: Any, make_array: Any, shape: Any, order: int, other: int, seed: int, dtype: Any
) -> None:
    grads = [make_array(shape, other + number, seed + number, dtype=dtype) for number in range(STEPS)]
    for kind in KINDS:
        assert_steps(cuda, kind, [make_array(shape, order, seed, dtype=dtype)], [[grad] for grad in grads])


def assert_steps(cuda: Any, kind: str, params: list[np.ndarray], grads: list[list[np.ndarray]]) -> None:
    """Steps with these gradients equal the reference's; the gradients are left alone."""
    function, kept, options = KINDS[kind]
    start = np.nan if function == "sgd_steps" else 0  # the first step need not look at the buffer
    right: list[Any] = [[param.copy(order="K") for param in params]]
    right += [[np.full_like(param, start) for param in params] if wanted else None for wanted in kept]
    found = [None if column is None else on_gpu(cuda, column) for column in right]
    for number, slopes in enumerate(grads):
        count: dict[str, Any] = {"step": number + 1} if function[:3] in ("ada", "ams") else {}
        count = {"first": number == 0} if function == "sgd_steps" else count
        count = {} if function == "adadelta_steps" else count
        theirs = on_gpu(cuda, slopes)
        getattr(kernels, function)(found[0], theirs, *found[1:], **count, **options)
        getattr(reference, function)(right[0], slopes, *right[1:], **count, **options)
        for grad, same in zip(slopes, theirs, strict=True):
            np.testing.assert_array_equal(same.get(), grad)
    for column, expected in zip(found, right, strict=True):
        if expected is not None:
            near(column, expected)


def parameters(make_array: Any) -> list[np.ndarray]:
    """Of many sizes, across the chunks' borders, some in other memory orders, with gaps, and of float64."""
    shapes = [(3,), (4096,), (4097,), (2, 3, 5, 7), (130, 150), (0, 4), (1,), (20, 30)]
    found = [make_array(shape, seed=i) for i, shape in enumerate(shapes)]
    return [*found, make_array((40, 50), 1), make_array((6, 7), 2), make_array((30,), dtype=np.float64)]


@pytest.mark.parametrize("kind", KINDS)
def test_many_parameters_in_one_launch(cuda: Any, make_array: Any, kind: str) -> None:
    params = parameters(make_array)
    grads = [
        [make_array(p.shape, 0, 10 * number + i, dtype=p.dtype) for i, p in enumerate(params)]
        for number in range(STEPS)
    ]
    assert_steps(cuda, kind, params, grads)


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_is_one_launch(cuda: Any, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    launches = []
    kernel = _many.kernel

    def counted(source: str, name: str) -> Any:
        return lambda *args: (launches.append(name), kernel(source, name)(*args))

    monkeypatch.setattr(_many, "kernel", counted)
    params = [np.ones(n, np.float32) for n in range(1, 6)]
    assert_steps(cuda, kind, params, [params])
    assert len(launches) == 1


def test_copies_of_many_arrays(cuda: Any, make_array: Any) -> None:
    """They have memory of their own, in the order of the first; integers are copied one by one."""
    arrays = [*parameters(make_array), np.arange(5), make_array((2, 3, 4, 5), 7)]
    found = on_gpu(cuda, arrays)
    copied = shape.copies(found)
    for array in found:
        array[...] = 0
    for copy, right in zip(copied, arrays, strict=True):
        np.testing.assert_array_equal(copy.get(), right)
        assert copy.dtype == right.dtype
    assert copied[-1].strides == arrays[-1].strides


def test_more_parameters_than_the_table_holds(cuda: Any) -> None:
    """Two launches, one of them with a single parameter."""
    rng = np.random.default_rng(0)
    params = [rng.standard_normal(5).astype(np.float32) for _ in range(_many.MOST + 1)]
    grads = [rng.standard_normal(5).astype(np.float32) for _ in params]
    found = on_gpu(cuda, params)
    kernels.sgd_steps(found, on_gpu(cuda, grads), None, 0.1, 0, 0, 0, False, True)
    reference.sgd_steps(params, grads, None, 0.1, 0, 0, 0, False, True)
    near(found, params)


def test_the_arguments_of_a_launch_fit_into_the_four_kilobytes_that_cuda_has_for_them() -> None:
    """The table and, for adam<double>, nine numbers."""
    assert _many.TABLE.itemsize + 9 * 8 <= 4096


def test_an_infinite_parameter_without_decay_stays_infinite(cuda: Any) -> None:
    param = on_gpu(cuda, np.array([np.inf, 1.0], dtype=np.float32))
    kernels.sgd_steps([param], [cuda.ones(2, dtype=np.float32)], None, 0.5, 0, 0, 0.0, False, True)
    assert param.get().tolist() == [np.inf, 0.5]


def test_parameters_without_numbers_are_no_launch(cuda: Any) -> None:
    empty = [cuda.empty((0, 3))]
    kernels.adam_steps(empty, empty, empty, empty, 1, 0.1, 0.9, 0.99, 1e-8, 0.0, False)
    kernels.adagrad_steps(empty, empty, empty, 1, 0.1, 0.0, 0.0, 1e-8)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_number_that_is_not_finite_is_found_in_any_place(
    cuda: Any, make_array: Any, dtype: Any, value: float
) -> None:
    """The first and the last of an array, across the chunks' borders, beyond a table's end, with gaps."""
    arrays = [make_array((3,), dtype=dtype) for _ in range(_many.MOST)]
    arrays += [np.empty((0, 2), dtype), make_array((2 * _many.CHUNK + 1,), dtype=dtype)]
    strided = on_gpu(cuda, np.ones((4, 6), dtype))[:, ::2]
    for place, index in ((0, 0), (_many.MOST - 1, 2), (-1, 0), (-1, _many.CHUNK), (-1, -1)):
        assert kernels.all_finite([*on_gpu(cuda, arrays), strided])
        arrays[place][index] = value
        assert kernels.all_finite(on_gpu(cuda, arrays)) == bool(np.isfinite(dtype(value)))
        arrays[place][index] = 1
    strided[3, 2] = value
    assert kernels.all_finite([*on_gpu(cuda, arrays), strided]) == bool(np.isfinite(dtype(value)))
