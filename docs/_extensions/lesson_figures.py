"""What a lesson shows with `course.show`, put onto its page; and settings put back between lessons."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from sphinx_gallery.scrapers import figure_rst

from tinyconv import device
from tinyconv.course.figures import figures_folder

PICTURES = (".png", ".svg", ".gif")
SETTINGS = (device.default_dtype, device.kernel_backend, device.num_threads, device.conv_algorithm)
BEFORE = [setting.get() for setting in SETTINGS]

FRAME = """
.. raw:: html

   <iframe class="animation" src="{name}" title="{title}" loading="lazy"></iframe>
   <p><a href="{name}" target="_blank">The animation in a window of its own</a></p>
"""


def figures_of_cell(block: Any, variables: dict[str, Any], configuration: dict[str, Any]) -> str:
    """Take the figures that the cell before has drawn; sphinx-gallery calls this after each cell.

    Returns
    -------
    str
        reStructuredText that shows them.
    """
    folder = figures_folder()
    drawn = sorted(folder.glob("*"), key=lambda path: path.stat().st_mtime_ns) if folder.is_dir() else []
    parts = []
    for path in drawn:
        if path.suffix in PICTURES:
            target = Path(next(variables["image_path_iterator"])).with_suffix(path.suffix)
            shutil.move(path, target)
            parts.append(figure_rst([str(target)], configuration["src_dir"], path.stem[3:].replace("_", " ")))
        elif path.suffix == ".html":
            parts.append(_animation(path, Path(configuration["src_dir"])))
    return "\n".join(parts)


def _animation(path: Path, source: Path) -> str:
    """Move a player to where it comes to lie beside the lesson's page, and show it in a frame."""
    folder = source / "animations" / "lessons"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.move(path, folder / path.name)
    return FRAME.format(name=path.name, title=path.stem[3:].replace("_", " "))


def reset_settings(configuration: dict[str, Any], file: str) -> None:
    """Let each lesson begin as in a process of its own; sphinx-gallery calls this between lessons."""
    for setting, value in zip(SETTINGS, BEFORE, strict=True):
        setting.set(value)
    device.manual_seed(0)
    os.environ["TINYCONV_FIGURES"] = "figures"
