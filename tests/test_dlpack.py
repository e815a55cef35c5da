"""DLPack and the array protocol: one memory, seen from tinyconv, NumPy and PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import tinyconv as tc
from tinyconv.errors import ArgumentError, DeviceError, DtypeError, GraphError, TinyconvError

DTYPES = ("float32", "float64", "int32", "int64", "uint8", "bool")


@pytest.mark.parametrize("dtype", DTYPES)
def test_numpy_shares_memory_both_ways(dtype: str) -> None:
    array = np.ones((2, 3), dtype)
    x = tc.from_dlpack(array)
    x.zero_()
    assert array.max() == 0 and x.dtype == array.dtype and x.shape == (2, 3)
    back = np.from_dlpack(x)
    x.fill_(1)
    assert back.min() == 1 and np.shares_memory(back, array)


@pytest.mark.parametrize("dtype", DTYPES)
def test_pytorch_shares_memory_both_ways(dtype: str) -> None:
    torch = pytest.importorskip("torch")
    theirs = torch.ones((2, 3), dtype=getattr(torch, dtype))
    ours = tc.from_dlpack(theirs)
    assert str(ours.dtype) == dtype
    ours[0] = 0
    assert theirs.tolist() == [[0] * 3, [1] * 3]
    theirs.zero_()
    assert not ours.array.any()
    back = torch.from_dlpack(ours)
    back.fill_(1)
    assert ours.array.all() and back.dtype == theirs.dtype


def test_strides_come_along() -> None:
    torch = pytest.importorskip("torch")
    images = torch.arange(48.0).reshape(2, 2, 3, 4).contiguous(memory_format=torch.channels_last)
    for theirs in (images, images[:, :, ::2, 1:], images.permute(3, 1, 0, 2), torch.tensor(7.0)):
        ours = tc.from_dlpack(theirs)
        assert_array_equal(ours.array, theirs.numpy())
        assert [step // 4 for step in ours.array.strides] == list(theirs.stride())
        assert torch.equal(torch.from_dlpack(ours), theirs)


def test_an_own_tensor_shares_memory_and_its_counter() -> None:
    x = tc.zeros(3)
    y = tc.from_dlpack(x)
    y.fill_(2)
    assert x.tolist() == [2.0] * 3 and x._version == 1


def test_the_device_is_named() -> None:
    assert tc.ones(2).__dlpack_device__() == np.ones(2).__dlpack_device__() == (1, 0)


def test_the_memory_outlives_its_first_owner() -> None:
    x = tc.from_dlpack(np.full(1000, 7.0))
    shared = np.from_dlpack(tc.full((1000,), 3.0))
    assert x.array.sum() == 7000 and shared.sum() == 3000


def test_numpy_reads_a_tensor() -> None:
    x = tc.arange(6.0).reshape(2, 3)
    assert np.asarray(x) is x.array and np.shares_memory(np.asarray(x), x.array)
    assert not np.shares_memory(np.array(x), x.array)
    assert np.asarray(x, dtype="int32").dtype == np.int32
    assert np.concatenate([x, x]).shape == (4, 3)
    assert np.asarray(x, copy=False) is not None
    with pytest.raises(ValueError, match="copy"):
        np.asarray(x, dtype="float64", copy=False)


class Elsewhere:
    """Data on a device that tinyconv has no arrays for."""

    def __dlpack__(self, **options: Any) -> Any:
        raise AssertionError("never asked for")

    def __dlpack_device__(self) -> tuple[int, int]:
        return (8, 0)


GRAPH = tc.ones(2, requires_grad=True)
REFUSED: list[tuple[type[TinyconvError], str, Callable[[], Any]]] = [
    (DtypeError, "from_dlpack: x is a list", lambda: tc.from_dlpack([1.0])),
    (DtypeError, "from_dlpack: x is of dtype complex64", lambda: tc.from_dlpack(np.ones(2, "complex64"))),
    (DeviceError, "from_dlpack: x's device is of DLPack's kind 8", lambda: tc.from_dlpack(Elsewhere())),
    (ArgumentError, "from_dlpack: x is a ndarray.*byte order", lambda: tc.from_dlpack(np.ones(2, ">f4"))),
    (GraphError, r"from_dlpack: .*detach\(\)", lambda: tc.from_dlpack(GRAPH)),
    (GraphError, r"__dlpack__: .*detach\(\)", lambda: np.from_dlpack(GRAPH)),  # type: ignore[arg-type]
    (GraphError, r"numpy: .*detach\(\)", lambda: np.asarray(GRAPH)),
    (ArgumentError, r"__dlpack__: .*reversed.*contiguous\(\)", lambda: tc.arange(3)[::-1].__dlpack__()),
    (ArgumentError, r"__dlpack__: .*readonly.*clone\(\)", lambda: tc.ones(1).expand(3).__dlpack__()),
]


@pytest.mark.parametrize(("error", "says", "call"), REFUSED)
def test_refused(error: Any, says: str, call: Callable[[], Any]) -> None:
    with pytest.raises(error, match=says):
        call()


def test_refused_by_pytorch() -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(ArgumentError, match=r"from_dlpack: x is a Tensor.*require gradient"):
        tc.from_dlpack(torch.ones(2, requires_grad=True))
    with pytest.raises(ArgumentError, match=r"from_dlpack: x is a Tensor.*dtype"):
        tc.from_dlpack(torch.ones(2, dtype=torch.bfloat16))
    with pytest.raises(GraphError):
        torch.from_dlpack(GRAPH)
