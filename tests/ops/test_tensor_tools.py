"""Methods that ask about memory or make a tensor like another, against PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tests.gpu import tensor
from tests.ops.test_arithmetic import same
from tinyconv.errors import ArgumentError, DtypeError, ShapeError

X = np.arange(24, dtype=np.float64).reshape(2, 3, 4)

ASKED = (
    "stride",
    "element_size",
    "is_floating_point",
    "get_device",
    "nelement",
    "ndimension",
    "is_contiguous",
)
MADE: list[tuple[str, tuple[Any, ...]]] = [
    ("new_zeros", ((2, 2),)),
    ("new_zeros", (2, 3)),
    ("new_ones", (3,)),
    ("new_full", ((2,), 7)),
    ("new_tensor", ([1.0, 2.0],)),
    ("short", ()),
    ("char", ()),
    ("byte", ()),
    ("size", (1,)),
    ("size", (-1,)),
]


@pytest.mark.parametrize("name", ASKED)
def test_what_is_asked_is_answered_as_by_pytorch(name: str) -> None:
    torch = pytest.importorskip("torch")
    for array in (X, X.transpose(2, 0, 1), X[:, ::2], X.astype(np.int32), np.zeros(())):
        ours, theirs = tensor(array), torch.from_numpy(array)
        on_gpu = tc.get_default_device() != "cpu"
        asks_the_place = on_gpu and name == "get_device"
        assert getattr(ours, name)() == (0 if asks_the_place else getattr(theirs, name)())
        assert (ours.is_cuda, ours.itemsize, ours.nbytes) == (on_gpu, theirs.itemsize, theirs.nbytes)
        assert (tc.numel(ours), tc.is_tensor(ours), tc.is_tensor(array)) == (array.size, True, False)
        assert tc.is_floating_point(ours) == torch.is_floating_point(theirs)


@pytest.mark.parametrize(("name", "arguments"), MADE)
def test_what_is_made_is_what_pytorch_makes(name: str, arguments: Any) -> None:
    torch = pytest.importorskip("torch")
    ours, theirs = getattr(tc.tensor(X), name)(*arguments), getattr(torch.tensor(X), name)(*arguments)
    if isinstance(ours, tc.Tensor):
        same(ours, theirs)
    else:
        assert ours == theirs


def test_types() -> None:
    x = tc.tensor([1.5, -2.5])
    assert x.type() == "float32" and x.type(tc.long).tolist() == [1, -2]
    assert x.new_empty(2, 3, dtype=tc.int64).dtype == tc.int64
    assert x.new_zeros(2, requires_grad=True).requires_grad
    assert x.reshape_as(tc.ones(2, 1)).shape == (2, 1)
    assert 1.5 in x and 3 not in x
    assert x.to(tc.arange(2)).dtype == tc.int64 and x.to(tc.ones(1)) is x
    assert x.to(tc.float32, copy=True) is not x and x.to(x.device, non_blocking=True) is x


def test_without_a_gpu_nothing_is_pinned() -> None:
    x = tc.ones(2)
    assert x.pin_memory() is x


def test_memory_formats() -> None:
    torch = pytest.importorskip("torch")
    for array in (np.ones((2, 3, 4, 5)), np.ones((2, 3, 4, 5)).transpose(0, 3, 1, 2)):
        for memory_format in ("contiguous_format", "channels_last"):
            ours, theirs = tensor(array), torch.from_numpy(array)
            wanted = getattr(torch, memory_format)
            assert ours.is_contiguous(memory_format) == theirs.is_contiguous(memory_format=wanted)
            y = ours.contiguous(memory_format=getattr(tc, memory_format))
            assert y.stride() == theirs.contiguous(memory_format=wanted).stride() and y.shape == ours.shape
            np.testing.assert_array_equal(y.numpy(), array)
            assert ours.to(memory_format=memory_format).stride() == y.stride()
    x = tc.ones(1, 2, 2, 2, requires_grad=True)
    (x.contiguous(memory_format=tc.channels_last) * 3).sum().backward()
    assert (x.grad.array == 3).all()
    with pytest.raises(ArgumentError, match="memory_format is 'rows'"):
        tc.ones(2).contiguous(memory_format="rows")
    with pytest.raises(ShapeError, match=r"\(N, C, H, W\) for channels_last"):
        tc.ones(2).contiguous(memory_format=tc.channels_last)


def test_out_of_the_graph_in_place() -> None:
    x = tc.ones(2, requires_grad=True)
    y = x * 2
    assert y.detach_() is y and y.is_leaf and not y.requires_grad
    y.fill_(3)


def test_the_address_is_that_of_the_memory() -> None:
    x = tc.ones(4)
    assert x.data_ptr() == (x.array.ctypes.data if x.device == "cpu" else x.array.data.ptr)
    assert x[1:].data_ptr() == x.data_ptr() + 4


def test_wrong_calls() -> None:
    for name in ("size", "stride"):
        for dim in (3, -4, 1.5):
            with pytest.raises(ArgumentError, match=f"{name}: dim is"):
                getattr(tc.as_tensor(X), name)(dim)
    with pytest.raises(DtypeError, match="reshape_as: other is a tuple"):
        tc.ones(2).reshape_as((2, 1))
    with pytest.raises(ArgumentError, match="zeros: size"):
        tc.ones(2).new_zeros(-1)
