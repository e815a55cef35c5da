"""Pinned memory: what is in it, and that everything goes on as ever without a card."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

import tinyconv as tc
from tests.fake_cupy import OUT_OF_MEMORY, CUDARuntimeError, FarArray, fake_cupy
from tinyconv.data import DataLoader
from tinyconv.errors import DeviceError, OutOfMemoryError


class PinnedMemory(bytearray):
    """CuPy's memory, which has a buffer."""

    __module__ = "cupy.cuda.pinned_memory"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bool]]:
    """A machine with a card; whether each copy to it was to wait."""
    cupy: Any = fake_cupy()
    cupy.cuda.alloc_pinned_memory = PinnedMemory
    waited = []

    def asarray(array: Any, blocking: bool = False) -> Any:
        waited.append(blocking)
        return FarArray(array)

    cupy.asarray = asarray
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    yield waited


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (7,), (), (0, 3)])
def test_a_pinned_tensor_has_the_same_numbers_and_memory_order(shape: tuple[int, ...]) -> None:
    x = tc.tensor(np.random.default_rng(0).standard_normal(shape))
    views = [x, x.contiguous(memory_format=tc.channels_last)] if x.ndim == 4 else [x]
    for view in views:
        pinned = view.pin_memory()
        assert pinned.is_pinned() and not view.is_pinned()
        np.testing.assert_array_equal(pinned.numpy(), view.numpy())
        if view.numel():
            assert pinned.stride() == view.stride() and pinned.dtype == view.dtype
        assert pinned.pin_memory() is pinned


def test_only_copies_that_need_not_be_waited_for_are_not(asked: list[bool]) -> None:
    x = tc.ones(2)
    for options in ({}, {"non_blocking": True}, {"non_blocking": False}):
        x.pin_memory().to("cuda", **options)
    x.cuda(non_blocking=True)
    assert asked == [True, False, True, False]
    with pytest.raises(DeviceError, match="the CPU"):
        x.cuda().pin_memory()


def test_a_host_without_room_is_not_taken_for_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(size: int) -> Any:
        raise CUDARuntimeError(OUT_OF_MEMORY)

    cupy: Any = fake_cupy()
    cupy.cuda.alloc_pinned_memory = full
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    with pytest.raises(
        OutOfMemoryError, match=r"host's memory is full.*8,000 bytes.*pin_memory=False"
    ) as caught:
        tc.ones(2000).pin_memory()
    assert isinstance(caught.value.__cause__, CUDARuntimeError) and "GPU" not in str(caught.value)


class Pair(NamedTuple):
    image: Any
    names: list[str]


def pair(samples: list[Any]) -> Pair:
    return Pair(tc.tensor(samples), [str(sample) for sample in samples])


LOADERS: dict[str, dict[str, Any]] = {
    "in its own thread": {},
    "threads": {"num_workers": 2},
    "processes": {"num_workers": 1, "multiprocessing_context": "spawn"},
}


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("how", LOADERS)
def test_batches_are_pinned(how: str) -> None:
    data = [({"x": np.full(3, i, np.float32)}, i, f"name {i}") for i in range(5)]
    batches = list(DataLoader(data, batch_size=2, pin_memory=True, **LOADERS[how]))
    assert [batch[1].tolist() for batch in batches] == [[0, 1], [2, 3], [4]]
    for images, labels, names in batches:
        assert images["x"].is_pinned() and labels.is_pinned() and isinstance(names, list)


@pytest.mark.usefixtures("asked")
def test_batches_of_ones_own_keep_their_form() -> None:
    (batch,) = DataLoader([1.0, 2.0], batch_size=2, pin_memory=True, collate_fn=pair)
    assert type(batch) is Pair and batch.image.is_pinned() and batch.names == ["1.0", "2.0"]


def test_without_a_card_nothing_is_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", None)
    x = tc.ones(2)
    assert x.pin_memory() is x and not x.is_pinned()
    (batch,) = DataLoader([1.0, 2.0], batch_size=2, pin_memory=True)
    assert batch.tolist() == [1, 2] and not batch.is_pinned()
    assert batch.to("cpu", non_blocking=True) is batch
