"""Where the threads of a kernel may run before and after the first kernel that follows a pause."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("numba")

ROOT = Path(__file__).parents[2]
PROGRAM = """
import ctypes, os, threading, time
from tinyconv.kernels.cpu import _waking, threads

me = threading.get_native_id()
cores = os.sched_getaffinity(0)

def allowed():
    threads.use_threads()
    found = {number: os.sched_getaffinity(number) for number in _waking._others.numbers.get(2, [])}
    assert os.sched_getaffinity(0) == cores and me not in found
    return list(found.values())

print(allowed(), allowed())
time.sleep(2 * threads.PAUSE)
here = ctypes.CDLL(None).sched_getcpu()
os.sched_setaffinity(0, {here, min(cores - {here})})
cores = os.sched_getaffinity(0)
print(allowed() == [cores - {here}], end=" ")
print(allowed() == [cores], allowed() == [cores])
time.sleep(2 * threads.PAUSE)
real = _waking._others.numbers[2]
_waking._others.numbers[2] = [os.getppid()]  # as if a thread had ended, and another program had its number
before = os.sched_getaffinity(os.getppid())
threads.use_threads()
print(_waking._others.numbers[2] == real, os.sched_getaffinity(os.getppid()) == before, end=" ")
threads.use_threads()
os.sched_setaffinity(real[0], {here})
time.sleep(2 * threads.PAUSE)
print(allowed() == [{here}], allowed() == [{here}])
"""


def run(**others):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_NUM_THREADS": "2", **others}
    command = [sys.executable, "-c", "import tinyconv\ntinyconv.set_num_threads(2)\n" + PROGRAM]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


def can_move():
    if not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2:
        return False
    from tinyconv.kernels.cpu import _waking

    return _waking._can_move


def test_after_a_pause_they_wake_on_another_core():
    """And run anywhere from the next kernel on; the number of a thread that has ended may be another
    program's, and who was put on a core stays there."""
    if not can_move():
        pytest.skip("needs Linux and two cores")
    assert run() == ["[] []", "True True True", "True True True True"]


@pytest.mark.parametrize("name", ["OMP_PROC_BIND", "GOMP_CPU_AFFINITY"])
def test_who_has_chosen_cores_is_obeyed(monkeypatch, name):
    if not can_move():
        pytest.skip("needs Linux and two cores")
    from tinyconv.kernels.cpu import _waking

    moved = []
    monkeypatch.setattr(_waking, "_numbers_of", lambda count: moved.append(count) or [])
    _waking.wake_elsewhere(2)
    assert len(moved) == 1
    monkeypatch.setenv(name, "true")
    assert not _waking.wake_elsewhere(2) and len(moved) == 1
