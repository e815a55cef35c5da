"""``python -m benchmarks.gpu``: tinyconv against PyTorch on a graphics card, and on the processor."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from benchmarks import cases
from benchmarks.__main__ import matching
from benchmarks.gpu import bandwidth, ceiling
from benchmarks.gpu.card import card_facts
from benchmarks.gpu.goals import EAGER_GOALS
from benchmarks.gpu.report import Report, write
from benchmarks.memory import memory_rows
from tinyconv.benchmark import Settings, race
from tinyconv.benchmark.case import TRAINING, tasks_of
from tinyconv.benchmark.gpu import CONTENDERS, PROCESSOR, rounding
from tinyconv.benchmark.machine import facts
from tinyconv.device import available_threads
from tinyconv.device_errors import find_cupy
from tinyconv.errors import DeviceError


def main(
    filter: Annotated[str | None, typer.Option(help='Only cases with this in "name: task".')] = None,
    contenders: Annotated[str | None, typer.Option(help="Only those with this in their name.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Turns of each contender in each case.")] = 3,
    quick: Annotated[
        bool, typer.Option("--quick", help="A few cases, short turns: does everything work?")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for results.  [default: docs/benchmarks, if nothing was left out]"),
    ] = None,
) -> None:
    """Measure tinyconv and PyTorch on the first card; without one, say so and write nothing.

    Contenders that are wrong or fail are named at the end, and the exit status is 1.
    """
    try:
        find_cupy("bench-gpu")
    except DeviceError as error:
        print(f"nothing was measured: {error}")
        return
    if out is None and not (filter or contenders or quick):
        out = Path(__file__).parents[2] / "docs" / "benchmarks"
    names = {name: CONTENDERS[name] for name in CONTENDERS if contenders is None or contenders in name}
    networks = dict.fromkeys((*cases.NETWORKS, *EAGER_GOALS))
    both = (*cases.QUICK_LAYERS, *cases.QUICK_NETWORKS) if quick else (*cases.LAYERS, *networks)
    jobs = matching(tasks_of(both), filter)
    settings = Settings(available_threads(), rounds, turn_seconds=0.05 if quick else 0.5)
    report = Report({**card_facts(), **facts(settings.threads)}, ceiling.measure())
    roundings = {name: rounding(name) for name in names}
    for row in race(jobs, names, settings, say, report.versions, roundings=roundings):
        report.rows.append(row)
    on_card = {name: address for name, address in names.items() if not name.startswith(PROCESSOR)}
    steps = [(case, task) for case, task in jobs if task == TRAINING]
    report.memory += memory_rows(steps, on_card, settings.threads, say, warm=True)
    if contenders is None:
        report.moving += bandwidth.measure(filter, quick, say)
    for goal in report.goals:
        print(goal)
    for path in write(report, out) if out else []:
        print(f"wrote {path}")
    for failure in report.failures:
        print(failure)
    if report.failures:
        sys.exit(1)


def say(label: str) -> None:
    """What is measured now."""
    print(f"{time.strftime('%H:%M:%S')} {label}", flush=True)


if __name__ == "__main__":
    typer.run(main)
