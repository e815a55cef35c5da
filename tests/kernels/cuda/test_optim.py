"""Optimiser steps in CUDA equal the reference: of one parameter, and of many in one launch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.kernels.cuda.comparing import on_cpu, on_gpu, shapes
from tinyconv.kernels import optim as kernels
from tinyconv.kernels.cuda import _many
from tinyconv.kernels.reference import optim as reference

STEPS = 3
TOLERANCE = {"float32": 2e-5, "float64": 1e-12}
SGD = [
    {"momentum": 0.0, "dampening": 0.0, "weight_decay": 0.0, "nesterov": False},
    {"momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1, "nesterov": False},
    {"momentum": 0.9, "dampening": 0.0, "weight_decay": 0.1, "nesterov": True},
]
ADAM = {"lr": 0.02, "beta1": 0.8, "beta2": 0.95, "eps": 1e-4, "weight_decay": 0.1}
RMSPROP = {"lr": 0.02, "alpha": 0.8, "eps": 1e-2, "weight_decay": 0.1}
OTHERS: dict[str, tuple[str, int, dict[str, Any]]] = {
    "sgd": ("sgd_step", 0, {**SGD[0], "lr": 0.1, "first": False}),
    "adam": ("adam_step", 2, ADAM),
    "adamw": ("adamw_step", 2, ADAM),
    "amsgrad": ("amsgrad_step", 3, {**ADAM, "decoupled": False}),
    "amsgrad, decoupled": ("amsgrad_step", 3, {**ADAM, "decoupled": True}),
    "rmsprop": ("rmsprop_step", 1, {**RMSPROP, "momentum": 0.0}),
    "rmsprop, centered": ("rmsprop_step", 2, {**RMSPROP, "momentum": 0.0}),
    "rmsprop, both": ("rmsprop_step", 3, {**RMSPROP, "momentum": 0.7}),
    "adagrad": ("adagrad_step", 1, {"lr": 0.1, "lr_decay": 0.2, "weight_decay": 0.1, "eps": 1e-4}),
    "adadelta": ("adadelta_step", 2, {"lr": 1.0, "rho": 0.8, "eps": 1e-3, "weight_decay": 0.1}),
}
"""The function, how many averages it keeps, and its numbers."""
PLACES_OF_AVERAGES = {"sgd_step": 1, "rmsprop_step": 3}
"""Where some may be None."""


def near(found: Any, expected: Any) -> None:
    for one, other in zip(on_cpu(found), expected, strict=True):
        if other is not None:
            tolerance = TOLERANCE[str(other.dtype)]
            np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(
    shape=shapes, order=st.integers(0, 47), other=st.integers(0, 47), seed=st.integers(0, 99),
    dtype=st.sampled_from([np.float32, np.float64]),
)  # fmt: skip
def test_steps_of_one_parameter(
    cuda: Any, make_array: Any, shape: Any, order: int, other: int, seed: int, dtype: Any
) -> None:
    grads = [make_array(shape, other + number, seed + number, dtype=dtype) for number in range(STEPS)]
    for name in OTHERS:
        assert_steps(cuda, name, make_array(shape, order, seed, dtype=dtype), grads)


def assert_steps(cuda: Any, name: str, param: np.ndarray, grads: list[np.ndarray]) -> None:
    function, count, options = OTHERS[name]
    places = max(count, PLACES_OF_AVERAGES.get(function, 0))
    right = [param.copy(order="K"), *(np.zeros_like(param) if i < count else None for i in range(places))]
    found = on_gpu(cuda, right)
    for number, grad in enumerate(grads):
        step = {"step": number + 1} if function[:4] in ("adam", "amsg", "adag") else {}
        kept = on_gpu(cuda, grad)
        getattr(kernels, function)(found[0], kept, *found[1:], **step, **options)
        np.testing.assert_array_equal(kept.get(), grad)
        getattr(reference, function)(right[0], grad, *right[1:], **step, **options)
    near(found, right)


def parameters(make_array: Any) -> list[np.ndarray]:
    """Of many sizes, across the chunks' borders, some in other memory orders, with gaps, and of float64."""
    shapes = [(3,), (4096,), (4097,), (2, 3, 5, 7), (130, 150), (0, 4), (1,), (20, 30)]
    found = [make_array(shape, seed=i) for i, shape in enumerate(shapes)]
    return [*found, make_array((40, 50), 1), make_array((6, 7), 2), make_array((30,), dtype=np.float64)]


@pytest.mark.parametrize("kind", ["adam", "adamw", *range(len(SGD))])
def test_many_parameters_in_one_launch(cuda: Any, make_array: Any, kind: Any) -> None:
    right = [parameters(make_array)]
    with_averages = 2 if isinstance(kind, str) else int(SGD[kind]["momentum"] > 0)
    right += [[np.full_like(p, np.nan if kind == 1 else 0) for p in right[0]] for _ in range(with_averages)]
    found = on_gpu(cuda, right)
    for number in range(STEPS):
        grads = [make_array(p.shape, 0, 10 * number + i, dtype=p.dtype) for i, p in enumerate(right[0])]
        for module, columns, slopes in ((reference, right, grads), (kernels, found, on_gpu(cuda, grads))):
            if isinstance(kind, str):
                numbers = {**ADAM, "step": number + 1, "decoupled": kind == "adamw"}
                module.adam_steps(columns[0], slopes, *columns[1:], **numbers)
            else:
                buffers = columns[1] if with_averages else None
                module.sgd_steps(columns[0], slopes, buffers, lr=0.05, first=number == 0, **SGD[kind])
    for column, expected in zip(found, right, strict=True):
        near(column, expected)


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
    kernels.sgd_step(param, cuda.ones(2, dtype=np.float32), None, 0.5, 0, 0, 0.0, False, True)
    assert param.get().tolist() == [np.inf, 0.5]


def test_parameters_without_numbers_are_no_launch(cuda: Any) -> None:
    empty = [cuda.empty((0, 3))]
    kernels.adam_steps(empty, empty, empty, empty, 1, 0.1, 0.9, 0.99, 1e-8, 0.0, False)
    kernels.adagrad_step(*empty, *empty, *empty, 1, 0.1, 0.0, 0.0, 1e-8)
