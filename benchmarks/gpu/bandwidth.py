"""How near to the speed of a copy the kernels on a card come that only move numbers.

    python -m benchmarks.gpu.bandwidth

prints each rate as a line of JSON. The cases are those of `benchmarks.traffic`, with eight times the
images, so that they are larger than the card's caches too; a copy is timed beside each.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.bandwidth import Rate, jobs, rate, tasks
from benchmarks.goals import Goal

TIMES, CALLS = 8, 10
COPIED_BYTES = 2**29
GOAL = 0.85
"""Of a copy's speed, for pooling, activations, dropout and optimisers."""

FAMILIES = {"pooling": "pool", "dropout": "dropout", "optimisers": ": step"}


def measure(text: str | None, quick: bool, show: Callable[[str], None] = lambda label: None) -> list[Rate]:
    """The rates of all ops (with `text` in their label), in a new process."""
    request = json.dumps({"text": text, "quick": quick})
    command = [sys.executable, "-m", "benchmarks.gpu.bandwidth", request]
    rates = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            rates.append(Rate(**json.loads(line)))
            show(rates[-1].label)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return rates


def rates(
    text: str | None, quick: bool, seconds: Callable[[Callable[[], Any], int], float], copied: int
) -> Iterator[Rate]:
    """Each op's rate, by the card's clock: ``seconds(run, calls)``."""
    import cupy

    source = cupy.ones(copied // 4, dtype="float32")
    target = cupy.empty_like(source)

    def copy() -> None:
        cupy.copyto(target, source)

    for job in jobs(tasks(text), quick, "cuda", 1 if quick else TIMES):
        yield rate(job, copy, 2.0 * copied, lambda run: seconds(run, CALLS))


def goals(rates: Sequence[Rate]) -> list[Goal]:
    """The least share of each family, where one was measured."""
    from benchmarks.traffic import ACTIVATIONS

    families = {name: [one for one in rates if part in one.label] for name, part in FAMILIES.items()}
    families["activations"] = [one for one in rates if one.name in ACTIVATIONS]
    found = []
    for name, members in families.items():
        if members:
            worst = min(members, key=lambda one: one.share)
            found.append(Goal(f"{name}, the slowest ({worst.label}) / a copy", worst.share, GOAL))
    return found


def main() -> None:
    """In the new process: print each rate as soon as it is known."""
    import tinyconv as tc
    from tinyconv.benchmark.gpu import GpuEngine

    request = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {"text": None, "quick": False}
    engine = GpuEngine(tc, lambda thing, ndim: thing, tc.optim.Adam, tc.no_grad)
    copied = COPIED_BYTES // 256 if request["quick"] else COPIED_BYTES
    for one in rates(request["text"], request["quick"], engine.seconds, copied):
        print(json.dumps(asdict(one)), flush=True)


if __name__ == "__main__":
    main()
