"""Where and when something was measured."""

from __future__ import annotations

import datetime
import os
import platform
from pathlib import Path
from typing import Any

from tinyconv.device import available_threads

RESTING_LOAD = 0.5


def processor() -> str:
    """The name of the processor, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def load() -> float | None:
    """How many programs wanted to run during the last minute; None where the system does not say."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def warning(busy: float | None) -> str:
    """What to say before a race when the `load` was `busy`; empty if the machine is at rest.

    Examples
    --------
    >>> warning(3.2)
    'other programs keep this machine busy (load 3.2): do not trust the times'
    >>> warning(0.1)
    ''
    """
    if busy is None or busy <= RESTING_LOAD:
        return ""
    return f"other programs keep this machine busy (load {busy:.1f}): do not trust the times"


def facts(threads: int) -> dict[str, Any]:
    """Machine, versions and date, to stand beside measured numbers."""
    import numpy

    from tinyconv._version import __version__

    return {
        "date": datetime.datetime.now().astimezone().isoformat(timespec="minutes"),
        "processor": processor(),
        "cores": available_threads(),
        "threads": threads,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "tinyconv": __version__,
    }


def describe(threads: int) -> str:
    """`facts` in one line."""
    known = facts(threads)
    versions = ", ".join(f"{name} {known[name]}" for name in ("tinyconv", "python", "numpy"))
    machine = f"{known['processor']}, {known['system']}, threads: {threads} of {known['cores']}"
    return f"{machine}; {versions}; {known['date']}"
