"""Tensor itself: making one, looking at it, converting, indexing, and what is refused."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tinyconv.errors import ArgumentError, DeviceError, DtypeError, GraphError, ShapeError, TinyconvError


def test_dtypes_of_new_tensors() -> None:
    assert tc.tensor([1.0, 2.0]).dtype == tc.float32
    assert tc.tensor([1, 2]).dtype == tc.int64
    assert tc.tensor([True]).dtype == tc.bool_
    assert tc.tensor(np.ones(2)).dtype == tc.float64
    assert tc.tensor([1, 2], dtype="float64").dtype == tc.float64
    assert tc.arange(3).dtype == tc.int64 and tc.arange(3.0).dtype == tc.float32
    with tc.default_dtype("float64"):
        for made in (
            tc.tensor(1.0),
            tc.zeros(2),
            tc.randn(2),
            tc.arange(0, 1, 0.5),
            tc.eye(2),
            tc.full((2,), 1.0),
        ):
            assert made.dtype == tc.float64
    assert tc.zeros(1).dtype == tc.float32


def test_values_of_new_tensors() -> None:
    assert tc.zeros(2, 3).tolist() == [[0.0] * 3] * 2
    assert tc.ones((2, 3)).tolist() == [[1.0] * 3] * 2
    assert tc.full((2,), 7).tolist() == [7, 7]
    assert tc.arange(2, 8, 3).tolist() == [2, 5]
    assert tc.eye(2, 3).tolist() == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    assert tc.zeros_like(tc.ones(2, 2, dtype="float64")).dtype == tc.float64
    assert tc.ones_like(tc.zeros(3)).tolist() == [1.0, 1.0, 1.0]


def test_random_tensors() -> None:
    uniform, normal, whole = (
        tc.rand(100, 100).numpy(),
        tc.randn(100, 100).numpy(),
        tc.randint(3, 6, (1000,)).numpy(),
    )
    assert 0 <= uniform.min() and uniform.max() < 1 and abs(uniform.mean() - 0.5) < 0.02
    assert abs(normal.mean()) < 0.05 and abs(normal.std() - 1) < 0.05
    assert set(whole) == {3, 4, 5} and whole.dtype == np.int64


def test_tensor_copies_and_from_numpy_shares() -> None:
    array = np.ones(3, np.float32)
    copied, shared = tc.tensor(array), tc.from_numpy(array)
    array[0] = 5
    assert copied.tolist() == [1.0, 1.0, 1.0] and shared.tolist() == [5.0, 1.0, 1.0]
    assert tc.as_tensor(shared) is shared
    assert np.shares_memory(tc.as_tensor(array).array, array)
    assert shared.numpy() is array


def test_looking_at_a_tensor() -> None:
    x = tc.arange(6.0).reshape(2, 3)
    assert (x.shape, x.ndim, x.dim(), x.numel(), x.size(), x.size(1)) == ((2, 3), 2, 2, 6, (2, 3), 3)
    assert (len(x), x.device, x.is_leaf, x.T.shape) == (2, "cpu", True, (3, 2))
    assert [row.tolist() for row in x] == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    one = tc.tensor([2.5])
    assert one.item() == 2.5 and float(one) == 2.5 and int(one) == 2 and bool(one) is True
    assert range(10)[tc.tensor(3)] == 3
    assert f"{tc.tensor(1.23456):.2f}" == "1.23"


def test_repr() -> None:
    assert repr(tc.tensor([1.0, 2.0])) == "tensor([1., 2.])"
    assert repr(tc.tensor([1.0], requires_grad=True)) == "tensor([1.], requires_grad=True)"
    assert repr(tc.tensor([1.0], requires_grad=True) * 2) == "tensor([2.], grad_fn=<Mul>)"
    assert repr(tc.zeros(1, dtype="float64")) == "tensor([0.], dtype=float64)"


def test_conversions() -> None:
    x = tc.tensor([1.5, -1.5])
    assert x.double().dtype == tc.float64 and x.double().float().dtype == tc.float32
    assert x.to("float32") is x and x.to("cpu") is x and x.cpu() is x
    assert x.to("int64").tolist() == [1, -1]
    assert np.asarray(x).tolist() == [1.5, -1.5]
    assert (np.array(x, dtype=np.float64) * 2).tolist() == [3.0, -3.0]


def test_an_array_times_a_tensor_is_a_tensor() -> None:
    x = tc.tensor([1.0, 2.0], requires_grad=True)
    y = np.array([3.0, 4.0]) * x
    assert isinstance(y, tc.Tensor) and y.requires_grad and y.tolist() == [3.0, 8.0]


def test_indexing_and_assignment() -> None:
    x = tc.arange(12.0).reshape(3, 4)
    assert x[1, 2].item() == 6.0
    assert x[..., None, ::2].shape == (3, 1, 2)
    assert x[[0, 2], [1, 3]].tolist() == [1.0, 11.0]
    assert x[x > 9].tolist() == [10.0, 11.0]
    assert x[tc.tensor([2, 0])].shape == (2, 4)
    x[0] = 7
    x[1, :2] = tc.tensor([1.0, 2.0])
    assert x[:2].tolist() == [[7.0] * 4, [1.0, 2.0, 6.0, 7.0]]


def test_in_place_methods() -> None:
    x = tc.ones(2, 2)
    assert x.fill_(3) is x and x.tolist() == [[3.0, 3.0]] * 2
    assert x.copy_([1.0, 2.0]).tolist() == [[1.0, 2.0]] * 2
    assert x.zero_().array.max() == 0


def test_copies() -> None:
    x = tc.ones(2, 3, requires_grad=True)
    (x * 2).sum().backward()
    twin = copy.deepcopy(x)
    assert twin.requires_grad and twin.tolist() == x.tolist() and twin.grad.tolist() == x.grad.tolist()
    assert not np.shares_memory(twin.array, x.array)
    assert not np.shares_memory(x.clone().array, x.array)
    assert x.clone().requires_grad
    with pytest.raises(GraphError, match="detach"):
        copy.deepcopy(x * 2)


def test_hash_is_identity() -> None:
    x, y = tc.ones(1), tc.ones(1)
    assert len({x, y, x}) == 2


VECTOR = tc.ones(3)
GRAPH = tc.ones(3, requires_grad=True) * 2

REFUSED: list[tuple[type[TinyconvError], str, Callable[[], Any]]] = [
    (ShapeError, r"item: .*\(3,\).*single element", lambda: VECTOR.item()),
    (ShapeError, r"bool: .*\(3,\), expected .*any", lambda: bool(VECTOR)),
    (ShapeError, r"len: .*\(\)", lambda: len(tc.tensor(1.0))),
    (ShapeError, r"iter: .*\(\)", lambda: list(tc.tensor(1.0))),
    (DtypeError, "index: .*float32", lambda: range(3)[tc.tensor(1.0)]),
    (GraphError, r"numpy: .*detach\(\)", lambda: GRAPH.numpy()),
    (ArgumentError, "requires_grad_: requires_grad is 'no'", lambda: tc.ones(2).requires_grad_("no")),
    (GraphError, "requires_grad_: .*result of an op", lambda: GRAPH.requires_grad_(False)),
    (DtypeError, "requires_grad_: .*int64", lambda: tc.arange(3).requires_grad_()),
    (DtypeError, "int64.*requires_grad=True", lambda: tc.tensor([1], requires_grad=True)),
    (ShapeError, r"copy_: source is \(2,\).*\(3,\)", lambda: tc.ones(3).copy_(tc.ones(2))),
    (ArgumentError, r"assignment.*\(3,\)", lambda: tc.ones(3).__setitem__(5, 1.0)),
    (ArgumentError, "assignment", lambda: tc.ones(3).__setitem__(0, "one")),
    (ArgumentError, "fill_: value is 'one'", lambda: tc.ones(3).fill_("one")),
    (ArgumentError, "tensor: data .*regular shape", lambda: tc.tensor([[1.0], [2.0, 3.0]])),
    ((ArgumentError, DtypeError), "tensor: data", lambda: tc.tensor("text")),
    (DtypeError, "tensor: data .*complex", lambda: tc.tensor([1j])),
    (DtypeError, "tensor: dtype is 'float1'", lambda: tc.tensor([1.0], dtype="float1")),
    (DtypeError, "zeros: dtype is 'float1'", lambda: tc.zeros(2, dtype="float1")),
    (DtypeError, "ones: dtype is 'complex64'", lambda: tc.ones(2, dtype="complex64")),
    (DtypeError, "randn: dtype is 'float1'", lambda: tc.randn(2, dtype="float1")),
    (DtypeError, "arange: dtype is 'float1'", lambda: tc.arange(2, dtype="float1")),
    (DtypeError, "eye: dtype is 'float1'", lambda: tc.eye(2, dtype="float1")),
    (DtypeError, "full: dtype is 'float1'", lambda: tc.full((2,), 1.0, dtype="float1")),
    (ArgumentError, r"zeros: size is \(-1,\)", lambda: tc.zeros(-1)),
    (ArgumentError, r"rand: size is \(1.5,\)", lambda: tc.rand(1.5)),
    (ArgumentError, "arange: step is 0", lambda: tc.arange(1, 5, 0)),
    (ArgumentError, "randint: high is 3", lambda: tc.randint(3, 3, (1,))),
    (DtypeError, "from_numpy: array is a list", lambda: tc.from_numpy([1.0])),
    (DtypeError, "from_numpy: array is .*dtype <U1", lambda: tc.from_numpy(np.array(["a"]))),
    (DeviceError, "'cuda:0'.*|CuPy|GPU", lambda: tc.ones(1).to("cuda:0")),
    (DeviceError, "device", lambda: tc.zeros(1, device="tpu")),
    (ArgumentError, "pickle.*safetensors", lambda: pickle.dumps(VECTOR)),
]


@pytest.mark.parametrize(("error", "says", "call"), REFUSED)
def test_refused(error: Any, says: str, call: Callable[[], Any]) -> None:
    with pytest.raises(error, match=says):
        call()


def test_shape_errors_are_also_value_errors() -> None:
    with pytest.raises(ValueError):
        VECTOR.item()
    with pytest.raises(TypeError):
        tc.from_numpy([1.0])
    with pytest.raises(RuntimeError):
        GRAPH.numpy()


@pytest.mark.parametrize("value", [[1.0, 2.0], 3.0, None])
def test_the_constructor_takes_arrays_only(value):
    with pytest.raises(DtypeError, match=r"array is a \w+, expected an array; tc\.tensor"):
        tc.Tensor(value)
