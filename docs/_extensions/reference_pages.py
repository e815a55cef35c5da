"""Pages of the API: one per file that a room's public names come from, headed by that file's first line."""

from __future__ import annotations

import functools
import importlib
import inspect
from pathlib import Path
from types import ModuleType
from typing import Any

from repairs import escaped

ROOMS = {
    "tinyconv": "Tensors and what is done with them",
    "tinyconv.nn": "Layers",
    "tinyconv.nn.functional": "Layers as functions",
    "tinyconv.nn.init": "First values of weights",
    "tinyconv.nn.utils": "Helpers for gradients and parameters",
    "tinyconv.optim": "Optimisers",
    "tinyconv.optim.lr_scheduler": "Learning rates that change",
    "tinyconv.optim.swa_utils": "Averages of weights",
    "tinyconv.amp": "Mixed precision",
    "tinyconv.cuda": "Graphics cards",
    "tinyconv.data": "Datasets, batches, transforms",
    "tinyconv.train": "The training loop",
    "tinyconv.metrics": "Scores",
    "tinyconv.models": "Networks",
    "tinyconv.viz": "Figures",
    "tinyconv.io": "Files",
    "tinyconv.io.onnx": "ONNX files",
    "tinyconv.course": "Lessons",
    "tinyconv.errors": "Errors",
    "tinyconv.kernels.reference": "Kernels, to be read",
}
"""The public rooms, in the order of the page, and what is in each."""

KERNELS = "tinyconv.kernels.reference"
Members = dict[str, list[str]]


def setup(app: Any) -> dict[str, bool]:
    """Write the pages before Sphinx looks for pages."""
    app.connect("builder-inited", write_reference, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def write_reference(app: Any) -> None:
    """Write reference/index.rst, and below it a page per room and per file of a room."""
    folder = Path(app.srcdir) / "reference"
    pages = {"index": index_page()}
    for room, title in ROOMS.items():
        pages |= room_pages(room, title)
    for name, text in pages.items():
        path = folder / f"{name}.rst"
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    for path in folder.rglob("*.rst"):
        if path.relative_to(folder).with_suffix("").as_posix() not in pages:
            path.unlink()


def index_page() -> str:
    """The list of rooms."""
    entries = "\n".join(f"   {room} <{room}/index>" for room in ROOMS)
    rows = "\n".join(f"* - :doc:`{room} <{room}/index>`\n  - {title}" for room, title in ROOMS.items())
    table = ".. list-table::\n   :widths: auto\n\n" + indented(rows)
    return f"{heading('Reference', '=')}\n{table}\n\n.. toctree::\n   :hidden:\n\n{entries}\n"


def room_pages(room: str, title: str) -> dict[str, str]:
    """The pages of a room: its index, and one for each file that its names come from."""
    files, elsewhere = members_by_file(room)
    listed = "\n".join(f"   {page_name(file)}" for file in files)
    parts = [heading(f"{room}: {title.lower()}", "="), f".. toctree::\n   :hidden:\n\n{listed}"]
    pages = {}
    for file, names in files.items():
        pages[f"{room}/{page_name(file)}"] = file_page(home(room, file), importlib.import_module(file), names)
        parts += [
            heading(first_line(file)[0], "-"),
            f".. currentmodule:: {home(room, file)}",
            summary_table(names),
        ]
    if elsewhere:
        parts += [heading("From other rooms", "-"), ", ".join(f":obj:`{name}`" for name in elsewhere)]
    pages[f"{room}/index"] = "\n\n".join(parts) + "\n"
    return pages


def file_page(room: str, module: ModuleType, names: list[str]) -> str:
    """What one file gives to a room."""
    title, line = first_line(module.__name__)
    _, _, rest = inspect.cleandoc(module.__doc__ or "").partition("\n")
    parts = [heading(title, "="), f".. currentmodule:: {room}", line, prose(rest)]
    parts += [entry(room, name) for name in names]
    parts.append(f"Source: ``{module.__name__.replace('.', '/')}.py``")
    return "\n\n".join(filter(None, parts)) + "\n"


def prose(text: str) -> str:
    """The paragraphs of a module's docstring; a table of its files is for readers of the files."""
    paragraphs = escaped(text.strip()).split("\n\n")
    return "\n\n".join(part for part in paragraphs if not part.lstrip("\\ ").startswith("|"))


def entry(room: str, name: str) -> str:
    """One name in full."""
    if inspect.isclass(getattr(importlib.import_module(room), name)):
        return f".. autoclass:: {name}\n   :members:"
    return f".. autofunction:: {name}"


def summary_table(names: list[str]) -> str:
    """A line for each name."""
    return ".. autosummary::\n   :nosignatures:\n\n" + indented("\n".join(names))


def members_by_file(room: str) -> tuple[Members, list[str]]:
    """The classes and functions of a room, by the file in which each is written; and those of other rooms."""
    if room == KERNELS:
        return {module.__name__: own_functions(module) for module in submodules(room)}, []
    found: Members = {}
    elsewhere = []
    for name, file in public_names(room).items():
        others = [other for other in ROOMS if file.startswith(f"{other}.") and name in public_names(other)]
        owner = max(others, key=len, default=room)
        if owner in (room, "tinyconv"):
            found.setdefault(file, []).append(name)
        else:
            elsewhere.append(f"{owner}.{name}")
    return {file: sorted(names, key=str.lower) for file, names in sorted(found.items())}, sorted(elsewhere)


@functools.cache
def public_names(room: str) -> dict[str, str]:
    """The classes and functions that a room offers, each with the module in which it is written.

    A room without ``__all__`` offers what it defines, but for tinyconv itself, which offers all that it has.
    """
    module = importlib.import_module(room)
    names = {}
    listed = vars(module).get("__all__")
    for name in listed or sorted(vars(module)):
        value = getattr(module, name)
        file = getattr(value, "__module__", "") or ""
        if name.startswith("_") or not (inspect.isroutine(value) or inspect.isclass(value)):
            continue
        if file.startswith("tinyconv") and (listed or room in ("tinyconv", file)):
            names[name] = file
    return names


def home(room: str, file: str) -> str:
    """Where a name is taken from: the room, or the file itself where a room gathers no names."""
    return file if room == KERNELS else room


def submodules(package: str) -> list[ModuleType]:
    """The public modules of a package."""
    folder = Path(str(importlib.import_module(package).__file__)).parent
    names = sorted(path.stem for path in folder.glob("[a-z]*.py"))
    return [importlib.import_module(f"{package}.{name}") for name in names]


def own_functions(module: ModuleType) -> list[str]:
    """The public functions that a module defines."""
    return [
        name
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_")
    ]


def page_name(file: str) -> str:
    """The name of a file's page: without the package, dots as lines."""
    return file.removeprefix("tinyconv.").replace(".", "-")


def first_line(file: str) -> tuple[str, str]:
    """A short title for a module, and the first line of its docstring where that says more."""
    module = importlib.import_module(file)
    line = escaped(inspect.cleandoc(module.__doc__ or file).splitlines()[0])
    title = line.rstrip(".").partition(":")[0]
    if len(title) > 40:
        title = title.partition(",")[0]
    return title, "" if title == line.rstrip(".") else line


def heading(title: str, line: str) -> str:
    """A heading."""
    return f"{title}\n{line * len(title)}"


def indented(text: str) -> str:
    """`text`, three places to the right."""
    return "\n".join(f"   {line}" if line else "" for line in text.splitlines())
