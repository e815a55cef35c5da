"""Which graphics cards there are, and which one is meant."""

from __future__ import annotations

from types import ModuleType, TracebackType
from typing import Any

from tinyconv.device import Device
from tinyconv.device_errors import find_cupy
from tinyconv.errors import DeviceError

Card = str | int | None
"""A card's number, its name as ``"cuda:1"``, or None for the current one."""


def device_count() -> int:
    """How many graphics cards can be computed on; 0 without CuPy."""
    try:
        import cupy

        return int(cupy.cuda.runtime.getDeviceCount())
    except Exception:  # CuPy is missing, or has no driver: it raises several kinds
        return 0


def is_available() -> bool:
    """Whether there is a graphics card to compute on.

    Examples
    --------
    >>> import tinyconv as tc
    >>> device = tc.device("cuda" if tc.cuda.is_available() else "cpu")
    >>> tc.ones(2).to(device).device == tc.zeros(2, device=device).device
    True
    """
    return device_count() > 0


def current_device() -> int:
    """The number of the card that ``"cuda"`` without a number means."""
    return int(find_cupy("cuda.current_device").cuda.runtime.getDevice())


def set_device(device: Card) -> None:
    """Make a card the current one, in this thread."""
    card(device, "cuda.set_device").use()


def synchronize(device: Card = None) -> None:
    """Wait until all work that was given to the card is done."""
    card(device, "cuda.synchronize").synchronize()


def get_device_name(device: Card = None) -> str:
    """What the maker calls the card."""
    where = "cuda.get_device_name"
    number = card(device, where).id
    return str(find_cupy(where).cuda.runtime.getDeviceProperties(number)["name"].decode())


def get_device_capability(device: Card = None) -> tuple[int, int]:
    """The compute capability of the card, for example (9, 0)."""
    digits = str(card(device, "cuda.get_device_capability").compute_capability)
    return int(digits[:-1]), int(digits[-1])


class device:  # noqa: N801 - PyTorch's name
    """In this block, another card is the current one.

    Parameters
    ----------
    device : int, str or None
        None, or a number below zero, changes nothing.
    """

    def __init__(self, device: Card) -> None:
        self.device = device
        self._cards: list[Any] = []

    def __enter__(self) -> None:
        if self.device is not None and not (isinstance(self.device, int) and self.device < 0):
            self._cards.append(card(self.device, "cuda.device"))
            self._cards[-1].__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._cards:
            self._cards.pop().__exit__(kind, error, trace)


def card(device: Card, where: str) -> Any:
    """CuPy's object for a card; for an error, `where` is the function that was called."""
    if device is None:
        return find_cupy(where).cuda.Device()
    if isinstance(device, int) and not isinstance(device, bool):
        device = f"cuda:{device}" if device >= 0 else f"number {device}"
    if not isinstance(device, str) or Device(device).type != "cuda":
        raise DeviceError(where, "device", repr(device), "'cuda', 'cuda:0' or 0")
    cupy: ModuleType = find_cupy(where, device)
    number = Device(device).index
    return cupy.cuda.Device() if number is None else cupy.cuda.Device(number)
