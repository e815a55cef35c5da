"""The exercises that are there: folders ``NN_name`` with a stub, hints, a solution and a specification."""

from __future__ import annotations

import ast
import importlib.util
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

from tinyconv.course.catalogue import lessons_folder
from tinyconv.course.exercises.spec import Exercise
from tinyconv.errors import ArgumentError, DataError

FOLDER = "exercises"
NAME = re.compile(r"\d\d_[a-z0-9_]+")
HINTS = 3


@dataclass(frozen=True)
class Entry:
    """An exercise: its number as in the folder's name, the name, and the folder."""

    number: str
    name: str
    folder: Path

    @property
    def title(self) -> str:
        """The first line of the stub's docstring, or of its first comment."""
        return self._docstring().partition("\n")[0].rstrip(".")

    @property
    def suffix(self) -> str:
        """What the student's file ends in: ``.py``, or ``.cu`` for a CUDA kernel."""
        return ".cu" if (self.folder / "stub.cu").is_file() else ".py"

    @property
    def file_name(self) -> str:
        """What the student's file is called."""
        return f"{self.name}{self.suffix}"

    @property
    def files(self) -> set[str]:
        """What is in the folder."""
        return {f"stub{self.suffix}", f"solution{self.suffix}", "spec.py", "hints.md"}

    @property
    def stub(self) -> str:
        """The text of the file that a student begins with."""
        return self._read(f"stub{self.suffix}")

    @property
    def solution(self) -> str:
        """The text of a right answer."""
        return self._read(f"solution{self.suffix}")

    @property
    def hints(self) -> list[str]:
        """Three hints, each says more than the one before."""
        parts = re.split(r"^## .*$", self._read("hints.md"), flags=re.MULTILINE)[1:]
        if len(parts) != HINTS or not all(part.strip() for part in parts):
            path = self.folder / "hints.md"
            raise DataError("exercises", "hints", path, f"{HINTS} parts that begin with a line '## …'")
        return [textwrap.dedent(part.strip("\n")).rstrip() for part in parts]

    def load(self) -> Exercise:
        """The specification: ``SPEC`` in ``spec.py``."""
        path = self.folder / "spec.py"
        described = importlib.util.spec_from_file_location(f"tinyconv_exercise_{self.name}", path)
        if described is None or described.loader is None or not path.is_file():
            raise DataError("exercises", "file", path, "the specification of an exercise")
        module = importlib.util.module_from_spec(described)
        described.loader.exec_module(module)
        found = getattr(module, "SPEC", None)
        if not isinstance(found, Exercise):
            raise DataError("exercises", "SPEC", f"{found!r} in {path}", "an Exercise")
        return found

    def _read(self, name: str) -> str:
        try:
            return (self.folder / name).read_text(encoding="utf-8")
        except OSError as error:
            raise DataError(
                "exercises", "file", self.folder / name, f"one that can be read ({error})"
            ) from error

    def _docstring(self) -> str:
        if self.suffix == ".cu":
            return self.stub.partition("\n")[0].removeprefix("// ")
        try:
            return ast.get_docstring(ast.parse(self.stub)) or self.name
        except SyntaxError:
            return self.name


def exercises(folder: Path | None = None) -> list[Entry]:
    """The exercises that are there, in order.

    Parameters
    ----------
    folder : Path, optional
        By default the folder ``exercises`` next to the lessons.

    Examples
    --------
    >>> [entry.title for entry in exercises() if entry.number == "01"]
    ['01. A neuron']
    """
    root = folder or lessons_folder() / FOLDER
    paths = sorted(root.iterdir()) if root.is_dir() else []
    return [Entry(p.name[:2], p.name, p) for p in paths if p.is_dir() and NAME.fullmatch(p.name)]


def find_exercise(number: str | int, folder: Path | None = None) -> Entry:
    """The exercise with that number or name: ``4``, ``"04"`` and ``"04_divide"`` are the same.

    Raises
    ------
    ArgumentError
        If there is none; the message lists those that there are.
    """
    there = exercises(folder)
    wanted = str(number).strip()
    wanted = Path(wanted).stem if not wanted.isdigit() else wanted.zfill(2)
    for entry in there:
        if wanted in (entry.number, entry.name):
            return entry
    listed = ", ".join(entry.name for entry in there) or "none is installed"
    raise ArgumentError("exercises", "exercise", repr(str(number)), f"one of: {listed}")
