"""What a script asks about graphics cards, by PyTorch's names; the work goes through CuPy."""

from __future__ import annotations

from typing import Any

from tinyconv.device import manual_seed as manual_seed
from tinyconv.errors import DeviceError


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


def manual_seed_all(seed: int) -> None:
    """The same as `tinyconv.manual_seed`: one seed serves all devices."""
    manual_seed(seed)


def synchronize(device: str | int | None = None) -> None:
    """Wait until all work that was given to the card is done."""
    _runtime("synchronize").cuda.Device(_number(device)).synchronize()


def empty_cache() -> None:
    """Give memory that is kept for reuse back to the card; nothing without one."""
    if is_available():
        _runtime("empty_cache").get_default_memory_pool().free_all_blocks()


def get_device_name(device: str | int | None = None) -> str:
    """What the maker calls the card."""
    properties = _runtime("get_device_name").cuda.runtime.getDeviceProperties(_number(device) or 0)
    return str(properties["name"].decode())


def _number(device: str | int | None) -> int | None:
    return device if device is None or isinstance(device, int) else int(device.partition(":")[2] or 0)


def _runtime(where: str) -> Any:
    if not is_available():
        raise DeviceError(f"cuda.{where}", "the device", "missing", "a graphics card and CuPy")
    import cupy

    return cupy
