"""docs/models.md, made from the registry and from what the files of the models say of themselves.

Run ``python -m tests.models.page`` in the folder of the project to write it anew.
"""

from __future__ import annotations

import inspect
import sys
from collections import defaultdict
from functools import cache, partial
from pathlib import Path
from unittest import mock

from tinyconv import models
from tinyconv.models.registry import _builders

PAGE = Path(__file__).parents[2] / "docs" / "models.md"

INTRODUCTION = """\
# The networks

`models.create(name, …)` makes a network with random weights, `models.list()` gives the names, and
`tinyconv summary NAME` shows one layer by layer. Nearly all take `in_channels` and `num_classes`. Below is
what each file of `tinyconv/models/` says of itself, then its networks as they are without options: their
parameters, and an input without the batch, such as (channels, height, width), or (numbers of noise) for a
generator.

This page is written by `python -m tests.models.page`; a test compares it with the networks.
"""


def families() -> dict[str, list[str]]:
    """The names of the models of each module."""
    found = defaultdict(list)
    for name in models.list():
        builder = _builders[name]
        found[(builder.func if isinstance(builder, partial) else builder).__module__].append(name)
    return dict(found)


def parameters(name: str) -> int:
    """The number of parameters; no random numbers are drawn for them."""
    with mock.patch("tinyconv.nn.init._draw", lambda tensor, draw: tensor):
        return sum(p.numel() for p in models.create(name).parameters())


def section(module: str, names: list[str]) -> str:
    """What a file says of itself, and a table of its models."""
    title, _, text = (inspect.getdoc(sys.modules[module]) or "").partition("\n")
    lines = [f"## {title.rstrip('.')}", text, "", "| name | parameters | input |", "|---|---:|---|"]
    for name in names:
        size = ", ".join(map(str, models.input_size(name)))
        lines.append(f"| `{name}` | {parameters(name):,} | ({size}) |")
    return "\n".join(lines)


@cache
def page() -> str:
    """The text of docs/models.md."""
    sections = [section(module, names) for module, names in sorted(families().items())]
    return "\n\n".join([INTRODUCTION.rstrip(), *sections]) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
