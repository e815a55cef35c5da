"""Optimiser steps: PyTorch's optimisers over several steps, hand numbers, and the fast twins."""

import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyconv.kernels import find_kernel
from tinyconv.kernels.reference import optim as reference

pytestmark = pytest.mark.usefixtures("any_size")

SGD = [
    {"momentum": 0.0, "dampening": 0.0, "weight_decay": 0.0, "nesterov": False},
    {"momentum": 0.0, "dampening": 0.0, "weight_decay": 0.1, "nesterov": False},
    {"momentum": 0.9, "dampening": 0.0, "weight_decay": 0.1, "nesterov": False},
    {"momentum": 0.9, "dampening": 0.3, "weight_decay": 0.0, "nesterov": False},
    {"momentum": 0.9, "dampening": 0.0, "weight_decay": 0.1, "nesterov": True},
]
ADAM = {"lr": 0.02, "beta1": 0.8, "beta2": 0.95, "eps": 1e-4, "weight_decay": 0.1}
ADAMW = {**ADAM, "weight_decay": 0.7}
STEPS = 4


def run_sgd(backend, param, grads, options, lr=0.05):
    step = find_kernel(backend, "optim", "sgd_steps")
    buffers = [np.full_like(param, np.nan)] if options["momentum"] else None
    for number, grad in enumerate(grads):
        step([param], [grad], buffers, lr, first=number == 0, **options)


def run_adam(backend, param, grads, options, decoupled=False):
    averages = [np.zeros_like(param)], [np.zeros_like(param)]
    for number, grad in enumerate(grads, start=1):
        step = find_kernel(backend, "optim", "adam_steps")
        step([param], [grad], *averages, number, **options, decoupled=decoupled)


def run_adamw(backend, param, grads, options):
    run_adam(backend, param, grads, options, decoupled=True)


