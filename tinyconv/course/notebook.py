"""A lesson as a Jupyter notebook: a cell of text, then a cell of code, in the order of the script.

The format is nbformat 4.5. Nothing needs to be installed to write one; to open it, Jupyter.
"""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from typing import Any

from tinyconv.course.catalogue import Lesson, find_lesson, read_cells
from tinyconv.course.formulas import MATH
from tinyconv.errors import ArgumentError
from tinyconv.io import write_whole


def write_notebook(number: str | int, folder: str | Path = ".", overwrite: bool = False) -> Path:
    """Write a lesson as ``NN_name.ipynb`` into a folder.

    Parameters
    ----------
    number : str or int
        See `find_lesson`.
    folder : path
    overwrite : bool
        Whether a notebook that is there already, and may hold a student's work, is replaced.

    Returns
    -------
    Path
        The notebook.

    Raises
    ------
    ArgumentError
        If there is no such lesson, or a notebook of that name is there.
    StorageError
        If it cannot be written.
    """
    lesson = find_lesson(number)
    path = Path(folder) / f"{lesson.path.stem}.ipynb"
    if path.exists() and not overwrite:
        raise ArgumentError(
            "learn", "notebook", path, "a name that is free; move it, or work in another folder"
        )
    content = json.dumps(notebook(lesson), indent=1, ensure_ascii=False) + "\n"
    return write_whole(path, content.encode("utf-8"))


def notebook(lesson: Lesson) -> dict[str, Any]:
    """The notebook of a lesson, as the JSON that it is on disk."""
    cells: list[dict[str, Any]] = []
    for place, cell in enumerate(read_cells(lesson.path)):
        heading = "#" if place == 0 else "##"
        text = f"{heading} {cell.title}\n\n" * bool(cell.title) + markdown(cell.text)
        if text.strip():
            cells.append(_cell("markdown", len(cells), text.strip()))
        if cell.code.strip() and place > 0:
            cells.append(_cell("code", len(cells), cell.code.strip("\n")))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def _cell(kind: str, place: int, source: str) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "id": f"cell-{place}", "metadata": {}}
    if kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    return {**cell, "source": source.splitlines(keepends=True)}


def markdown(text: str) -> str:
    """Markdown of the little reStructuredText that the lessons use: code, formulas, literal blocks.

    Examples
    --------
    >>> markdown("See ``x``::\\n\\n    y = 1\\n\\n.. math:: y = \\\\alpha x")
    'See `x`:\\n\\n    y = 1\\n\\n$$y = \\\\alpha x$$'
    """
    text = MATH.sub(lambda found: f"$${textwrap.dedent(found[1]).strip()}$$", text)
    text = re.sub(r":math:`([^`]+)`", r"$\1$", text)
    text = re.sub(r"``([^`]+)``", r"`\1`", text)
    return re.sub(r"::$", ":", text, flags=re.MULTILINE)
