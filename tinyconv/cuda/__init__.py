"""What a script asks about graphics cards, by PyTorch's names; the work goes through CuPy.

| file | subject |
|---|---|
| `cards.py` | which cards there are, and which one is meant |
| `graphs.py` | what kernels are told of CUDA graphs |
| `memory.py` | how much of their memory is taken |
| `pinned.py` | memory of the host that a card can read by itself |
| `streams.py` | work that goes on beside other work, and the time that it takes |

A card is named as PyTorch does it: by its number, as ``"cuda:1"``, or None for the current one.
Without a card that works, whatever needs one raises a `DeviceError` that says what is missing.
"""

from __future__ import annotations

from typing import Any

from tinyconv.cuda.cards import (
    current_device,
    device,
    device_count,
    get_device_capability,
    get_device_name,
    is_available,
    set_device,
    synchronize,
)
from tinyconv.cuda.memory import (
    empty_cache,
    max_memory_allocated,
    mem_get_info,
    memory_allocated,
    memory_reserved,
    memory_summary,
    reset_peak_memory_stats,
)
from tinyconv.cuda.streams import Event, Stream, current_stream, default_stream, stream
from tinyconv.device import manual_seed as manual_seed
from tinyconv.errors import OutOfMemoryError, missing_name

__all__ = [
    "Event",
    "OutOfMemoryError",
    "Stream",
    "current_device",
    "current_stream",
    "default_stream",
    "device",
    "device_count",
    "empty_cache",
    "get_device_capability",
    "get_device_name",
    "is_available",
    "manual_seed",
    "manual_seed_all",
    "max_memory_allocated",
    "mem_get_info",
    "memory_allocated",
    "memory_reserved",
    "memory_summary",
    "reset_peak_memory_stats",
    "set_device",
    "stream",
    "synchronize",
]


def manual_seed_all(seed: int) -> None:
    """The same as `tinyconv.manual_seed`: one seed serves all devices."""
    manual_seed(seed)


def __getattr__(name: str) -> Any:
    instead = {"amp": "tinyconv.amp", "CUDAGraph": "tinyconv.compile", "graph": "tinyconv.compile"}
    raise missing_name("tinyconv.cuda", name, __all__, instead)
