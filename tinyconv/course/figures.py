"""Figures of a lesson: kept in a folder, and shown where the lesson is a notebook or a web page."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

from tinyconv.errors import ArgumentError, StorageError
from tinyconv.viz import save_animation, save_figure

FOLDER_VARIABLE = "TINYCONV_FIGURES"
ANIMATIONS = (".html", ".gif")


class Picture:
    """A figure on disk. In a notebook, and in sphinx-gallery, a cell that ends with one shows it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __repr__(self) -> str:
        return f"Picture({str(self.path)!r})"

    def _repr_html_(self) -> str:
        if self.path.suffix == ".html":
            return self.path.read_text(encoding="utf-8")
        kind = {".svg": "svg+xml"}.get(self.path.suffix, self.path.suffix[1:])
        data = base64.b64encode(self.path.read_bytes()).decode()
        return f'<img alt="{self.path.stem}" style="max-width: 100%" src="data:image/{kind};base64,{data}">'


def figures_folder() -> Path:
    """The folder that the variable TINYCONV_FIGURES names, or ``figures`` in the current one."""
    return Path(os.environ.get(FOLDER_VARIABLE) or "figures")


def figure_path(name: str) -> Path:
    """Where a lesson's figure `name` belongs; its folder is there afterwards, and the path is printed.

    Raises
    ------
    ArgumentError
        If `name` is more than the name of a file.
    StorageError
        If the folder cannot be made.
    """
    if not name or Path(name).name != name:
        raise ArgumentError("figure_path", "name", repr(name), "the name of a file, such as 'map.png'")
    folder = figures_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError("figure_path", "folder", folder, f"a folder that can be made ({error})") from error
    print(f"figure: {folder / name}")
    return folder / name


def show(figure: Any, name: str) -> Picture:
    """Save a figure (.png, .svg) or an animation (.html, .gif) as `name`, and show it where that is possible.

    Returns
    -------
    Picture
        The last expression of a cell, so that a notebook shows it.
    """
    path = figure_path(name)
    save = save_animation if path.suffix in ANIMATIONS else save_figure
    return Picture(save(figure, path))