@pytest.mark.parametrize("changed", ["nothing", "gradient's order", "parameter", "average", "count", "order"])
def test_what_is_remembered_of_a_step_is_checked_in_the_next(make_array, changed):
    """Step 2 has other gradients; step 3 other arrays or another order of memory; step 4 is as step 2."""
    shapes = [(40, 50), (7,), (3, 4, 5)]
    params = [make_array(shape, seed=i) for i, shape in enumerate(shapes)]
    averages = [[np.zeros_like(p) for p in params] for _ in range(2)]
    alive = []  # what is wrongly remembered shall lead to wrong numbers, not to memory that is gone
    for number in (1, 2, 3, 4):
        if number == 3 and changed == "parameter":
            params[1] = params[1] + 1
        if number == 3 and changed == "average":
            averages[0][2] = averages[0][2] * 2
        if number == 3 and changed == "order":
            params[0], averages[0][0], averages[1][0] = (
                np.asfortranarray(a) for a in (params[0], averages[0][0], averages[1][0])
            )
        count = 2 if number == 3 and changed == "count" else 3
        turned = number == 3 and changed in ("gradient's order", "order")
        grads = [make_array(shape, turned, 10 * number + i) for i, shape in enumerate(shapes)][:count]
        now = [params[:count], grads, *(column[:count] for column in averages)]
        alive += now
        right = [[array.copy() for array in column] for column in now]
        find_kernel("cpu", "optim", "adam_steps")(*now, number, **ADAM, decoupled=False)
        reference.adam_steps(*right, number, **ADAM, decoupled=False)
        for got, expected in zip(now, right, strict=True):
            for a, b in zip(got, expected, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_nothing_remembered_keeps_an_array_alive():
    from tinyconv.kernels.cpu import _many

    arrays = [[np.ones(9, np.float32)] for _ in range(4)]
    _many.remember(arrays)
    assert _many.recall(arrays) is not None
    gone = [weakref.ref(column[0]) for column in arrays]
    del arrays
    assert [ref() for ref in gone] == [None] * 4


@pytest.mark.parametrize("kind", ["sgd", "momentum", "adam", "adamw", "rmsprop"])
def test_many_parameters_in_one_pass_are_each_in_its_own(make_array, kind):
    """Of many sizes, across the chunks' borders, some in other memory orders and dtypes."""
    shapes = [(3,), (8192,), (8193,), (2, 3, 5, 7), (130, 150), (0, 4), (1,), (20, 30)]
    params = [make_array(shape, seed=i) for i, shape in enumerate(shapes)]
    params += [make_array((40, 50), 1), make_array((6, 7), 2), make_array((30,), dtype=np.float64)]
    grads = [np.asarray(make_array(p.shape, 0, i + 50, dtype=p.dtype)) for i, p in enumerate(params)]
    right = [p.copy() for p in params]
    averages = [[np.zeros_like(p) for p in params] for _ in range(2)]
    right_averages = [[np.zeros_like(p) for p in right] for _ in range(2)]
    numbers = {"lr": 0.1, "weight_decay": 0.2}
    for backend, values, (first, second) in (("cpu", params, averages), ("reference", right, right_averages)):
        if kind in ("sgd", "momentum"):
            buffers = first if kind == "momentum" else None
            options = {
                "momentum": 0.9 if buffers else 0.0,
                "dampening": 0.0,
                "nesterov": False,
                "first": False,
            }
            find_kernel(backend, "optim", "sgd_steps")(values, grads, buffers, **numbers, **options)
        elif kind == "rmsprop":
            options = {"alpha": 0.9, "eps": 1e-3, "momentum": 0.9}
            find_kernel(backend, "optim", "rmsprop_steps")(
                values, grads, first, None, second, **numbers, **options
            )
        else:
            betas = {"beta1": 0.9, "beta2": 0.99, "eps": 1e-3, "step": 3, "decoupled": kind == "adamw"}
            find_kernel(backend, "optim", "adam_steps")(values, grads, first, second, **numbers, **betas)
    for got, expected in zip([*params, *averages[0]], [*right, *right_averages[0]], strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)


def test_first_steps_by_hand():
    param = np.array([1.0, 2.0])
    reference.sgd_step(param, np.array([0.5, -1.0]), None, 0.1, 0, 0, 0, False, True)
    np.testing.assert_allclose(param, [0.95, 2.1])
    param = np.array([1.0, 2.0, 3.0])
    reference.adam_step(
        param, np.array([5.0, -0.1, 0.0]), np.zeros(3), np.zeros(3), 1, 0.1, 0.9, 0.999, 0, 0.01
    )
    np.testing.assert_allclose(param, [0.9, 2.1, 2.9])


@pytest.mark.parametrize("options", SGD)
def test_sgd_is_pytorchs(make_array, options):
    torch = pytest.importorskip("torch")
    param = make_array((3, 4), dtype=np.float64)
    grads = [make_array((3, 4), 0, seed, dtype=np.float64) for seed in range(STEPS)]
    theirs = torch.tensor(param.copy(), requires_grad=True)
    optimiser = torch.optim.SGD([theirs], lr=0.05, **options)
    for grad in grads:
        theirs.grad = torch.tensor(grad)
        optimiser.step()
    run_sgd("reference", param, grads, options)
    np.testing.assert_allclose(param, theirs.detach().numpy(), rtol=1e-12)


def test_adam_is_pytorchs(make_array):
    torch = pytest.importorskip("torch")
    param = make_array((3, 4), dtype=np.float64)
    grads = [make_array((3, 4), 0, seed, dtype=np.float64) for seed in range(STEPS)]
    theirs = torch.tensor(param.copy(), requires_grad=True)
    optimiser = torch.optim.Adam([theirs], lr=0.02, betas=(0.8, 0.95), eps=1e-4, weight_decay=0.1)
    for grad in grads:
        theirs.grad = torch.tensor(grad)
        optimiser.step()
    run_adam("reference", param, grads, ADAM)
    np.testing.assert_allclose(param, theirs.detach().numpy(), rtol=1e-12)


@settings(deadline=None, max_examples=60)
@given(
    shape=st.lists(st.integers(0, 5), max_size=4).map(tuple), order=st.integers(0, 47),
    other=st.integers(0, 47), options=st.sampled_from([*SGD, ADAM, ADAMW]), seed=st.integers(0, 99),
)  # fmt: skip
def test_fast_is_the_reference(make_array, shape, order, other, options, seed):
    param = make_array(shape, order, seed)
    grads = [make_array(shape, other + number, seed + number) for number in range(STEPS)]
    kept = [grad.copy() for grad in grads]
    fast, right = param.copy(order="K"), param.copy()
    run = {id(ADAM): run_adam, id(ADAMW): run_adamw}.get(id(options), run_sgd)
    run("cpu", fast, grads, options)
    run("reference", right, grads, options)
    np.testing.assert_allclose(fast, right, rtol=1e-5, atol=2e-6)
    for grad, before in zip(grads, kept, strict=True):
        np.testing.assert_array_equal(grad, before)


RMSPROP = {"lr": 0.02, "alpha": 0.8, "eps": 1e-2, "weight_decay": 0.1}
OTHERS = {
    "rmsprop": ("rmsprop_steps", (False, False), {**RMSPROP, "momentum": 0.0}),
    "rmsprop, centered": ("rmsprop_steps", (True, False), {**RMSPROP, "momentum": 0.0}),
    "rmsprop, momentum": ("rmsprop_steps", (False, True), {**RMSPROP, "momentum": 0.7}),
    "rmsprop, both": ("rmsprop_steps", (True, True), {**RMSPROP, "momentum": 0.7}),
    "adagrad": ("adagrad_steps", (), {"lr": 0.1, "lr_decay": 0.2, "weight_decay": 0.1, "eps": 1e-4}),
    "adadelta": ("adadelta_steps", (True,), {"lr": 1.0, "rho": 0.8, "eps": 1e-3, "weight_decay": 0.1}),
}


@settings(deadline=None, max_examples=60)
@given(
    shape=st.lists(st.integers(0, 5), max_size=4).map(tuple), order=st.integers(0, 47),
    other=st.integers(0, 47), name=st.sampled_from(list(OTHERS)), seed=st.integers(0, 99),
)  # fmt: skip
def test_the_other_fast_steps_are_the_reference(make_array, shape, order, other, name, seed):
    kernel, wanted, options = OTHERS[name]
    param = make_array(shape, order, seed)
    results = {}
    for backend in ("cpu", "reference"):
        changed = param.copy(order="K")
        averages = [np.zeros_like(changed), *(np.zeros_like(changed) if w else None for w in wanted)]
        for number in range(STEPS):
            grad = make_array(shape, other + number, seed + number)
            kept = grad.copy()
            count = {"step": number + 1} if kernel == "adagrad_steps" else {}
            columns = [None if array is None else [array] for array in (changed, grad, *averages)]
            find_kernel(backend, "optim", kernel)(*columns, **count, **options)
            np.testing.assert_array_equal(grad, kept)
        results[backend] = [changed, *(average for average in averages if average is not None)]
    for fast, right in zip(results["cpu"], results["reference"], strict=True):
        np.testing.assert_allclose(fast, right, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_a_number_too_large_for_float32_is_infinite(backend):
    """Found by fuzzing checkpoints: it gave a warning of NumPy's. An infinite eps stops Adam."""
    param = np.ones(5, np.float32)
    run_adam(backend, param, [np.ones(5, np.float32)] * 2, {**ADAM, "eps": 1e308, "weight_decay": 0.0})
    assert (param == 1).all()


def test_a_view_is_changed_in_place():
    """Also where one flat pass is impossible, the caller's own memory must change."""
    whole = np.ones((6, 4), dtype=np.float32)
    find_kernel("cpu", "optim", "sgd_steps")(
        [whole[::2]], [np.ones((3, 4), np.float32)], None, 0.5, 0.0, 0.0, 0.0, False, True
    )
    np.testing.assert_array_equal(whole, np.tile([[0.5], [1.0]], (3, 4)))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
def test_one_number_that_is_not_finite_is_found(make_array, value):
    """3e38 is one, though a sum of two of them is not."""
    arrays = [make_array((3,)), make_array((4, 5), 1), np.ones((2, 6), np.float32)[:, ::2], np.ones(2)]
    all_finite = find_kernel("cpu", "optim", "all_finite")
    assert all_finite([]) and all_finite([np.ones((0, 3), np.float32)])
    for array in arrays:
        assert all_finite(arrays)
        before, array[...] = array.copy(), value
        assert all_finite(arrays) == (value == 3e38)
        array[...] = before
