"""What `tinyconv.cuda` tells of a card's memory, by a CuPy that counts what it is told to."""

from __future__ import annotations

import sys
import threading
import weakref
from types import SimpleNamespace
from typing import Any

import pytest

import tinyconv as tc
from tests.fake_cupy import fake_cupy
from tinyconv.cuda import memory
from tinyconv.errors import DeviceError


class Card:
    """One of the cards: `Device` of CuPy."""

    current = 0
    mem_info = (6 * 1024**3, 8 * 1024**3)

    def __init__(self, number: int | None = None) -> None:
        self.id = Card.current if number is None else number
        self._before: list[int] = []

    def __enter__(self) -> None:
        self._before.append(Card.current)
        Card.current = self.id

    def __exit__(self, *error: Any) -> None:
        Card.current = self._before.pop()


class Pool:
    """The memory pool: what arrays have, by card, and twice as much from the driver."""

    def __init__(self) -> None:
        self.used, self.hooks = {0: 0, 1: 0}, []

    def used_bytes(self) -> int:
        return self.used[Card.current]

    def total_bytes(self) -> int:
        return 2 * self.used[Card.current]

    def free_all_blocks(self) -> None:
        """Of the current card, as CuPy's."""
        self.used[Card.current] = 0

    def make_array(self, size: int, card: int = 0) -> None:
        self.used[card] += size
        for hook in self.hooks:
            hook.malloc_postprocess(device_id=card, size=size, mem_size=size, mem_ptr=1, pmem_id=1)


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Pool:
    made = Pool()
    cupy: Any = fake_cupy(2)
    cupy.cuda.Device = Card
    cupy.cuda.MemoryHook = type("MemoryHook", (), {"__enter__": lambda hook: made.hooks.append(hook)})
    cupy.cuda.MemoryPool = Pool
    cupy.get_default_memory_pool = lambda: made
    cupy.get_default_pinned_memory_pool = lambda: SimpleNamespace(n_free_blocks=lambda: 3)
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    monkeypatch.setattr(memory, "_thread", threading.local())
    monkeypatch.setattr(memory, "_graphs", weakref.WeakSet())
    return made


def test_what_arrays_have_is_told_by_card(pool: Pool) -> None:
    pool.make_array(100)
    pool.make_array(30, card=1)
    assert tc.cuda.memory_allocated() == tc.cuda.memory_allocated("cuda:0") == 100
    assert tc.cuda.memory_allocated(1) == tc.cuda.memory_allocated("cuda:1") == 30
    assert tc.cuda.memory_reserved(1) == 60
    assert tc.cuda.mem_get_info() == (6 * 1024**3, 8 * 1024**3)
    assert Card.current == 0


def test_the_peak_is_counted_from_the_first_question_on(pool: Pool) -> None:
    pool.make_array(100)
    assert tc.cuda.max_memory_allocated() == 100
    pool.make_array(50)
    pool.used[0] -= 120
    assert (tc.cuda.memory_allocated(), tc.cuda.max_memory_allocated()) == (30, 150)
    tc.cuda.reset_peak_memory_stats()
    assert tc.cuda.max_memory_allocated() == 30
    pool.make_array(5)
    assert tc.cuda.max_memory_allocated() == 35
    assert tc.cuda.max_memory_allocated(1) == 0
    assert len(pool.hooks) == 1


def test_the_memory_of_graphs_counts_until_they_go(pool: Pool) -> None:
    pool.make_array(100)
    tc.cuda.reset_peak_memory_stats()
    graphs = [memory.GraphMemory(), memory.GraphMemory()]
    graphs[0].pool.used[0], graphs[1].pool.used[0] = 30, 8  # and twice as much, with what lies in between
    pool.make_array(1)
    assert tc.cuda.memory_allocated() == 101 + 60 + 16
    assert tc.cuda.memory_reserved() == 202 + 60 + 16
    assert tc.cuda.max_memory_allocated() == 101 + 60 + 16
    assert tc.cuda.memory_allocated(1) == 0
    assert tc.cuda.memory_summary().splitlines()[2].split()[-2:] == ["76", "B"]
    tc.cuda.empty_cache()
    assert tc.cuda.memory_reserved() == 76  # a graph's memory is no cache
    graphs.clear()
    assert tc.cuda.memory_reserved() == tc.cuda.memory_allocated() == 0
    assert tc.cuda.max_memory_allocated() == 177


def test_empty_cache_gives_back_what_is_kept(pool: Pool) -> None:
    pool.make_array(100)
    pool.make_array(70, card=1)
    tc.cuda.empty_cache()
    assert [tc.cuda.memory_reserved(number) for number in (0, 1)] == [0, 0] and Card.current == 0


def test_the_summary_has_one_line_for_each_number(pool: Pool) -> None:
    pool.make_array(512 * 1024**2)
    lines = [line.split() for line in tc.cuda.memory_summary().splitlines()]
    assert lines[0] == ["cuda:0"]
    numbers = {" ".join(words[:-2]): " ".join(words[-2:]) for words in lines[1:-1]}
    assert numbers == {
        "arrays": "512.0 MiB",
        "CUDA graphs, counted as arrays": "0 B",
        "arrays at most, since it is counted": "512.0 MiB",
        "kept for the next arrays": "512.0 MiB",
        "of other programs, and CUDA's own": "1.0 GiB",
        "free": "6.0 GiB",
        "the card": "8.0 GiB",
    }
    assert lines[-1][-1] == "3"


@pytest.mark.parametrize(
    "name", ["memory_allocated", "max_memory_allocated", "memory_summary", "Stream", "Event"]
)
def test_without_a_card_the_error_says_what_is_missing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", None)
    monkeypatch.setattr(memory, "_thread", threading.local())
    with pytest.raises(DeviceError, match=r"cuda\.\w+: device is 'cuda'.*pip install"):
        getattr(tc.cuda, name)()
    tc.cuda.empty_cache()


@pytest.mark.parametrize("device", ["cpu", "gpu", True, 2, -1])
def test_a_card_that_is_not_there_is_refused(device: Any, pool: Pool) -> None:
    with pytest.raises(DeviceError, match=r"memory_allocated|device: name"):
        tc.cuda.memory_allocated(device)


def test_names_of_pytorchs_that_are_missing_say_what_to_take() -> None:
    with pytest.raises(AttributeError, match=r"tinyconv\.compile"):
        _ = tc.cuda.CUDAGraph
