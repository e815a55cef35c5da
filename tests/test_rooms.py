"""Imports go down the list of rooms only, never up; matplotlib stays in its room."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "tinyconv"

LEVELS = (
    ("cli", "__main__", "commands"),
    ("course", "benchmark"),
    ("models",),
    ("train",),
    ("data", "utils"),
    ("viz",),
    ("io", "metrics"),
    ("capture",),
    ("nn", "optim", "amp"),
    ("ops",),
    (
        *("tensor", "attached", "function", "autograd", "anomaly", "graph", "hooks", "dlpack", "recorder"),
        *("gradcheck", "gradcheck_probe", "gradcheck_report"),
    ),
    ("grad_mode", "memory"),
    ("kernels",),
    ("backends", "cuda", "device", "device_errors", "generator"),
    ("errors", "_version"),
)
"""The rooms from the top down; those of one level may import each other."""

DEPTH = {room: depth for depth, level in enumerate(LEVELS) for room in level}
FILES = sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(source: str, package: tuple[str, ...]) -> list[tuple[int, str]]:
    """(line, dotted name) of everything imported, in functions too; names of `from` are added."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*start, *([node.module] if node.module else [])))
            found += [(node.lineno, f"{module}.{alias.name}") for alias in node.names]
    return found


def imports_of(path: Path) -> list[tuple[int, str]]:
    package = ("tinyconv", *path.relative_to(ROOT).parts[:-1])
    return imports(path.read_text(encoding="utf-8"), package)


def rooms(names: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """(line, room) of what is imported from tinyconv; "tinyconv" where it is the whole package."""
    split = [(line, name.split(".")) for line, name in names if name.split(".")[0] == "tinyconv"]
    return [(line, parts[1] if len(parts) > 1 and parts[1] in DEPTH else "tinyconv") for line, parts in split]


def test_every_room_is_in_the_list() -> None:
    assert {room_of(path) for path in FILES} <= set(DEPTH)
    assert {"cli", "ops", "nn", "kernels", "tensor"} <= {room_of(path) for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_down(path: Path) -> None:
    own = room_of(path)
    for line, room in rooms(imports_of(path)):
        if room == "tinyconv":
            assert DEPTH[own] <= DEPTH["course"], f"{path.name}:{line} imports the whole package"
        else:
            assert DEPTH[room] >= DEPTH[own], f"{path.name}:{line}: {own} imports {room}, which is above it"


def test_the_check_sees_all_forms_of_import() -> None:
    source = (
        "def f():\n    from tinyconv.ops import sum\n\n"
        "import tinyconv.nn as nn\nfrom ..device import seed\nfrom . import conv\n"
        "import tinyconv as tc\nfrom tinyconv import errors\nimport numpy\n"
    )
    found = rooms(imports(source, ("tinyconv", "kernels")))
    expected = [(2, "ops"), (4, "nn"), (5, "device"), (6, "kernels"), (7, "tinyconv"), (8, "errors")]
    assert sorted(found) == expected


HEAVY = {
    "matplotlib": ("viz",),
    "cupy": ("kernels", "cuda", "device", "device_errors", "dlpack", "ops"),
    "llvmlite": ("kernels",),
    "torch": ("benchmark",),
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_heavy_packages_stay_in_their_rooms(path: Path) -> None:
    for line, name in imports_of(path):
        package = name.split(".")[0]
        assert package not in HEAVY or room_of(path) in HEAVY[package], f"{path.name}:{line} imports {name}"
