"""A process that dies while its workers make batches.

``python -m tests.data.orphans METHOD`` starts workers in that way, takes a batch, and kills itself. The
workers have its standard output open for as long as they live.
"""

from __future__ import annotations

import os
import signal
import sys

import numpy as np

from tinyconv.data import DataLoader, Dataset


class Large(Dataset):
    """Samples that do not fit into a pipe: a worker waits until the other side has taken one."""

    def __len__(self) -> int:
        return 100

    def __getitem__(self, index: int) -> np.ndarray:
        return np.zeros(2**20, np.float32)


def main(method: str) -> None:
    options = {"num_workers": 3, "multiprocessing_context": method}
    batches = iter(DataLoader(Large(), 1, **options))
    next(batches)
    other = DataLoader(Large(), 100, persistent_workers=True, **options)
    print(f"{len(other._take_pool(len).processes)} idle ones more", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1])
