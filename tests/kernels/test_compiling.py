"""Somebody who waits for compilation is told so, once, and nobody else."""

from __future__ import annotations

import os
import subprocess
import sys

import numba
import pytest

from tinyconv.kernels.cpu import compiling

PREDICT = """
import tinyconv as tc
from tinyconv.kernels.cpu.compiling import say_when_compiling
with say_when_compiling(print), tc.no_grad():
    tc.nn.Conv2d(1, 16, 3)(tc.zeros(1, 1, 32, 32))
"""


def add_compiled() -> None:
    @numba.njit
    def inner(x):
        return x + 1

    @numba.njit
    def outer(x):
        return inner(x) + 1

    assert outer(1) == 3


@pytest.fixture
def clock(monkeypatch):
    """Each time the clock is read, 0.3 s are gone."""
    now = [0.0]

    def read():
        now[0] += 0.3
        return now[0]

    monkeypatch.setattr(compiling.time, "monotonic", read)
    return now


def test_it_is_said_once_when_compilation_has_taken_a_second(clock):
    said: list[str] = []
    with compiling.say_when_compiling(said.append):
        add_compiled()  # 0.3 s for the inner function, as much after it
        assert said == []
        for _ in range(4):
            add_compiled()
    assert said == [compiling.NOTICE]
    for _ in range(9):
        add_compiled()
    assert said == [compiling.NOTICE]


def test_two_listeners_and_an_error_leave_none_behind(clock):
    said: list[str] = []
    with pytest.raises(ZeroDivisionError), compiling.say_when_compiling(said.append):
        with compiling.say_when_compiling(said.append):
            for _ in range(4):
                add_compiled()
        assert len(said) == 2
        raise ZeroDivisionError
    for _ in range(4):
        add_compiled()
    assert len(said) == 2


def test_kernels_that_are_not_on_disk_are_told_of_and_others_are_not(tmp_path):
    """In new processes with an empty folder for kernels: the first compiles, the second finds them."""
    env = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    given = {"env": env, "capture_output": True, "text": True, "timeout": 300, "check": True}
    told = [subprocess.run([sys.executable, "-c", PREDICT], **given).stdout for _ in range(2)]
    assert told == [compiling.NOTICE + "\n", ""]
