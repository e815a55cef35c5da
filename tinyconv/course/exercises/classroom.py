"""Check what a class has handed in: a folder with a folder for each student."""

from __future__ import annotations

import multiprocessing
import os
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from tinyconv.course.exercises.catalogue import Entry
from tinyconv.course.exercises.process import Limits
from tinyconv.course.exercises.report import printable, report_lines
from tinyconv.course.exercises.submission import check_file, is_same_program, read_submission
from tinyconv.errors import DataError, PackageError

RIGHT, WRONG, MISSING, UNREADABLE = "right", "not right", "missing", "cannot be read"
SHIPPED = "the solution that comes with the course"


@dataclass(frozen=True)
class Result:
    """One exercise of one student.

    Attributes
    ----------
    student, exercise : str
        Names of the folder and of the exercise.
    outcome : str
        "right", "not right", "missing", or "cannot be read".
    mistake, report : str
        The likely mistake, and the whole report on several lines.
    seconds : float
    note : str
        That the file is the course's own solution, or which files have nearly the right name.
    """

    student: str
    exercise: str
    outcome: str
    mistake: str = ""
    report: str = ""
    seconds: float = 0.0
    note: str = ""


def students(folder: Path) -> list[Path]:
    """The students' folders, in the order of their names.

    Raises
    ------
    DataError
        If there is none.
    """
    try:
        found = sorted(
            p for p in folder.iterdir() if p.is_dir() and not p.is_symlink() and p.name[0] not in "._"
        )
    except OSError as error:
        raise DataError("class", "folder", folder, f"a folder that can be read ({error})") from error
    if not found:
        raise DataError("class", "folder", folder, "a folder with a folder for each student")
    return found


def check_class(
    folder: Path, entries: Sequence[Entry], limits: Limits | None = None, jobs: int | None = None
) -> Iterator[Result]:
    """Check every exercise of every student; results come as they are ready.

    Parameters
    ----------
    folder : Path
        See `students`.
    entries : sequence of Entry
    limits : Limits, optional
        For each exercise of each student.
    jobs : int, optional
        How many at a time; by default one per core.
    """
    work = [(student, entry, limits or Limits()) for student in students(folder) for entry in entries]
    jobs = min(jobs or os.cpu_count() or 1, len(work))
    if jobs <= 1:
        yield from (check_one(*item) for item in work)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        for future in as_completed([pool.submit(check_one, *item) for item in work]):
            yield future.result()


def _similar(student: Path, entry: Entry) -> str:
    """Files that may be meant: they begin with the exercise's number, or hold the rest of its name."""
    rest = entry.name[3:]
    try:
        names = sorted(p.name for p in student.iterdir() if p.suffix in (entry.suffix, ".txt", ".ipynb", ""))
    except OSError:
        return ""
    found = [printable(n) for n in names if re.match(rf"0*{int(entry.number)}(?!\d)", n) or rest in n.lower()]
    return f"there is {', '.join(found[:3])}: rename it to {entry.file_name}" if found else ""


def check_one(student: Path, entry: Entry, limits: Limits) -> Result:
    """One exercise of one student; whatever is wrong with the file is in the result."""
    path = student / entry.file_name
    if not os.path.lexists(path):
        return Result(student.name, entry.name, MISSING, note=_similar(student, entry))
    try:
        source = read_submission(path, student)
        verdict = check_file(entry, path, limits, shrink=True)
    except (DataError, PackageError) as error:
        return Result(student.name, entry.name, UNREADABLE, mistake=printable(str(error)))
    report = "\n".join(line for _, line in report_lines(entry, verdict))
    same = is_same_program(source, entry.solution, entry.suffix)
    return Result(
        student.name,
        entry.name,
        RIGHT if verdict.passed else WRONG,
        verdict.mistake,
        report,
        round(verdict.seconds, 2),
        SHIPPED if same else "",
    )
