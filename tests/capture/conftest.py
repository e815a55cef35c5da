"""What the tests of captured steps share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tinyconv.cuda.graphs import for_a_graph


@pytest.fixture(autouse=True)
def _the_same_products() -> Iterator[None]:
    """On a GPU the eager step adds up matrix products as a graph does, so that bits can be compared."""
    with for_a_graph():
        yield
