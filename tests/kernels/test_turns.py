"""Several Python threads that compute at the same time, with each kind of threads that Numba has."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("numba")

ROOT = Path(__file__).parents[2]
PROGRAM = """
import threading
import numba
import numpy as np
import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv.kernels.cpu import threads

threads.WORTH_SHARING = 0

def gradient(seed):
    rng = np.random.default_rng(seed)
    x = tc.tensor(rng.standard_normal((2, 8, 16, 16)).astype(np.float32))
    w = tc.tensor(rng.standard_normal((8, 8, 3, 3)).astype(np.float32), requires_grad=True)
    y = F.max_pool2d(F.relu(F.conv2d(x, w, padding=1)), 2)
    ((y * y).mean() + F.linear(y.flatten(1), y.flatten(1)).sum()).backward()
    return w.grad.numpy().tobytes()

def work(seed):
    for _ in range(20):
        found[seed].add(gradient(seed))

expected = [gradient(seed) for seed in range(4)]
found = [set() for _ in expected]
running = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
for thread in running:
    thread.start()
for thread in running:
    thread.join()
assert found == [{right} for right in expected] and len(set(expected)) == 4
print(numba.threading_layer())
"""


@pytest.mark.parametrize("layer", ["workqueue", "default"])
def test_threads_compute_at_the_same_time(layer):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_THREADING_LAYER": layer}
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    assert layer in (done.stdout.strip(), "default")


def test_a_fork_that_was_made_in_the_middle_of_a_turn():
    """The lock was taken by a thread that the fork does not have."""
    from tinyconv.kernels.cpu.turns import InTurn, _turn

    if not hasattr(os, "fork"):
        pytest.skip("needs fork")
    with _turn.lock:
        child = os.fork()
        if child == 0:
            signal.alarm(10)
            os._exit(InTurn(lambda value: value + 1)(6))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
