"""What the stand-in says of its cards: device, runtime, streams and memory pool."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterator
from types import ModuleType
from typing import Any, ClassVar, Self

from tinyconv.kernels.cuda.emulator import graphs, orders, streams
from tinyconv.kernels.cuda.emulator.cards import CARDS, CURRENT, ROOM, home

ATTRIBUTES = {
    "MultiProcessorCount": 2,  # few, so that a small array makes a thread take several turns of its loop
    "MaxThreadsPerBlock": 1024,
    "MaxSharedMemoryPerBlock": 48 * 1024,
    "MaxSharedMemoryPerBlockOptin": 163 * 1024,
    "MaxSharedMemoryPerMultiprocessor": 164 * 1024,
    "WarpSize": 32,
    "ComputeCapabilityMajor": 8,
    "ComputeCapabilityMinor": 0,
}


class CUDARuntimeError(RuntimeError):
    """A call of the runtime that went wrong."""

    def __init__(self, status: int | str, message: str = "") -> None:
        super().__init__(f"{status}: {message}" if message else str(status))
        self.status = status


class OutOfMemoryError(MemoryError):
    """Stands for `cupy.cuda.memory.OutOfMemoryError`: an array does not fit."""

    __module__ = "cupy.cuda.memory"


class CUDADriverError(RuntimeError):
    """A launch that the driver refuses."""


class Device:
    """Stands for `cupy.cuda.Device`."""

    def __init__(self, device: int | Device | None = None) -> None:
        chosen = CURRENT[-1] if device is None else device
        self.id: int = chosen.id if isinstance(chosen, Device) else int(chosen)

    @property
    def attributes(self) -> dict[str, int]:
        return ATTRIBUTES

    @property
    def compute_capability(self) -> str:
        return f"{ATTRIBUTES['ComputeCapabilityMajor']}{ATTRIBUTES['ComputeCapabilityMinor']}"

    @property
    def mem_info(self) -> tuple[int, int]:
        return memGetInfo()

    def use(self) -> Device:
        CURRENT[-1] = self._checked()
        return self

    def synchronize(self) -> None:
        self._checked()
        graphs.wait_for_all()
        orders.note(orders.SYNCHRONIZE, orders.ALL_STREAMS)

    def __enter__(self) -> Device:
        CURRENT.append(self._checked())
        return self

    def __exit__(self, *error: object) -> None:
        CURRENT.pop()

    def _checked(self) -> int:
        if not 0 <= self.id < CARDS[0]:
            raise CUDARuntimeError("cudaErrorInvalidDevice", "invalid device ordinal")
        return self.id

    def __int__(self) -> int:
        return self.id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device) and self.id == other.id

    def __hash__(self) -> int:
        return self.id

    def __repr__(self) -> str:
        return f"<CUDA Device {self.id}>"


class PinnedMemoryPointer(bytearray):
    """Stands for CuPy's pointer to memory of the host that a card can read."""

    __module__ = "cupy.cuda.pinned_memory"


class MemoryHook:
    """Stands for `cupy.cuda.MemoryHook`: it is told of each new array."""

    hooks: ClassVar[list[MemoryHook]] = []
    name = "MemoryHook"

    def malloc_postprocess(self, **told: int) -> None:
        """An array was made."""

    def __enter__(self) -> Self:
        self.hooks.append(self)
        return self

    def __exit__(self, *error: object) -> None:
        self.hooks.remove(self)


