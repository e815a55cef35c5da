"""A student's progress: a small JSON file next to the exercises that were started."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from tinyconv.course.exercises.catalogue import NAME
from tinyconv.errors import DataError, StorageError

FILE = "tinyconv-progress.json"


@dataclass
class Attempts:
    """What happened with one exercise.

    Attributes
    ----------
    tries : int
        How often it was checked and not right.
    passed : bool
        Whether it was right in any of the checks.
    hints : int
        How many hints were shown.
    solution_seen : bool
    """

    tries: int = 0
    passed: bool = False
    hints: int = 0
    solution_seen: bool = False


class Progress:
    """The progress in a folder; empty if nothing was started there.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    DataError
        If the file is there but cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._all = _read(self.path)

    def of(self, name: str) -> Attempts:
        """The record of the exercise with that name; change it, then `save`."""
        return self._all.setdefault(name, Attempts())

    def is_started(self, name: str) -> bool:
        """Whether anything is known about it."""
        return name in self._all

    def save(self) -> None:
        """Write the file; an earlier one is replaced at once, or not at all."""
        text = json.dumps({name: asdict(attempts) for name, attempts in sorted(self._all.items())}, indent=2)
        part = self.path.with_suffix(".part")
        try:
            part.write_text(text + "\n", encoding="utf-8")
            os.replace(part, self.path)
        except OSError as error:
            raise StorageError(
                "progress", "file", self.path, f"a file that can be written ({error})"
            ) from error


def _read(path: Path) -> dict[str, Attempts]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(
            "progress", "file", path, f"JSON that can be read, or no such file ({error})"
        ) from error
    if not isinstance(data, dict) or not all(map(NAME.fullmatch, data)):
        raise DataError("progress", "file", path, "a record for each exercise by its name, or no such file")
    return {name: _attempts(record, path) for name, record in data.items()}


def _attempts(record: Any, path: Path) -> Attempts:
    types = {field.name: type(field.default) for field in fields(Attempts)}
    known = isinstance(record, dict) and set(record) <= set(types)
    if not known or not all(type(value) is types[name] for name, value in record.items()):
        raise DataError("progress", "record", f"{record!r} in {path}", f"a dict with {', '.join(types)}")
    return Attempts(**record)
