"""How much memory this process has, and had at most."""

from __future__ import annotations

import contextlib
import sys
from multiprocessing import active_children
from pathlib import Path

PROCESSES = Path("/proc")


def resident_bytes() -> int:
    """Memory of this process and its workers now, or its own highest so far where the system is silent."""
    workers = [_status("VmRSS", process.pid) or 0 for process in active_children()]
    return (_status("VmRSS") or _highest_ever()) + sum(workers)


def peak_bytes() -> int:
    """The highest memory of this process since `forget_peak`, or ever where it cannot be forgotten."""
    return _status("VmHWM") or _highest_ever()


def forget_peak() -> None:
    """Let `peak_bytes` begin anew, on Linux; elsewhere nothing happens."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _status(name: str, process: int | str | None = "self") -> int | None:
    try:
        lines = (PROCESSES / str(process) / "status").read_text().splitlines()
    except OSError:
        return None
    values = [line.split()[1] for line in lines if line.startswith(f"{name}:")]
    return 1024 * int(values[0]) if values else None


def _highest_ever() -> int:
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
