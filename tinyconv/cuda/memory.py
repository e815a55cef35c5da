"""How much of a card's memory is taken.

CuPy keeps a pool: memory that an array leaves stays in the program and serves the next array, because
asking the driver is slow. So there are two numbers: what arrays have (`memory_allocated`), and what the
program has in all (`memory_reserved`).

A CUDA graph writes to the same addresses in each launch. So it has a pool of its own, and all that is in
there counts as taken, in both numbers, for as long as the graph is there.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tinyconv.cuda.cards import Card, card, device_count
from tinyconv.device_errors import find_cupy


def memory_allocated(device: Card = None) -> int:
    """Bytes that arrays and CUDA graphs have now."""
    with card(device, "cuda.memory_allocated"):
        return int(_pool("memory_allocated").used_bytes()) + _of_graphs()


def memory_reserved(device: Card = None) -> int:
    """Bytes that the program has taken from the card: those of arrays, and those kept for the next."""
    with card(device, "cuda.memory_reserved"):
        return int(_pool("memory_reserved").total_bytes()) + _of_graphs()


def mem_get_info(device: Card = None) -> tuple[int, int]:
    """Bytes of the card that are free for all programs, and those that it has."""
    free, total = card(device, "cuda.mem_get_info").mem_info
    return int(free), int(total)


def empty_cache() -> None:
    """Give memory that is kept for reuse back, on all cards; nothing without one."""
    for number in range(device_count()):
        with card(number, "cuda.empty_cache"):
            _pool("empty_cache").free_all_blocks()


def max_memory_allocated(device: Card = None) -> int:
    """The most bytes that arrays have had at one time, since `reset_peak_memory_stats`.

    CuPy does not count this by itself. The first call of either function, in a thread, begins to; from
    then on each new array of the thread costs a little more time.
    """
    number = card(device, "cuda.max_memory_allocated").id
    return max(_peaks().get(number, 0), memory_allocated(number))


def reset_peak_memory_stats(device: Card = None) -> None:
    """Begin to count for `max_memory_allocated`, from what arrays have now."""
    number = card(device, "cuda.reset_peak_memory_stats").id
    _peaks()[number] = memory_allocated(number)


def memory_summary(device: Card = None, abbreviated: bool = False) -> str:
    """A small table of what is taken, to be printed.

    Parameters
    ----------
    device : int, str or None
    abbreviated : bool
        PyTorch's, for its table; this one is short.

    Returns
    -------
    str
        One line per number.
    """
    del abbreviated
    where = "cuda.memory_summary"
    free, total = mem_get_info(device)
    with card(device, where):
        graphs = _of_graphs()
    pinned = find_cupy(where).get_default_pinned_memory_pool()
    lines = {
        "arrays": memory_allocated(device),
        "CUDA graphs, counted as arrays": graphs,
        "arrays at most, since it is counted": max_memory_allocated(device),
        "kept for the next arrays": memory_reserved(device) - memory_allocated(device),
        "of other programs, and CUDA's own": total - free - memory_reserved(device),
        "free": free,
        "the card": total,
    }
    rows = [f"cuda:{card(device, where).id}"]
    rows += [f"  {name:<36}{_in_units(count):>12}" for name, count in lines.items()]
    rows.append(f"  {'free blocks of pinned host memory':<36}{pinned.n_free_blocks():>12}")
    return "\n".join(rows)


class GraphMemory:
    """The memory of a CUDA graph on the current card, counted while this object is there.

    Attributes
    ----------
    pool : cupy.cuda.MemoryPool
    kept : list
        What the graph reads and others might drop, see `keep`.
    """

    def __init__(self) -> None:
        cuda = find_cupy("compile").cuda
        self.pool: Any = cuda.MemoryPool()
        self._card: Any = cuda.Device()
        self.kept: list[Any] = []
        _graphs.add(self)

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """In this block, what is given to `keep` stays with the graph."""
        before, _thread.keeping = getattr(_thread, "keeping", None), self
        try:
            yield
        finally:
            _thread.keeping = before

    def give_back(self) -> None:
        """Let go of all of it, and give what no array has any more back to the card.

        The blocks of CuPy's pool know each other: without this they stay until Python looks for such circles.
        """
        self.kept.clear()
        with self._card:  # a pool has blocks of each card, and frees those of the current one
            self.pool.free_all_blocks()


def keep(value: Any) -> Any:
    """`value`, which stays with the graph that is being recorded, if one is: each launch will read it."""
    memory: GraphMemory | None = getattr(_thread, "keeping", None)
    if memory is not None:
        memory.kept.append(value)
    return value


_thread = threading.local()
_graphs: weakref.WeakSet[GraphMemory] = weakref.WeakSet()


def _of_graphs() -> int:
    """Bytes on the current card; those free between two kernels are written to in each launch, too."""
    return sum(int(memory.pool.total_bytes()) for memory in list(_graphs))


def _in_units(count: int) -> str:
    """A number of bytes as people write it.

    Examples
    --------
    >>> _in_units(512), _in_units(3 * 1024**2), _in_units(5 * 1024**3 // 2)
    ('512 B', '3.0 MiB', '2.5 GiB')
    """
    for unit, size in (("GiB", 1024**3), ("MiB", 1024**2), ("KiB", 1024)):
        if abs(count) >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} B"


def _pool(where: str) -> Any:
    return find_cupy(f"cuda.{where}").get_default_memory_pool()


def _peaks() -> dict[int, int]:
    """The most bytes that arrays have had, by the number of the card; counted from the first call on."""
    if not hasattr(_thread, "hook"):
        cupy = find_cupy("cuda.max_memory_allocated")
        _thread.peaks = {}
        _thread.hook = _counting_hook(cupy.cuda.MemoryHook, _thread.peaks)
        _thread.hook.__enter__()
    peaks: dict[int, int] = _thread.peaks
    return peaks


def _counting_hook(base: Any, peaks: dict[int, int]) -> Any:
    """What CuPy tells of each new array of this thread."""

    class CountPeaks(base):
        name = "tinyconv.cuda.max_memory_allocated"

        def malloc_postprocess(self, **told: int) -> None:
            number = told["device_id"]
            peaks[number] = max(peaks.get(number, 0), memory_allocated(number))

    return CountPeaks()
