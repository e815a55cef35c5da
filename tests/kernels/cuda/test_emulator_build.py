"""g++ as the emulator starts it: whatever a source asks for, it ends."""

from __future__ import annotations

import os
import sys

import pytest

from tinyconv.kernels.cuda.emulator import build

pytestmark = pytest.mark.skipif(build.why_not() is not None, reason=str(build.why_not()))
KERNEL = "__global__ void fill(float* y) { y[threadIdx.x] = 1; }\n"


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(build, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(build, "_runtime", build._runtime.__wrapped__)


@pytest.fixture
def script(tmp_path, monkeypatch):
    """A program in the place of g++."""

    def write(lines):
        path = tmp_path / "compiler"
        path.write_text(f"#!/bin/sh\n{lines}\n")
        path.chmod(0o755)
        monkeypatch.setattr(build, "_compiler", lambda: str(path))
        monkeypatch.setattr(build, "_compiler_version", lambda: "")

    return write


def test_the_compiler_has_nothing_to_read():
    reading, writing = os.pipe()
    os.write(writing, b"this is no kernel\n")
    os.close(writing)
    before = os.dup(0)
    os.dup2(reading, 0)
    try:
        assert build.library(f'#include "/dev/stdin"\n{KERNEL}', ["fill"]).is_file()
    finally:
        os.dup2(before, 0)
        os.close(before)
        os.close(reading)


def test_a_compiler_that_does_not_end_is_ended(script, tmp_path):
    script(f"exec {sys.executable} -c 'import time; time.sleep(30)'")
    with pytest.raises(build.CompileError, match="more than 1 seconds"):
        build.library(KERNEL, ["fill"], seconds=1)
    assert [path.name for path in tmp_path.iterdir()] == ["compiler"]


def test_the_compiler_has_limits_of_memory_time_and_size(script):
    script("for name in v t f; do ulimit -$name; done >&2; exit 1")
    with pytest.raises(build.CompileError) as told:
        build.library(KERNEL, ["fill"])
    memory, seconds, size = map(int, str(told.value).split())
    assert memory << 10 == build.MEMORY and seconds == build.SECONDS and size << 9 == build.LARGEST
