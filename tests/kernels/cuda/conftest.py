"""What the tests of the CUDA kernels share."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import pytest

from tests.gpu import gpu


@pytest.fixture(scope="module")
def cuda() -> Iterator[Any]:
    """CuPy where there is a GPU, else its stand-in with kernels in the emulator."""
    with gpu() as cupy:
        yield cupy


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The most that the compiled kernels of a source take of a GPU."""
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    usages = sorted(
        value for report in reports for name, value in report.user_properties if name == "cuda usage"
    )
    if usages:
        terminalreporter.section(
            "CUDA kernels: registers of a thread, bytes spilled, bytes shared of a block"
        )
    for source, group in groupby(usages, key=lambda usage: usage[0]):
        parts = [f"{usage[1]}: {usage[3]:3} {usage[4]:3} {usage[5]:6}" for usage in group]
        terminalreporter.write_line(f"{source:24} " + "   ".join(parts))
