"""The commands of the exercises: list, start, check, watch, hint, solution, class."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinyconv.errors import ArgumentError, StorageError

if TYPE_CHECKING:
    from tinyconv.course.exercises.catalogue import Entry

NOT_RIGHT = 1
POLL_SECONDS = 0.5
SEEN = "*"
Number = Annotated[str, typer.Argument(metavar="NN", help="The exercise's number, see `tinyconv exercises`.")]
Folder = Annotated[Path, typer.Option("--folder", help="Your folder of exercises.  [default: this one]")]
HERE = Path(".")


def list_exercises(folder: Folder = HERE) -> None:
    """List the exercises, and how far you are."""
    from rich.console import Console
    from rich.table import Table

    from tinyconv.course.exercises.catalogue import exercises
    from tinyconv.course.exercises.progress import Progress

    progress, there = Progress(folder), exercises()
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for name in ("exercise", "", "tries", "hints"):
        table.add_column(name, justify="right" if name in ("tries", "hints") else "left")
    passed, seen = 0, False
    for entry in there:
        if not progress.is_started(entry.name):
            table.add_row(entry.title, "", "", "")
            continue
        attempts = progress.of(entry.name)
        passed += attempts.passed
        state = "right" if attempts.passed else "started"
        state += SEEN if attempts.solution_seen else ""
        seen = seen or attempts.solution_seen
        table.add_row(entry.title, state, str(attempts.tries), str(attempts.hints))
    console = Console(highlight=False)
    console.print(table)
    if seen:
        console.print(f"{SEEN} with a look at the solution")
    console.print(f"{passed} of {len(there)} right")
    following = next(
        (e for e in there if not progress.is_started(e.name) or not progress.of(e.name).passed), None
    )
    if following is not None:
        action = "check" if progress.is_started(following.name) else "start"
        console.print(f"Next: tinyconv {action} {following.number}", style="bold")


def start(number: Number, folder: Folder = HERE) -> None:
    """Copy an exercise's stub into your folder."""
    from tinyconv.course.exercises.catalogue import find_exercise
    from tinyconv.course.exercises.progress import Progress

    entry = find_exercise(number)
    path, progress = folder / entry.file_name, Progress(folder)
    if path.exists():
        expected = (
            f"no such file yet; move it away to begin anew, or go on with tinyconv check {entry.number}"
        )
        raise ArgumentError("start", "file", path, expected)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with open(path, "x", encoding="utf-8") as file:
            file.write(entry.stub)
    except OSError as error:
        raise StorageError("start", "file", path, f"a file that can be written ({error})") from error
    progress.of(entry.name)
    progress.save()
    typer.echo(f"{entry.title}: edit {path}, then  tinyconv check {entry.number}")


def check(
    number: Annotated[
        str | None, typer.Argument(metavar="[NN]", help="[default: all that were started]")
    ] = None,
    folder: Folder = HERE,
) -> None:
    """Judge your file: right, or the smallest case in which it is wrong and the likely mistake."""
    from tinyconv.course.exercises.catalogue import exercises, find_exercise

    if number is not None:
        entries = [find_exercise(number)]
    else:
        entries = [entry for entry in exercises() if (folder / entry.file_name).is_file()]
        if not entries:
            raise ArgumentError(
                "check", "folder", folder, "one with exercises in it: tinyconv start 01 first"
            )
    passed = [_check_one(entry, folder) for entry in entries]
    if not all(passed):
        raise typer.Exit(NOT_RIGHT)


def _check_one(entry: Entry, folder: Path) -> bool:
    """Judge, print, and keep the progress."""
    from tinyconv.course.exercises.progress import Progress
    from tinyconv.course.exercises.report import print_verdict
    from tinyconv.course.exercises.submission import check_file

    path = folder / entry.file_name
    if not path.exists():
        raise ArgumentError("check", "file", path, f"a file: tinyconv start {entry.number} makes it")
    verdict = check_file(entry, path)
    print_verdict(entry, verdict)
    if verdict.seen is not None and verdict.seen.raised("NotImplementedError"):
        return False  # the TODO is still there: no try yet
    progress = Progress(folder)
    attempts = progress.of(entry.name)
    attempts.passed = attempts.passed or verdict.passed
    attempts.tries += not verdict.passed
    progress.save()
    return verdict.passed


def watch(
    number: Annotated[str | None, typer.Argument(metavar="[NN]", help="[default: what is saved]")] = None,
    folder: Folder = HERE,
) -> None:
    """Check an exercise each time that you save it; Ctrl-C ends."""
    from tinyconv.course.exercises.catalogue import exercises, find_exercise

    entries = exercises() if number is None else [find_exercise(number)]
    typer.echo(f"watching {folder.resolve()}; save an exercise to check it, Ctrl-C ends")
    try:
        watch_files(entries, folder, lambda entry: _check_one(entry, folder), at_once=number is not None)
    except KeyboardInterrupt:
        typer.echo("")


