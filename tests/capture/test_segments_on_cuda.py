"""What becomes of a segment whose graph is refused, moves, or is replaced; on a GPU, or on the emulator."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.gpu import gpu
from tinyconv.capture import segments
from tinyconv.kernels.cuda.emulator import build, orders
from tinyconv.kernels.cuda.emulator.cards import room_in_all
from tinyconv.kernels.cuda.emulator.cupy_stand_in import emulated_cuda
from tinyconv.kernels.cuda.shape import cat


@pytest.fixture
def cuda() -> Iterator[Any]:
    with gpu() as cupy:
        yield cupy


@pytest.fixture
def stand_in() -> Iterator[Any]:
    """Of which the order of work, and the memory, is known."""
    if build.why_not() is not None:
        pytest.skip(str(build.why_not()))
    with emulated_cuda() as cupy:
        gc.collect()
        cupy.get_default_memory_pool().free_all_blocks()
        yield cupy


def test_what_is_told_is_the_first_error(cuda: Any) -> None:
    """To wait breaks a recording, and its end is an error too, which says nothing of the reason."""
    x, is_recorded = cuda.asarray(np.ones(3, np.float32)), []

    def kernels(a: Any) -> tuple[Any, ...]:
        stream = cuda.cuda.get_current_stream()
        is_recorded.append(stream.is_capturing())
        stream.synchronize()
        return (a * 2,)

    segment = segments.Segment(kernels, (True,))
    for _ in range(4):
        assert segment(x)[0].get().tolist() == [2, 2, 2]
    assert is_recorded == [False, True, False, False, False]
    assert segment.reason is not None and "StreamCaptureUnsupported" in segment.reason
    with cuda.cuda.Stream(non_blocking=True) as stream:  # no recording is left behind
        stream.synchronize()


def test_places_are_filled_after_their_arrays_and_before_the_graph(stand_in: Any) -> None:
    """The stream that records them waits for no other by itself, and no other for it."""
    with orders.written_down() as given:
        x = stand_in.ones(3)
        segment = segments.Segment(lambda a: (a * 2,), (False,))
        for _ in range(2):
            segment(x + 1)
    work = {number: order.stream for number, order in enumerate(given) if order.what == orders.WORK}
    filling = {number for number, stream in work.items() if stream != 0}
    befores = orders.before_each(given)
    assert len(filling) >= 2
    for number in work.keys() - filling:
        assert (number in befores[min(filling)]) == (number < min(filling))
        assert (filling <= befores[number]) == (number > max(filling))


def test_a_graph_has_the_memory_that_nobody_uses(stand_in: Any) -> None:
    """What larger arrays have left is kept for the next ones; the memory of a graph is another's."""
    pool, x = stand_in.get_default_memory_pool(), stand_in.ones(1000)
    segment = segments.Segment(lambda a: (a * 2,), (True,))
    with room_in_all(pool.total_bytes() + 100_000):
        stand_in.ones(12_000)
        assert pool.free_bytes() == 96_000
        found = [segment(x)[0].sum().item() for _ in range(4)]
    assert found == [2000.0] * 4 and segment.reason is None


def test_a_graph_that_leaves_no_room_for_its_kernels_is_dropped(stand_in: Any) -> None:
    pool, x = stand_in.get_default_memory_pool(), stand_in.ones(1000)
    segment = segments.Segment(lambda a: (a * 2,), (True,))
    with room_in_all(pool.total_bytes() + 12_000):
        found = [segment(x)[0].get().sum() for _ in range(4)]
    assert found == [2000.0] * 4
    assert segment.reason is not None and "left no room to compare it" in segment.reason


def test_other_errors_of_kernels_are_raised(stand_in: Any) -> None:
    turns = iter((False, False, True))  # one by one, recorded, compared

    def kernels(a: Any) -> tuple[Any, ...]:
        if next(turns):
            raise ValueError("no such kernel")
        return (a * 2,)

    segment, x = segments.Segment(kernels, (True,)), stand_in.ones(3)
    segment(x)
    with pytest.raises(ValueError, match="no such kernel"):
        segment(x)


def test_many_arrays_of_whole_numbers_are_joined_in_a_graph(cuda: Any) -> None:
    """Of more than eight CuPy would copy the addresses from the host, which no recording can hold."""
    arrays = [cuda.asarray(np.arange(3 * n, 3 * n + 3).reshape(1, 3)) for n in range(70)]
    segment = segments.Segment(lambda *arrays: (cat(arrays, 0) * 2,), (True,) * 70)
    for _ in range(4):
        assert segment(*arrays)[0].get().ravel().tolist() == list(range(0, 420, 2))
    assert segment.reason is None


def test_what_moves_in_each_call_is_copied_in_the_end(cuda: Any) -> None:
    """As the results of a segment that has no graph do; a graph for each call would be the slowest of all."""
    recorded: list[Any] = []
    segment = segments.Segment(lambda a: (a * 2,), (True,))
    record = segment._record
    segment._record = lambda arrays: (recorded.append(arrays), record(arrays))[1]  # type: ignore[method-assign]
    arrays = [cuda.asarray(np.full(3, value, np.float32)) for value in range(20)]
    assert [float(segment(array)[0].get()[0]) for array in arrays] == [2.0 * value for value in range(20)]
    assert segment.reason is None and segment.checked == segments.CHECKED
    assert len(recorded) == 1 + segments.MOVES


def test_memory_is_given_back_with_the_graph(cuda: Any) -> None:
    """Of one that was replaced, of one that was refused, and of one that gave other numbers."""
    pools: list[Any] = []

    class Memory(segments.GraphMemory):
        def __init__(self) -> None:
            super().__init__()
            pools.append(self.pool)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segments, "GraphMemory", Memory)
        x, weight, other = (cuda.asarray(np.full(3000, value, np.float32)) for value in (1, 2, 5))
        replaced = segments.Segment(lambda a, w: (a * w + a,), (False, True))
        refused = segments.Segment(lambda a: (a * float((a * 2 + a).sum()),), (False,))
        calls = iter(range(9))
        other_numbers = segments.Segment(lambda a: (a * 2 * next(calls),), (False,))
        for operand in (weight, weight, weight, weight, other):
            replaced(x, operand)
        for segment in (refused, other_numbers):
            for _ in range(4):
                segment(x)
            assert segment.reason is not None
    first, second, *given_up = pools
    assert len(given_up) == 2
    assert second.total_bytes() >= 2 * 12_000
    assert [pool.total_bytes() for pool in (first, *given_up)] == [0, 0, 0]


def test_what_only_the_kernels_needed_is_given_back(cuda: Any) -> None:
    """Arrays on the way have two places until the graph is relied on: the kernels', and one in the graph."""
    x = cuda.asarray(np.ones(3000, np.float32))
    segment = segments.Segment(lambda a: ((a * 2 + 1) * a,), (False,))
    left = []
    for _ in range(4):
        segment(x)
        left.append(cuda.get_default_memory_pool().free_bytes())
    assert segment.reason is None and segment.checked == segments.CHECKED
    assert left[1] > 0 and left[2:] == [0, 0]
