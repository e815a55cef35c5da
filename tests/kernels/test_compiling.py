"""Somebody who waits for compilation is told so, once, and nobody else."""

from __future__ import annotations

import os
import subprocess
import sys

import numba
import pytest

from tinyconv.kernels.cpu import compiling


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


def test_commands_say_so_on_standard_error(tmp_path):
    """The first that runs on a machine, and the first on another one that is given its run."""
    train = ["train", "lenet5", "--data", "digits", "--quick", "--steps", "1", "--run", "run"]
    predict, told = ["predict", "run", "run/curves.png"], []
    for command, kept in ((train, "one"), (predict, "other"), (predict, "other")):
        env = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / kept)}
        done = subprocess.run(
            [sys.executable, "-m", "tinyconv", *command],
            **{"cwd": tmp_path, "env": env, "capture_output": True, "text": True, "check": True},
        )
        assert compiling.NOTICE not in done.stdout
        told.append(done.stderr)
    assert told == [compiling.NOTICE + "\n", compiling.NOTICE + "\n", ""]
