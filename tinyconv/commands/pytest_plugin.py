"""`pytest` in a student's folder: each exercise that was started is a test.

A file counts as an exercise when it has the name of one and stands next to the file of the progress;
in all other folders the plugin does nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PROGRESS = "tinyconv-progress.json"
NAME = re.compile(r"\d\d_[a-z0-9_]+\.(py|cu)")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect an exercise; pytest calls this for every file."""
    if not NAME.fullmatch(file_path.name) or not (file_path.parent / PROGRESS).is_file():
        return None
    from tinyconv.course.exercises.catalogue import exercises

    if file_path.name not in {entry.file_name for entry in exercises()}:
        return None
    return ExerciseFile.from_parent(parent, path=file_path)


class ExerciseFile(pytest.File):
    """A student's file."""

    def collect(self) -> Iterator[pytest.Item]:
        yield ExerciseItem.from_parent(self, name="exercise")


class ExerciseItem(pytest.Item):
    """Its check."""

    def runtest(self) -> None:
        from tinyconv.course.exercises.catalogue import find_exercise
        from tinyconv.course.exercises.report import report_lines
        from tinyconv.course.exercises.submission import check_file

        entry = find_exercise(self.path.stem)
        verdict = check_file(entry, self.path)
        if not verdict.passed:
            raise NotRightError("\n".join(line for _, line in report_lines(entry, verdict)))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The judge's report alone, without the judge's own lines."""
        if isinstance(excinfo.value, NotRightError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, self.path.stem


class NotRightError(AssertionError):
    """The exercise is not yet right."""
