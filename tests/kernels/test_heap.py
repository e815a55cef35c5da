import platform
import subprocess
import sys

import pytest

from tinyconv.kernels.heap import give_back_free_blocks, keep_large_blocks

KEPT = """
import numpy as np
from tinyconv.kernels.heap import give_back_free_blocks, keep_large_blocks

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 >> 20

keep_large_blocks()
before = resident()
arrays = [np.ones((8, 1 << 20), np.float32) for _ in range(8)]
last = np.ones(100)  # above them, so that the heap cannot shrink from its end
del arrays
kept = resident() - before
give_back_free_blocks()
print(kept, resident() - before)
"""


def test_neither_raises() -> None:
    assert keep_large_blocks() in (True, False)
    assert give_back_free_blocks() in (True, False)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps blocks in this way")
def test_free_blocks_are_kept_until_they_are_given_back() -> None:
    done = subprocess.run([sys.executable, "-c", KEPT], capture_output=True, text=True, check=True)
    kept, left = map(int, done.stdout.split())
    assert kept > 200
    assert left < 50
