"""What this machine can do at best, measured beside the race: multiply-adds and memory.

    python -m benchmarks.ceiling THREADS

prints the numbers as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Any

from tinyconv.benchmark.process import THREAD_VARIABLES
from tinyconv.benchmark.worker import limit_cores

SECONDS = 0.3
TRIES = 7
STEPS = 128
TILES = 2000
COPIED_BYTES = 2**28


def measure(threads: int) -> dict[str, float]:
    """Peak in GFLOP/s with 1 thread and with all, and GB/s of a copy (read and written), in a new process."""
    environment = os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads))
    command = [sys.executable, "-m", "benchmarks.ceiling", str(threads)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment)
    return json.loads(done.stdout)


def _best_rate(work: Any, amount: float) -> float:
    """The highest of a few rates, in `amount` per second: what disturbs can only slow down."""
    work()
    rates = []
    for _ in range(TRIES):
        start, calls = time.perf_counter(), 0
        while time.perf_counter() - start < SECONDS / TRIES or not calls:
            work()
            calls += 1
        rates.append(amount * calls / (time.perf_counter() - start))
    return max(rates)


def _multiply_adds(threads: int) -> float:
    """GFLOP/s of the micro-kernel on tiles that fit into the first-level cache."""
    import numba
    import numpy as np

    from tinyconv.kernels.cpu.microkernel import ROWS_2, lanes, make_tile

    tile = make_tile(ROWS_2, 2, accumulate=True, masked=False)
    columns = 2 * lanes(4)

    @numba.njit(parallel=True)
    def work(a: Any, b: Any, c: Any, row: Any, out: Any, segment: Any, threads: int) -> None:
        for thread in numba.prange(threads):
            for _ in range(TILES):
                tile(
                    a[thread], 0, row, 0, segment, 0, 1, STEPS, 1,
                    b[thread], 0, columns, c[thread], 0, out, b[thread], 0, columns,
                )  # fmt: skip

    numba.set_num_threads(threads)
    shapes = (ROWS_2 * STEPS, STEPS * columns, ROWS_2 * columns)
    a, b, c = (np.zeros((threads, size), np.float32) for size in shapes)
    row, out = np.arange(ROWS_2) * STEPS, np.arange(ROWS_2) * columns
    segment = np.zeros(1, np.int64)
    flops = 2.0 * threads * TILES * ROWS_2 * columns * STEPS
    return _best_rate(lambda: work(a, b, c, row, out, segment, threads), flops) / 1e9


def copy_kernel() -> Any:
    """A compiled ``target[:] = source`` that all threads share."""
    import numba

    @numba.njit(parallel=True)
    def work(source: Any, target: Any) -> None:
        for index in numba.prange(len(source)):
            target[index] = source[index]

    return work


def _copy(threads: int) -> float:
    """GB/s, read and written, of a copy much larger than the caches."""
    import numba
    import numpy as np

    work = copy_kernel()
    numba.set_num_threads(threads)
    source, target = np.ones(COPIED_BYTES // 4, np.float32), np.zeros(COPIED_BYTES // 4, np.float32)
    return _best_rate(lambda: work(source, target), 2.0 * COPIED_BYTES) / 1e9


def main() -> None:
    threads = int(sys.argv[1])
    limit_cores(threads)
    numbers = {
        "peak_1_thread": _multiply_adds(1),
        "peak": _multiply_adds(threads),
        "copy_1_thread": _copy(1),
        "copy": _copy(threads),
    }
    print(json.dumps({name: round(value, 2) for name, value in numbers.items()}))


if __name__ == "__main__":
    main()
