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


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What the compiled kernels take of a GPU, one line for each source and architecture."""
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    lines = [text for report in reports for name, text in report.user_properties if name == "cuda usage"]
    if lines:
        terminalreporter.section("CUDA kernels")
        terminalreporter.write_line("\n".join(sorted(lines)))
