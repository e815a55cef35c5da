"""What the tests of the CUDA kernels share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.gpu import gpu


@pytest.fixture(scope="module")
def cuda() -> Iterator[Any]:
    """CuPy where there is a GPU, else its stand-in with kernels in the emulator."""
    with gpu() as cupy:
        yield cupy
