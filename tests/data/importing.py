"""Forked workers that read nuclei while another thread is importing what kernels need.

``python -m tests.data.importing`` prints how many batches it got.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from contextlib import suppress
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from tinyconv.data import DataLoader, NucleiFolder, SegmentationData, collate_arrays, write_png

SLOW = ("numba", "llvmlite", "cupy")
TIMEOUT = 20.0


class Waits(MetaPathFinder, Loader):
    """Whoever imports one of `SLOW` waits, holding the lock of that module; then there is no such module."""

    def __init__(self) -> None:
        self.reached, self.go_on = threading.Event(), threading.Event()

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        return ModuleSpec(name, self) if name in SLOW else None

    def exec_module(self, module: ModuleType) -> None:
        self.reached.set()
        self.go_on.wait(3 * TIMEOUT)
        raise ImportError(module.__name__)


def write_nuclei(folder: Path) -> None:
    draw = np.random.default_rng(0)
    for item in ("a", "b", "c"):
        for part, count in (("images", 1), ("masks", 3)):
            (folder / item / part).mkdir(parents=True)
            for number in range(count):
                write_png(folder / item / part / f"{number}.png", draw.random((32, 32)))


def begin_to_import(name: str) -> None:
    with suppress(ImportError):
        __import__(name)


def main() -> None:
    waits = Waits()
    sys.meta_path.insert(0, waits)
    assert not set(SLOW) & set(sys.modules)
    with tempfile.TemporaryDirectory() as folder:
        write_nuclei(Path(folder))
        data = SegmentationData.training(NucleiFolder(folder), 16)
        importing = threading.Thread(target=begin_to_import, args=SLOW[:1])
        importing.start()
        assert waits.reached.wait(TIMEOUT)
        batches = DataLoader(
            data,
            num_workers=2,
            collate_fn=collate_arrays,
            multiprocessing_context="fork",
            timeout=TIMEOUT,
        )
        try:
            print(len(list(batches)), "batches")
        finally:
            waits.go_on.set()
            importing.join()


if __name__ == "__main__":
    main()