class MemoryPool:
    """Stands for `cupy.cuda.MemoryPool`: it counts the arrays that are made with it, and what they leave."""

    current: ClassVar[MemoryPool]
    pools: ClassVar[weakref.WeakSet[MemoryPool]] = weakref.WeakSet()

    def __init__(self) -> None:
        self.pools.add(self)
        self.spans: dict[int, tuple[int, int]] = {}
        self._left: dict[int, int] = {}

    def made(self, owner: int, span: tuple[int, int]) -> None:
        """An array took this memory; what others have left is used first."""
        self.spans[owner] = span
        self._left[CURRENT[-1]] = max(0, self.free_bytes() - (span[1] - span[0]))

    def finds_room(self, size: int) -> bool:
        """Whether an array fits; what this pool keeps is given back for it, and what others keep is not."""
        if ROOM[0] is None:
            return True
        if self._taken() + max(0, size - self.free_bytes()) > ROOM[0]:
            self.free_all_blocks()
        return self._taken() + max(0, size - self.free_bytes()) <= ROOM[0]

    def _taken(self) -> int:
        return sum(pool.total_bytes() for pool in self.pools)

    def left(self, owner: int, number: int) -> None:
        """It is gone; its memory on card `number` stays in the pool."""
        begin, end = self.spans.pop(owner)
        self._left[number] = self._left.get(number, 0) + end - begin

    def malloc(self, size: int) -> Any:
        raise NotImplementedError("the stand-in's arrays have memory of their own")

    def free_all_blocks(self, stream: Any = None) -> None:
        """Of the current card."""
        self._left[CURRENT[-1]] = 0

    def used_bytes(self) -> int:
        """On the current card."""
        spans = list(self.spans.items())
        return sum(end - begin for owner, (begin, end) in spans if home.get(owner) == CURRENT[-1])

    def total_bytes(self) -> int:
        return self.used_bytes() + self.free_bytes()

    def free_bytes(self) -> int:
        return self._left.get(CURRENT[-1], 0)

    def n_free_blocks(self) -> int:
        return 0


TOTAL_MEMORY = 8 * 2**30


@contextlib.contextmanager
def using_allocator(allocator: Any) -> Iterator[None]:
    """Arrays that are made in this block belong to the pool whose method `allocator` is."""
    before, MemoryPool.current = MemoryPool.current, allocator.__self__
    try:
        yield
    finally:
        MemoryPool.current = before


MemoryPool.current = POOL = MemoryPool()
PROPERTIES = {
    "name": b"emulated",
    "multiProcessorCount": 2,
    "totalGlobalMem": TOTAL_MEMORY,
    "major": 8,
    "minor": 0,
}


def memGetInfo() -> tuple[int, int]:  # noqa: N802  # CUDA's name
    """Bytes that are free, and all."""
    return TOTAL_MEMORY - POOL.total_bytes(), TOTAL_MEMORY


def modules() -> dict[str, ModuleType]:
    """`cupy.cuda` and what is in it, by name."""
    from tinyconv.kernels.cuda.emulator.launching import CompileException

    runtime = _module(
        "cupy.cuda.runtime",
        CUDARuntimeError=CUDARuntimeError,
        getDeviceCount=lambda: CARDS[0],
        getDevice=lambda: CURRENT[-1],
        setDevice=lambda device: Device(device).use(),
        deviceSynchronize=lambda: Device().synchronize(),
        getDeviceProperties=lambda device: PROPERTIES,
        memGetInfo=memGetInfo,
        runtimeGetVersion=lambda: 13000,
        driverGetVersion=lambda: 13000,
    )  # fmt: skip
    driver = _module("cupy.cuda.driver", CUDADriverError=CUDADriverError)
    compiler = _module("cupy.cuda.compiler", CompileException=CompileException)
    of_streams = {
        "Stream": streams.Stream,
        "Event": streams.Event,
        "get_current_stream": streams.get_current_stream,
        "get_elapsed_time": streams.get_elapsed_time,
    }
    stream = _module("cupy.cuda.stream", **of_streams)
    memory = _module("cupy.cuda.memory", MemoryPool=MemoryPool, OutOfMemoryError=OutOfMemoryError)
    cuda = _module(
        "cupy.cuda",
        runtime=runtime, driver=driver, compiler=compiler, stream=stream, memory=memory,
        Device=Device, MemoryPool=MemoryPool, MemoryHook=MemoryHook, is_available=lambda: True,
        using_allocator=using_allocator, alloc_pinned_memory=PinnedMemoryPointer,
        **of_streams,
    )  # fmt: skip
    return {module.__name__: module for module in (cuda, runtime, driver, compiler, stream, memory)}


def _module(name: str, **members: Any) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(members)
    return module
