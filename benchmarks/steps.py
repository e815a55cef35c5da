"""One convolution written seven times, each time faster: the figure of docs/fast-convolution.md.

    python -m benchmarks.steps --out docs/benchmarks

writes `steps.json` and `steps.png`. The layer has 64 channels in and out and a 3x3 kernel; the
loops in Python get a small corner of it. All results are compared with the float64 definition
before a step is timed. GFLOP/s count the multiplications and additions of the definition, so that
Winograd, which needs fewer, can pass the peak.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks import ceiling
from tinyconv.benchmark.machine import facts
from tinyconv.device import available_threads, conv_algorithm, num_threads
from tinyconv.kernels.cpu.conv import conv as fast_conv
from tinyconv.kernels.reference.conv import conv as reference_conv
from tinyconv.viz import plot_speeds

Array = Any
Step = Callable[[Array, Array], Array]

GEOMETRY = (1, 1), (1, 1), (1, 1), 1
TRIES = 7
SECONDS = 1.0


def loops_in_python(x: Array, weight: Array) -> Array:
    """The definition, number by number, without padding."""
    batch, channels, height, width = x.shape
    columns = weight.shape[0]
    y = np.zeros((batch, columns, height - 2, width - 2), x.dtype)
    for n in range(batch):
        for k in range(columns):
            for h in range(height - 2):
                for w in range(width - 2):
                    for c in range(channels):
                        for i in range(3):
                            for j in range(3):
                                y[n, k, h, w] += x[n, c, h + i, w + j] * weight[k, c, i, j]
    return y


def compiled(function: Callable[..., Array]) -> Callable[..., Array]:
    import numba

    return numba.njit(fastmath={"contract", "reassoc"})(function)


def channels_last_loops(x: Array, weight: Array) -> Array:
    """x (N, H, W, C), weight (3, 3, C, K): the innermost loop runs along neighbours in memory."""
    batch, height, width, channels = x.shape
    columns = weight.shape[3]
    y = np.zeros((batch, height - 2, width - 2, columns), x.dtype)
    for n in range(batch):
        for h in range(height - 2):
            for w in range(width - 2):
                for i in range(3):
                    for j in range(3):
                        for c in range(channels):
                            for k in range(columns):
                                y[n, h, w, k] += x[n, h + i, w + j, c] * weight[i, j, c, k]
    return y


def padded(x: Array) -> Array:
    return np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))


def steps() -> list[tuple[str, int, bool, Step]]:
    """What to call it, the threads it uses, whether it is for a small layer only, and the step."""
    plain, vectors = compiled(loops_in_python), compiled(channels_last_loops)

    def with_vectors(x: Array, weight: Array) -> Array:
        last = np.ascontiguousarray(padded(x).transpose(0, 2, 3, 1))
        return vectors(last, np.ascontiguousarray(weight.transpose(2, 3, 1, 0))).transpose(0, 3, 1, 2)

    def by(algorithm: str, threads: int) -> Step:
        def step(x: Array, weight: Array) -> Array:
            with conv_algorithm(algorithm), num_threads(threads):
                return fast_conv(x, weight, None, *GEOMETRY)

        return step

    every = available_threads()
    return [
        ("loops in Python", 1, True, lambda x, w: loops_in_python(padded(x), w)),
        ("the same loops, compiled", 1, False, lambda x, w: plain(padded(x), w)),
        ("channels last: neighbours in vectors", 1, False, with_vectors),
        ("im2col and NumPy's product", every, False, lambda x, w: reference_conv(x, w, None, *GEOMETRY)),
        ("a tile of sums in registers", 1, False, by("direct", 1)),
        (f"on {every} cores", every, False, by("direct", every)),
        (f"Winograd, on {every} cores", every, False, by("winograd", every)),
    ]


def layer(batch: int, channels: int, size: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((batch, size, size, channels), dtype=np.float32).transpose(0, 3, 1, 2)
    return x, rng.standard_normal((channels, channels, 3, 3), dtype=np.float32)


def checked(name: str, step: Step, x: Array, weight: Array) -> None:
    """The step must give what the definition gives in float64; stop if it does not."""
    right = reference_conv(x.astype(np.float64), weight.astype(np.float64), None, *GEOMETRY)
    error = np.abs(step(x, weight) - right).max() / np.abs(right).max()
    if not error < 1e-4:
        raise SystemExit(f"{name}: the result is wrong by {error:.1e} of the largest output")


def speed(step: Step, x: Array, weight: Array) -> float:
    """GFLOP/s of the definition: the best of some tries, since what disturbs can only slow down."""
    flops = 2.0 * x.shape[0] * x.shape[2] * x.shape[3] * weight.size
    best, begin = float("inf"), time.perf_counter()
    for done in range(100):
        start = time.perf_counter()
        step(x, weight)
        best = min(best, time.perf_counter() - start)
        if done + 1 >= TRIES and time.perf_counter() - begin > SECONDS:
            break
    return flops / best / 1e9


def main(
    out: Annotated[Path | None, typer.Option(help="Folder for steps.json and steps.png.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A small layer: does everything work?")] = False,
) -> None:
    """Time each step on this machine."""
    small, large = layer(1, 8, 12), layer(*((1, 16, 24) if quick else (4, 64, 64)))
    results = []
    for name, threads, is_small, step in steps():
        x, weight = small if is_small else large
        checked(name, step, *small)
        checked(name, step, x, weight)
        results.append({"step": name, "threads": threads, "gflops": speed(step, x, weight)})
        print(f"{name:40} {results[-1]['gflops']:10.3f} GFLOP/s", flush=True)
    limits = ceiling.measure(available_threads())
    print(f"{'peak, 1 core / all':40} {limits['peak_1_thread']:10.1f} / {limits['peak']:.1f}")
    if out is not None:
        machine = facts(available_threads())
        out.mkdir(parents=True, exist_ok=True)
        found = {"machine": machine, "ceiling": limits, "steps": results}
        (out / "steps.json").write_text(json.dumps(found, indent=1) + "\n")
        plot_speeds(
            [result["step"] for result in results],
            [result["gflops"] for result in results],
            {"peak of one core": limits["peak_1_thread"], "peak of all cores": limits["peak"]},
            f"3x3, 64 channels: {machine['processor']}, {machine['date'][:10]}",
            out / "steps.png",
        )


if __name__ == "__main__":
    typer.run(main)
