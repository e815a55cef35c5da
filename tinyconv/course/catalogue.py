"""Which lessons there are, and the cells that a lesson is made of.

A lesson is a script ``NN_name.py`` in the form of sphinx-gallery and of editors with cells: a
docstring with a title, then cells. A line ``# %%`` begins a cell; the comment lines that
follow it are its text, the rest is its code.
"""

from __future__ import annotations

import ast
import importlib.resources
import re
from dataclasses import dataclass
from pathlib import Path

import tinyconv
from tinyconv.course.formulas import readable
from tinyconv.errors import ArgumentError, DataError

FILE_NAME = re.compile(r"(\d\d)_[a-z0-9_]+\.py")
CELL_MARK = "# %%"


@dataclass(frozen=True)
class Lesson:
    """One lesson: its number as in the file's name, title, file, and a summary of a sentence or two."""

    number: str
    title: str
    path: Path
    summary: str


@dataclass(frozen=True)
class Cell:
    """A piece of a lesson: `code` is as long as the whole file before it, so that line numbers are right."""

    title: str
    text: str
    code: str


def lessons(folder: Path | None = None) -> list[Lesson]:
    """The lessons that are there, in order.

    Parameters
    ----------
    folder : Path, optional
        Where the scripts are; by default the installed ``tinyconv.lessons``, or the folder
        ``lessons`` of a checkout.

    Examples
    --------
    >>> [lesson.title for lesson in lessons() if lesson.number == "16"]
    ['U-Net: where and what']
    """
    paths = sorted((folder or lessons_folder()).glob("*.py"))
    return [_read_lesson(path) for path in paths if FILE_NAME.fullmatch(path.name)]


def lessons_folder() -> Path:
    """The folder of the lesson scripts: in the installed package, or else in the checkout."""
    try:
        return Path(str(importlib.resources.files("tinyconv.lessons")))
    except ModuleNotFoundError:
        return Path(tinyconv.__file__).parents[1] / "lessons"


def find_lesson(number: str | int, folder: Path | None = None) -> Lesson:
    """The lesson with that number: ``4``, ``"4"`` and ``"04"`` are the same.

    Raises
    ------
    ArgumentError
        If there is none; the message lists those that there are.
    """
    there = lessons(folder)
    wanted = str(number).strip().zfill(2)
    for lesson in there:
        if lesson.number == wanted:
            return lesson
    listed = ", ".join(f"{lesson.number} ({lesson.title})" for lesson in there) or "none is installed"
    raise ArgumentError("learn", "lesson", repr(str(number)), f"one of: {listed}")


def _read_lesson(path: Path) -> Lesson:
    heading, _, rest = _docstring(path).partition("\n")
    title = re.sub(r"^(Lesson )?\d\d[.:]? *", "", heading.strip())
    paragraphs = [" ".join(part.split()) for part in rest.split("\n\n")]
    summary = next((part for part in paragraphs if part.strip("=- ")), "")
    return Lesson(path.name[:2], title, path, plain(summary))


def _docstring(path: Path) -> str:
    try:
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    except (OSError, SyntaxError, ValueError) as error:
        raise DataError("lessons", "file", path, f"a script that can be read ({error})") from error
    return text or path.stem


def read_cells(path: Path) -> list[Cell]:
    """The cells of a lesson; the first is its docstring, which has no code."""
    lines = path.read_text(encoding="utf-8").splitlines()
    starts = [i for i, line in enumerate(lines) if line.startswith(CELL_MARK)]
    title, _, text = _docstring(path).partition("\n")
    cells = [Cell(title, _drop_underline(text), "\n".join(lines[: starts[0] if starts else len(lines)]))]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        cells += _read_cell(lines, start, end)
    return cells


def _read_cell(lines: list[str], start: int, end: int) -> list[Cell]:
    """What one mark begins: where its text has headings, a cell for each; the code belongs to the last."""
    code_start = start + 1
    while code_start < end and lines[code_start].startswith("#"):
        code_start += 1
    text = [line[2:] for line in lines[start + 1 : code_start]]
    code = "\n" * code_start + "\n".join(lines[code_start:end])
    *before, last = _sections(lines[start][len(CELL_MARK) :].strip(), text)
    return [*(Cell(*section, "") for section in before), Cell(*last, code)]


def _sections(title: str, text: list[str]) -> list[tuple[str, str]]:
    """Titles and what stands below each; the first is empty where a cell begins without a heading."""
    found: list[tuple[str, list[str]]] = [(title, [])]
    lines = iter(zip(text, [*text[1:], ""], strict=True))
    for line, below in lines:
        if line.strip() and len(below) > 2 and not below.strip("-=~"):
            found.append((line.strip(), []))
            next(lines)
        else:
            found[-1][1].append(line)
    read = [(heading, "\n".join(body).strip()) for heading, body in found]
    return [section for section in read if any(section)] or read


def _drop_underline(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if line.strip("=- ") or not line.strip()).strip()


def plain(text: str) -> str:
    """Text without the marks of reStructuredText: ``code`` and *words* as they are."""
    text = re.sub(r":math:`([^`]*)`", lambda found: readable(found[1]), text)
    text = re.sub(r":[a-z]+:`([^`]*)`", r"\1", text)
    return re.sub(r"``([^`]*)``|\*\*([^*]+)\*\*|(?<!\w)\*([^*\s][^*]*)\*(?!\w)", r"\1\2\3", text)
