"""Reading the file that somebody has handed in, which may be anything."""

from __future__ import annotations

import ast
import os
import re
import stat
from pathlib import Path

from tinyconv.course.exercises.catalogue import Entry
from tinyconv.course.exercises.judge import judge
from tinyconv.course.exercises.process import Limits
from tinyconv.course.exercises.verdict import Verdict
from tinyconv.errors import DataError

LARGEST = 1 << 20


def read_submission(path: Path, folder: Path | None = None) -> str:
    """The text of a student's file.

    Parameters
    ----------
    path : Path
    folder : Path, optional
        Where it has to be; a link that leads out of there is refused.

    Raises
    ------
    DataError
        If it is no ordinary file, larger than a mebibyte, or no text.
    """
    place = path.resolve()
    if folder is not None and not place.is_relative_to(folder.resolve()):
        raise DataError("check", "file", path, "a file of the student's own, not a link to another place")
    try:
        found = os.stat(place)
        if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST:
            raise DataError("check", "file", path, f"an ordinary file of at most {LARGEST:,} bytes")
        return place.read_text(encoding="utf-8-sig")  # the editor of Windows puts a mark in front
    except (OSError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError("check", "file", path, f"a text in UTF-8 that can be read ({error})") from error


def check_file(entry: Entry, path: Path, limits: Limits | None = None, shrink: bool = True) -> Verdict:
    """Judge a student's file.

    Raises
    ------
    DataError
        See `read_submission`.
    """
    return judge(entry.load(), read_submission(path), path.name, limits, shrink)


def is_same_program(first: str, second: str, suffix: str = ".py") -> bool:
    """Whether two texts are the same but for comments, spaces and docstrings.

    Parameters
    ----------
    first, second : str
    suffix : str
        ``.py``, or ``.cu`` for the text of a CUDA kernel.

    Examples
    --------
    >>> is_same_program("def f(x):\\n    return x  # right", 'def f( x ):\\n    "About f."\\n    return x')
    True
    """
    if suffix == ".cu":
        return _words(first) == _words(second)
    try:
        return _shape(first) == _shape(second)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


def _words(source: str) -> list[str]:
    """The words and signs of a text in C, without its comments."""
    without = re.sub(r"//[^\n]*|/\*.*?\*/", " ", source, flags=re.DOTALL)
    return re.findall(r"\w+|\S", without)


def _shape(source: str) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef):
            node.body = [part for part in body if not _is_docstring(part)]
    return ast.dump(tree)


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
