"""What the card can do at best, measured beside the race: matrix products, and a copy.

    python -m benchmarks.gpu.ceiling

prints the numbers as JSON: TFLOP/s by precision, and GB/s read and written. PyTorch calls NVIDIA's own
libraries for it.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

SIDE = 8192
COPIED_BYTES = 2**30
TRIES, CALLS = 7, 5


def measure() -> dict[str, float]:
    """The numbers, measured in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.gpu.ceiling"]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return found


def rates(make: Callable[[str], Callable[[], Any]], seconds: Callable[..., float]) -> dict[str, float]:
    """The rate of what `make` gives for each name: the best of some, as what disturbs only slows down."""
    flops = 2.0 * SIDE**3 / 1e12
    amounts = {"float32": flops, "tf32": flops, "bfloat16": flops, "copy": 2.0 * COPIED_BYTES / 1e9}
    found = {}
    for name, amount in amounts.items():
        work = make(name)
        work()
        found[name] = round(amount / min(seconds(work, CALLS) for _ in range(TRIES)), 2)
    return found


def _by_pytorch(torch: Any) -> Callable[[str], Callable[[], Any]]:
    def make(name: str) -> Callable[[], Any]:
        if name == "copy":
            source = torch.ones(COPIED_BYTES // 4, device="cuda")
            target = torch.empty_like(source)
            return lambda: target.copy_(source)
        torch.backends.cuda.matmul.allow_tf32 = name == "tf32"
        dtype = torch.bfloat16 if name == "bfloat16" else torch.float32
        a, b = (torch.randn(SIDE, SIDE, device="cuda").to(dtype) for _ in range(2))
        return lambda: a @ b

    return make


def main() -> None:
    from tinyconv.benchmark.gpu import GpuEngine

    torch = importlib.import_module("torch")
    engine = GpuEngine(torch, lambda thing, ndim: thing, torch.optim.Adam, torch.inference_mode)
    print(json.dumps(rates(_by_pytorch(torch), engine.seconds)))


if __name__ == "__main__":
    main()
