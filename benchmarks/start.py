"""How long until the first training step: a fresh process, with the kernels compiled and on disk.

    python -m benchmarks.start

runs the U-Net twice, each time in a process of its own: the first fills the caches, the second counts.
It prints the seconds of the import, of making the network, and of the first step less a later one,
which is what loading the kernels takes; by the clock and of the processor, where other programs
do not count.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from typing import Annotated

import typer

NETWORKS = {"unet": (4, (3, 256, 256)), "vgg16": (32, (3, 32, 32)), "mlp": (64, (784,))}
LATER_STEPS = 3


def seconds() -> tuple[float, float]:
    """By the clock, and of the processor."""
    return time.perf_counter(), time.process_time()


def measure(name: str) -> dict[str, list[float]]:
    """Seconds of each part in this process, (by the clock, of the processor)."""
    marks = [seconds()]
    from tinyconv.benchmark.engines import tinyconv
    from tinyconv.device import available_threads

    contender = tinyconv(available_threads())
    marks.append(seconds())
    from tinyconv.benchmark.case import TRAINING, Network

    batch, size = NETWORKS[name]
    job = contender.prepare(Network(name, batch, size), TRAINING)
    marks.append(seconds())
    for _ in range(1 + LATER_STEPS):
        job.run()
        marks.append(seconds())
    imported, made, first, *later = (
        [b - a for a, b in zip(before, after, strict=True)] for before, after in itertools.pairwise(marks)
    )
    step = [min(times) for times in zip(*later, strict=True)]
    loading = [a - b for a, b in zip(first, step, strict=True)]
    total = [sum(times) for times in zip(imported, made, loading, strict=True)]
    return {"import": imported, "network": made, "loading": loading, "total": total, "a later step": step}


def in_a_second_process(name: str) -> dict[str, list[float]]:
    """What `measure` gives in the second of two fresh processes."""
    command = [sys.executable, "-c", f"from benchmarks import start; start.show({name!r})"]
    for _ in range(2):
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def show(name: str) -> None:
    """Print what `measure` gives as JSON."""
    print(json.dumps(measure(name)))


def main(network: Annotated[str, typer.Option(help=", ".join(NETWORKS))] = "unet") -> None:
    """Measure the start in a second process."""
    if network not in NETWORKS:
        raise typer.BadParameter(f"{network!r}: there are {', '.join(NETWORKS)}")
    for part, (clock, processor) in in_a_second_process(network).items():
        typer.echo(f"{part:>14} {clock:6.2f} s by the clock, {processor:6.2f} s of the processor")


if __name__ == "__main__":
    typer.run(main)
