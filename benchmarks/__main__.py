"""``python -m benchmarks``: tinyconv against the other engines, on this machine."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import bandwidth, cases, ceiling
from benchmarks.contenders import ALL
from benchmarks.memory import memory_rows
from benchmarks.report import Report, print_report, write
from tinyconv.benchmark import Case, Settings, race
from tinyconv.benchmark.case import TRAINING, tasks_of
from tinyconv.benchmark.machine import facts, load, warning
from tinyconv.benchmark.table import all_right
from tinyconv.device import available_threads

Jobs = list[tuple[Case, str]]


class Part(StrEnum):
    """What can be measured on its own."""

    LAYERS = "layers"
    NETWORKS = "networks"
    MEMORY = "memory"
    CEILING = "ceiling"
    BANDWIDTH = "bandwidth"


def chosen(names: str | None) -> dict[str, str]:
    """The contenders whose name begins with one of `names` (comma between); all if None."""
    found: set[str] = set()
    for given in names.split(",") if names else [""]:
        beginning = given.strip()
        fitting = {name for name in ALL if name.startswith(beginning)}
        if not fitting:
            raise typer.BadParameter(f"{beginning!r}: there are {', '.join(ALL)}")
        found |= fitting
    return {name: address for name, address in ALL.items() if name in found}


def matching(jobs: Jobs, text: str | None) -> Jobs:
    """The jobs with `text` in "case: task"."""
    return [(case, task) for case, task in jobs if text is None or text in f"{case.name}: {task}"]


def main(
    only: Annotated[list[Part] | None, typer.Option(help="Measure this part; may be repeated.")] = None,
    filter: Annotated[str | None, typer.Option(help='Only cases with this in "name: task".')] = None,
    contenders: Annotated[
        str | None, typer.Option(help="How their names begin: `tinyconv,pytorch`.  [default: all]")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Turns of each contender in each case.")] = 3,
    threads: Annotated[
        int | None,
        typer.Option(min=1, max=available_threads(), help="Of each contender.  [default: all cores]"),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A few cases, short turns: does everything work?")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for results.  [default: docs/benchmarks, if nothing was left out]"),
    ] = None,
) -> None:
    """Measure tinyconv and the other engines; exit status 1 if results disagree."""
    parts, names = set(only or Part), chosen(contenders)
    if out is None and not (only or filter or contenders or quick):
        out = Path(__file__).parents[1] / "docs" / "benchmarks"
    settings = Settings(threads or available_threads(), rounds, turn_seconds=0.05 if quick else 0.5)
    layers, networks = (
        matching(tasks_of(some), filter)
        for some in ((cases.QUICK_LAYERS, cases.QUICK_NETWORKS) if quick else (cases.LAYERS, cases.NETWORKS))
    )
    report = Report(facts(settings.threads), {**asdict(settings), "load before": load()})
    console = Console()
    if busy := warning(report.settings["load before"]):
        console.print(busy, highlight=False)
    jobs = [*(layers if Part.LAYERS in parts else []), *(networks if Part.NETWORKS in parts else [])]
    memory_jobs = [job for job in networks if job[1] == TRAINING] if Part.MEMORY in parts else []
    passes = len(bandwidth.tasks(filter)) if Part.BANDWIDTH in parts else 0
    total = len(jobs) + len(memory_jobs) + passes
    with bar(console) as progress:
        task = progress.add_task("ceiling", total=total, completed=-1)

        def show(label: str) -> None:
            progress.update(task, description=label, advance=1)
            if not console.is_terminal:
                console.print(f"{time.strftime('%H:%M:%S')} {label}", highlight=False, markup=False)

        if Part.CEILING in parts:
            report.ceiling = ceiling.measure(settings.threads)
        for row in race(jobs, names, settings, show, report.versions):
            report.rows.append(row)
        report.memory += memory_rows(memory_jobs, names, settings.threads, show, Part.NETWORKS in parts)
        rates = bandwidth.measure(settings.threads, filter, quick, show) if passes else []
        progress.update(task, description="done", completed=total)
    report.settings["load after"] = load()
    print_report(report, console)
    if rates:
        console.print(bandwidth.page_table(rates), highlight=False, markup=False)
    loads = {name: report.settings[name] for name in ("load before", "load after")}
    written = [
        *(write(report, out) if out and parts != {Part.BANDWIDTH} else []),
        *(bandwidth.write(rates, report.facts, loads, out) if out and rates else []),
    ]
    for path in written:
        console.print(f"wrote {path}", highlight=False, markup=False)
    if not all_right(report.rows, ours="tinyconv" if "tinyconv" in names else ""):
        sys.exit(1)


def bar(console: Console) -> Progress:
    """A progress bar with the time gone by."""
    columns: list[Any] = [BarColumn(20), MofNCompleteColumn(), TimeElapsedColumn()]
    return Progress(*columns, TextColumn("{task.description}"), console=console)


if __name__ == "__main__":
    typer.run(main)
