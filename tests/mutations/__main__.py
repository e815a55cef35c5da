"""Plant mistakes in a copy of the engine, one at a time, and see whether the tests notice."""

from __future__ import annotations

import argparse
import queue
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, TimeElapsedColumn
from rich.table import Table

from tests.mutations.mutation import Mutation, all_mutations
from tests.mutations.workshop import Outcome, Workshop

BASELINE_SECONDS = 1800.0
COLOURS = {"caught": "green", "not run": "yellow"}


def main() -> int:
    """0 if every mutation that could be run was caught, 1 if not, 2 if the tests fail without one."""
    options = _options()
    chosen = [m for m in all_mutations() if options.only.lower() in f"{m.name} {m.file}".lower()]
    console = Console(width=None if sys.stdout.isatty() else 150)
    if not chosen:
        console.print(f"no mutation is called {options.only!r}; --list shows all")
        return 2
    if options.list:
        for mutation in chosen:
            console.print(f"{mutation.file}: {mutation.name}", highlight=False, markup=False)
        return 0
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="tinyconv-mutations-") as folder:
        first = Workshop(Path(folder, "0"))
        if not _passes_without(first, chosen, console):
            return 2
        workshops = [first, *(Workshop(Path(folder, str(i)), first.folder) for i in range(1, options.jobs))]
        outcomes = _try_all(chosen, workshops, options.time_limit, console)
    return _show(chosen, outcomes, time.perf_counter() - started, console)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=__doc__)
    parser.add_argument("--only", default="", metavar="TEXT", help="those whose name or file has this in it")
    parser.add_argument("--list", action="store_true", help="show their names, and run nothing")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="so many at a time (default: 1)")
    parser.add_argument(
        "--time-limit", type=float, default=300.0, metavar="SECONDS", help="for each (default: 300)"
    )
    return parser.parse_args()


def _passes_without(workshop: Workshop, mutations: list[Mutation], console: Console) -> bool:
    """Whether the tests pass on the right engine: without that, a failure would say nothing."""
    tests = sorted({test for mutation in mutations for test in mutation.tests})
    with console.status(f"{len(tests)} selections of tests without a mutation, which must pass"):
        report = workshop.run(tests, BASELINE_SECONDS)
    if report.status == 0:
        console.print(f"without a mutation: {report.passed} tests pass, {len(report.skipped)} are skipped")
        return True
    console.print("the tests do not pass without a mutation:")
    console.print(report.output[-3000:], markup=False, highlight=False)
    return False


def _try_all(
    mutations: list[Mutation], workshops: list[Workshop], seconds: float, console: Console
) -> list[Outcome]:
    free: queue.Queue[Workshop] = queue.Queue()
    for workshop in workshops:
        free.put(workshop)

    def try_one(mutation: Mutation) -> Outcome:
        workshop = free.get()
        try:
            outcome = workshop.try_out(mutation, seconds)
        finally:
            free.put(workshop)
        if outcome.verdict != "caught":
            shown = f"{outcome.verdict}: {mutation.file}: {mutation.name} {outcome.detail}"
            console.print(shown, markup=False, highlight=False, soft_wrap=True)
        return outcome

    with (
        Progress(*Progress.get_default_columns(), TimeElapsedColumn(), console=console) as progress,
        ThreadPoolExecutor(len(workshops)) as pool,
    ):
        task = progress.add_task("mutations", total=len(mutations))
        running = [pool.submit(try_one, mutation) for mutation in mutations]
        for future in running:
            future.add_done_callback(lambda _: progress.advance(task))
        return [future.result() for future in running]


def _show(mutations: list[Mutation], outcomes: list[Outcome], seconds: float, console: Console) -> int:
    table = Table("mutation", "file", "verdict", "by", "s")
    for mutation, outcome in zip(mutations, outcomes, strict=True):
        colour = COLOURS.get(outcome.verdict, "bold red")
        verdict = f"[{colour}]{outcome.verdict}[/]"
        row = (mutation.name, mutation.file, outcome.detail)
        name, file, detail = (text.replace("[", r"\[") for text in row)
        table.add_row(name, file, verdict, detail, f"{outcome.seconds:.1f}")
    console.print(table)
    counts = Counter(outcome.verdict for outcome in outcomes)
    shown = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
    console.print(f"{len(mutations)} mutations: {shown}; {seconds:.0f} s")
    return 0 if counts["caught"] + counts["not run"] == len(mutations) else 1


if __name__ == "__main__":
    sys.exit(main())
