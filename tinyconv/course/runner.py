"""Run a lesson in the terminal: its text, what its code prints, and where its figures are."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from tinyconv.course.catalogue import Cell, Lesson, find_lesson, plain, read_cells
from tinyconv.course.figures import FOLDER_VARIABLE, figures_folder
from tinyconv.course.formulas import MATH, readable

QUICK_VARIABLE = "TINYCONV_QUICK"
TEXT_WIDTH = 100


def is_quick() -> bool:
    """Whether lessons are to be as short as they can be, because the variable TINYCONV_QUICK is 1."""
    return os.environ.get(QUICK_VARIABLE, "") not in ("", "0")


def run_lesson(
    number: str | int, figures: str | os.PathLike[str] | None = None, console: Any = None
) -> Lesson:
    """Run a lesson from top to bottom, cell by cell, with its text before each.

    Parameters
    ----------
    number : str or int
        See `find_lesson`.
    figures : optional
        Folder for the figures; by default the one that TINYCONV_FIGURES names, or ``figures``.
    console : rich.console.Console, optional
        Where the text goes; standard output if not given.

    Raises
    ------
    ArgumentError
        If there is no lesson of that number.
    """
    from rich.console import Console

    lesson = find_lesson(number)
    console = console or Console()
    cells = read_cells(lesson.path)
    with _variable(FOLDER_VARIABLE, figures), _main_module(lesson.path) as namespace:
        for count, cell in enumerate(cells):
            _print_text(cell, f"{count}/{len(cells) - 1}  " if count else "", console)
            exec(compile(cell.code, str(lesson.path), "exec"), namespace)
        console.print()
        console.print(f"Figures: {figures_folder().resolve()}", markup=False, highlight=False)
    console.print(f"Code:    {lesson.path}", markup=False, highlight=False, soft_wrap=True)
    return lesson


def _print_text(cell: Cell, position: str, console: Any) -> None:
    from rich.text import Text

    console.print()
    if cell.title:
        console.rule(Text(f"{position}{plain(cell.title)}", style="bold"), align="left")
    text = MATH.sub(lambda found: textwrap.indent(readable(found[1]), " " * 4), cell.text)
    for paragraph in plain(text).split("\n\n") if text else ():
        console.print(_wrapped(paragraph, console.width), markup=False, highlight=False, soft_wrap=True)
        console.print()


def _wrapped(paragraph: str, width: int) -> str:
    """Fill a paragraph; lists and what is indented stay as they are."""
    paragraph = paragraph.removesuffix("::") + ":" * paragraph.endswith("::")
    lines = paragraph.splitlines()
    if any(re.match(r" |[-*] |\d+\. ", line) for line in lines):
        return paragraph
    return textwrap.fill(" ".join(line.strip() for line in lines), min(width, TEXT_WIDTH))


@contextlib.contextmanager
def _variable(name: str, value: str | os.PathLike[str] | None) -> Iterator[None]:
    """Set an environment variable for a block; None leaves it as it is."""
    before = os.environ.get(name)
    if value is not None:
        os.environ[name] = os.fspath(value)
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = before


@contextlib.contextmanager
def _main_module(path: Path) -> Iterator[dict[str, Any]]:
    """Names of a fresh module ``__main__``, as a script that is run has them."""
    module = ModuleType("__main__")
    module.__file__ = str(path)
    before = sys.modules["__main__"]
    sys.modules["__main__"] = module
    try:
        yield vars(module)
    finally:
        sys.modules["__main__"] = before
