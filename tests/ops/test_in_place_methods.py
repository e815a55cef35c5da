"""In-place methods other than arithmetic: the memory gets what the op computes, or they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tinyconv.errors import ArgumentError, DeviceError, DtypeError, GraphError, ShapeError

Call = tuple[tuple[Any, ...], dict[str, Any]]


def calls() -> dict[str, Call]:
    """Arguments for each method; tensors on the device that the test is tried on."""
    return {
        "abs_": ((), {}),
        "addcdiv_": ((tc.tensor([1.0, 2.0, 3.0]), tc.tensor([2.0, 4.0, 8.0])), {"value": 0.5}),
        "addcmul_": ((tc.tensor([1.0, 2.0, 3.0]), tc.tensor([2.0, 4.0, 8.0])), {"value": 0.5}),
        "ceil_": ((), {}),
        "clip_": ((0.0, 1.0), {}),
        "floor_": ((), {}),
        "index_add_": ((0, tc.tensor([2]), tc.tensor([3.0])), {}),
        "index_copy_": ((0, tc.tensor([2]), tc.tensor([3.0])), {}),
        "index_fill_": ((0, tc.tensor([2]), 3.0), {}),
        "lerp_": ((tc.tensor([1.0, 2.0, 3.0]), 0.25), {}),
        "nan_to_num_": ((), {}),
        "reciprocal_": ((), {}),
        "relu_": ((), {}),
        "remainder_": ((0.5,), {}),
        "round_": ((), {}),
        "sigmoid_": ((), {}),
        "tanh_": ((), {}),
        "clamp_": ((-0.5,), {"max": 1.0}),
        "exp_": ((), {}),
        "log_": ((), {}),
        "masked_fill_": ((tc.tensor([True, False, True]), 7.0), {}),
        "neg_": ((), {}),
        "scatter_": ((0, tc.tensor([1]), 5.0), {}),
        "scatter_add_": ((0, tc.tensor([0, 2, 0]), tc.tensor([1.0, 2.0, 3.0])), {}),
        "sqrt_": ((), {}),
    }


NAMES = tuple(calls())


@pytest.mark.parametrize("name", NAMES)
def test_the_memory_gets_what_the_op_computes(name: str) -> None:
    args, options = calls()[name]
    x = tc.tensor([-1.0, 0.25, 4.0])
    memory, expected = x.array, getattr(x, name[:-1])(*args, **options)
    assert getattr(x, name)(*args, **options) is x
    assert x.array is memory
    np.testing.assert_array_equal(x.numpy(), expected.numpy())


@pytest.mark.parametrize("name", NAMES)
def test_tensors_in_a_graph_are_refused(name: str) -> None:
    args, options = calls()[name]
    for x in (tc.ones(3, requires_grad=True), tc.ones(3, requires_grad=True) * 2):
        with pytest.raises(GraphError, match=f"{name}: the tensor is part of a graph"):
            getattr(x, name)(*args, **options)
        with tc.no_grad():
            getattr(x, name)(*args, **options)


def test_values_in_a_graph_are_refused() -> None:
    limit = tc.tensor(0.5, requires_grad=True)
    with pytest.raises(GraphError, match="clamp_: the new value"):
        tc.ones(3).clamp_(max=limit)
    with pytest.raises(GraphError, match="masked_fill_: the new value"):
        tc.ones(3).masked_fill_(tc.ones(3) > 0, limit)


def test_a_saved_tensor_that_is_clamped_is_noticed() -> None:
    w, x = tc.ones(3, requires_grad=True), tc.tensor([1.0, 2.0, 3.0])
    y = (w * x).sum()
    x.clamp_(max=2)
    with pytest.raises(GraphError):
        y.backward()


def test_results_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"clamp_: .*\(2, 3\).*\(3,\)"):
        tc.ones(3).clamp_(tc.zeros(2, 3))
    with pytest.raises(DtypeError, match=r"clamp_: .*float32.*int64"):
        tc.arange(3).clamp_(0.5)
    with pytest.raises(DtypeError, match="masked_fill: mask"):
        tc.ones(3).masked_fill_(tc.ones(3), 0)
    with pytest.raises(ArgumentError, match="clamp: min and max"):
        tc.ones(3).clamp_()


@pytest.mark.parametrize("name", NAMES)
def test_expanded_tensors_are_refused(name: str) -> None:
    args, options = calls()[name]
    x = tc.ones(1).expand(3)
    with pytest.raises(ArgumentError, match=rf"{name}: the tensor .* x\.clone\(\)"):
        getattr(x, name)(*args, **options)
    assert getattr(x.clone(), name)(*args, **options).shape == (3,)
    with pytest.raises(ArgumentError, match="fill_: the tensor"):
        x.fill_(2)


def test_random_numbers_into_weights() -> None:
    layer = tc.nn.Linear(100, 100)
    memory = layer.weight.array
    layer.weight.data.normal_(3.0, 0.5)
    assert layer.weight.array is memory and abs(memory.mean() - 3) < 0.05 and abs(memory.std() - 0.5) < 0.05
    layer.weight.data.uniform_(-2, -1)
    assert memory.min() >= -2 and memory.max() <= -1 and abs(memory.mean() + 1.5) < 0.05
    with pytest.raises(GraphError, match="normal_: the tensor is part of a graph"):
        layer.weight.normal_()
    with pytest.raises(ArgumentError, match="normal_: std is -1"):
        tc.ones(3).normal_(0, -1)
    with pytest.raises(ArgumentError, match="uniform_: high is -1"):
        tc.ones(3).uniform_(0, -1)
    with pytest.raises(DtypeError, match="uniform_: input is of dtype int64"):
        tc.arange(3).uniform_()


def test_whole_numbers_and_ones_into_memory() -> None:
    x = tc.zeros(1000)
    assert sorted(set(x.random_(2, 5).tolist())) == [2, 3, 4]
    assert sorted(set(x.random_(2).tolist())) == [0, 1]
    heads = x.bernoulli_(0.2).numpy()
    assert set(heads) == {0, 1} and abs(heads.mean() - 0.2) < 5 * np.sqrt(0.2 * 0.8 / 1000)
    with pytest.raises(ArgumentError, match="random_: high is 2"):
        x.random_(2, 2)
    with pytest.raises(ArgumentError, match="bernoulli_: p is 2"):
        x.bernoulli_(2)
    with pytest.raises(GraphError, match="random_: the tensor is part of a graph"):
        tc.ones(2, requires_grad=True).random_(3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: x.uniform_(0, float("inf")), "uniform_: high is inf, expected a finite number"),
        (lambda x: x.random_(10**20), "random_: low and high is .*, expected numbers that fit int64"),
        (lambda x: x.copy_({}), "copy_: source is .*{}.*, expected numbers"),
        (
            lambda x: x.copy_([[1.0], [1.0, 2.0]]),
            r"copy_: source is \[\[1.0\], \[1.0, 2.0\]\], expected numbers",
        ),
        (lambda x: x.long().fill_(10**20), "fill_: value is 100000000000000000000, expected a number"),
    ],
)
def test_what_does_not_fit_is_named(call: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        call(tc.ones(3))


@pytest.mark.parametrize("make", [tc.Tensor.new_zeros, tc.Tensor.new_empty])
def test_a_new_tensor_on_no_device(make: Any) -> None:
    with pytest.raises(DeviceError, match="device: name is"):
        make(tc.ones(2), 3, device=np.ones(2))


def test_the_dtype_of_something_that_is_no_tensor() -> None:
    with pytest.raises(DtypeError, match="type_as: other is a str, expected a Tensor"):
        tc.ones(2).type_as("x")