def watch_files(
    entries: list[Entry],
    folder: Path,
    changed: Callable[[Entry], Any],
    at_once: bool = False,
    polls: int | None = None,
    seconds: float = POLL_SECONDS,
) -> None:
    """Call `changed` for each exercise whose file is saved; look `polls` times, or for ever."""
    known = {entry.name: None if at_once else _stamp(folder / entry.file_name) for entry in entries}
    while polls is None or polls > 0:
        for entry in entries:
            stamp = _stamp(folder / entry.file_name)
            if stamp not in (None, known[entry.name]):
                changed(entry)
            known[entry.name] = stamp
        polls = None if polls is None else polls - 1
        time.sleep(seconds)


def _stamp(path: Path) -> tuple[int, int] | None:
    """What changes when a file is saved; None while there is none, as when an editor replaces it."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def hint(
    number: Number,
    level: Annotated[int | None, typer.Option(min=1, max=3, help="[default: the next one]")] = None,
    folder: Folder = HERE,
) -> None:
    """Show the next of three hints; each says more than the one before."""
    from tinyconv.course.exercises.catalogue import HINTS, find_exercise
    from tinyconv.course.exercises.progress import Progress

    entry, progress = find_exercise(number), Progress(folder)
    started = progress.is_started(entry.name) or (folder / entry.file_name).exists()
    attempts = progress.of(entry.name)
    shown = level or min(attempts.hints + 1, HINTS)
    typer.echo(f"Hint {shown} of {HINTS}\n\n{entry.hints[shown - 1]}")
    attempts.hints = max(attempts.hints, shown)
    if started:
        progress.save()


def solution(number: Number, folder: Folder = HERE) -> None:
    """Show a solution, once you have tried."""
    from tinyconv.course.exercises.catalogue import find_exercise
    from tinyconv.course.exercises.progress import Progress

    entry, progress = find_exercise(number), Progress(folder)
    attempts = progress.of(entry.name)
    if not attempts.tries and not attempts.passed:
        raise ArgumentError("solution", "tries", 0, f"a try of your own: tinyconv check {entry.number} first")
    typer.echo(entry.solution.rstrip())
    attempts.solution_seen = True
    progress.save()


def check_class(
    report_dir: Annotated[
        Path,
        typer.Argument(metavar="REPORT_DIR", help="A folder with a folder of NN_name.py files per student."),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Where report.csv and report.html go.  [default: there]")
    ] = None,
    only: Annotated[str | None, typer.Option("--only", help="Numbers, e.g. 01,07.  [default: all]")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Checks at a time.  [default: all cores]")] = None,
    seconds: Annotated[float, typer.Option(min=1, help="Longest time of one check.")] = 60.0,
    memory: Annotated[int, typer.Option(min=64, help="Memory of one check, in MiB.")] = 1024,
) -> None:
    """Check what a class has handed in; writes a CSV file and an HTML page.

    Each file runs in a process of its own with limits; none of them can stop the run.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as ProgressBar

    from tinyconv.course.exercises import classroom
    from tinyconv.course.exercises.catalogue import exercises, find_exercise
    from tinyconv.course.exercises.classroom_report import write_reports
    from tinyconv.course.exercises.process import Limits

    entries = exercises() if only is None else [find_exercise(part) for part in only.split(",")]
    limits = Limits(min(5.0, seconds), seconds, memory << 20)
    count = len(classroom.students(report_dir))
    results = []
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with ProgressBar(*columns) as bar:
        task = bar.add_task("checking", total=count * len(entries))
        for result in classroom.check_class(report_dir, entries, limits, jobs):
            results.append(result)
            bar.update(task, advance=1)
    right = sum(result.outcome == classroom.RIGHT for result in results)
    table, page = write_reports(results, out or report_dir)
    typer.echo(f"{count} students, {right} of {len(results)} exercises right")
    typer.echo(f"wrote {table} and {page}")


def register(app: typer.Typer) -> None:
    """Add these commands to `tinyconv`."""
    app.command(
        name="exercises", epilog="Examples:\n\n    tinyconv exercises\n\n    tinyconv exercises --folder mine"
    )(list_exercises)
    app.command(epilog="Examples:\n\n    tinyconv start 01\n\n    tinyconv start 07 --folder mine")(start)
    app.command(
        epilog="Examples:\n\n    tinyconv check 01\n\n    tinyconv check"
        "\n\nExit status 0 if all is right, 1 if not, 2 if there is nothing to check."
    )(check)
    app.command(epilog="Examples:\n\n    tinyconv watch\n\n    tinyconv watch 07")(watch)
    app.command(epilog="Examples:\n\n    tinyconv hint 01\n\n    tinyconv hint 01 --level 3")(hint)
    app.command(epilog="Examples:\n\n    tinyconv solution 01")(solution)
    app.command(
        name="class",
        epilog="Examples:\n\n    tinyconv class handed_in\n\n    tinyconv class handed_in --only 01,02",
    )(check_class)
