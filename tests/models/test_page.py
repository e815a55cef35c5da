"""The page of the networks says what the networks are."""

from __future__ import annotations

import re

import pytest

from tests.models.page import PAGE, families, page, parameters
from tinyconv import models


def test_the_page_is_of_today() -> None:
    written = PAGE.read_text(encoding="utf-8")
    assert written == page(), "write it anew: python -m tests.models.page"
    assert re.findall(r"^\| `(\w+)`", written, re.MULTILINE) == [
        name for _, names in sorted(families().items()) for name in names
    ]
    assert sorted(name for names in families().values() for name in names) == models.list()


@pytest.mark.parametrize("name", ("lenet5", "vae", "densenet121"))
def test_parameters_are_counted_as_in_a_real_network(name: str) -> None:
    assert parameters(name) == sum(p.numel() for p in models.create(name).parameters())


@pytest.mark.parametrize("module", families())
def test_every_file_names_its_source(module: str) -> None:
    """A paper with its year, or the slide deck."""
    text = page().split("\n## ")
    ours = [part for part in text if any(f"| `{name}`" in part for name in families()[module])]
    assert len(ours) == 1
    assert re.search(r"\b(19[5-9]|20[0-2])\d\b|[Ss]lide deck", ours[0].partition("| name |")[0])
