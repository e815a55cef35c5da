"""The card, and the versions of all that stands between it and Python."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from typing import Any

UNKNOWN = "unknown"
DRIVER = ("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader")
PYTORCH = (
    sys.executable,
    "-c",
    "import torch; print(f'{torch.__version__}, {torch.backends.cudnn.version()}')",
)
"""In a process of its own, as PyTorch takes memory of the card."""


def card_facts() -> dict[str, Any]:
    """What the card is, and versions: of the driver, of CUDA, of CuPy, and of PyTorch with its cuDNN."""
    import cupy

    from tinyconv import cuda

    runtime = cupy.cuda.runtime
    return {
        "card": cuda.get_device_name(),
        "compute capability": ".".join(map(str, cuda.get_device_capability())),
        "memory of the card, bytes": cuda.mem_get_info()[1],
        "driver's release": printed(DRIVER),
        "cuda of the driver, runtime": f"{runtime.driverGetVersion()}, {runtime.runtimeGetVersion()}",
        "cupy": cupy.__version__,
        "pytorch, its cudnn": printed(PYTORCH),
    }


def printed(command: Sequence[str]) -> str:
    """The first line that a command prints, or that it is unknown."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    except (OSError, subprocess.SubprocessError):
        return UNKNOWN
    return next(iter(done.stdout.split("\n")), "").strip() or UNKNOWN
