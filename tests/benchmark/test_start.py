"""The parts of a start add up, and are measured in a process that has done nothing before."""

from __future__ import annotations

import pytest

pytest.importorskip("numba")

from benchmarks import start


def test_the_parts_of_a_start(capfd):
    found = start.in_a_second_process("mlp")
    assert list(found) == ["import", "network", "loading", "total", "a later step"]
    for index in range(2):
        parts = [found[part][index] for part in ("import", "network", "loading")]
        assert sum(parts) == pytest.approx(found["total"][index])
    assert 0 < found["a later step"][0] < found["total"][0]
    assert found["import"][1] > 0.01, "an import that is done already takes no time"
