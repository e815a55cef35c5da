"""The process of one contender: reads requests as JSON lines, answers with JSON lines.

    python -m tinyconv.benchmark.worker ADDRESS THREADS

Answers go to what was the standard output when the process began; whatever a library prints
goes to the standard error, so that it cannot be taken for an answer.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from tinyconv.benchmark.case import Layer, Network, from_json, tasks_of
from tinyconv.benchmark.contender import Contender, Job, Unsupported, make
from tinyconv.benchmark.peak import forget_peak, peak_bytes, resident_bytes
from tinyconv.kernels.heap import give_back_free_blocks

STEPS_FOR_PEAK = 4
MOST_CALLS = 100
TINY = (Layer(1, 2, 2, (8, 8)), Network("lenet5", 16, (1, 28, 28)))


def limit_cores(threads: int) -> None:
    """Keep this process on as many cores as it has threads, whatever its libraries do."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


class Worker:
    """Holds the contender and the job that is ready."""

    def __init__(self, contender: Contender) -> None:
        self.contender = contender
        self.job: Job | None = None

    def prepare(self, case: str, task: str, results: str) -> dict[str, Any]:
        """Make the job ready, save its results to the file `results`, and warm up."""
        self.job = None  # free the last one first
        self.job = self.contender.prepare(from_json(case), task)
        np.savez(Path(results), allow_pickle=False, **self.job.results())
        self._time_once()
        return {"ready": True}

    def time(self, seconds: float) -> dict[str, Any]:
        """Time calls for so many seconds: at least 1 call, at most `MOST_CALLS`.

        A first one is dropped: the turns of the others have emptied the caches.
        """
        self._time_once()
        end, times = time.perf_counter() + seconds, [self._time_once()]
        while time.perf_counter() < end and len(times) < MOST_CALLS:
            times.append(self._time_once())
        return {"seconds": times}

    def peak(self, case: str, task: str) -> dict[str, Any]:
        """Bytes of the process at rest, and its highest value in the steps after a few that warm up.

        At rest code is loaded: the tasks of `TINY` have been done, with 16 images, because kernels
        take other ways with one; and what they needed was given back. What a compiler needed in the
        first steps is not counted.
        """
        own = getattr(self.contender, "peak", None)
        if own is not None:
            found: dict[str, Any] = own(from_json(case), task)
            return found
        for tiny, name in tasks_of(TINY):
            with contextlib.suppress(Unsupported):
                self.job = self.contender.prepare(tiny, name)
                self._time_once()
        self.job = None
        give_back_free_blocks()
        rest = resident_bytes()
        self.job = self.contender.prepare(from_json(case), task)
        for number in range(2 * STEPS_FOR_PEAK):
            if number == STEPS_FOR_PEAK:
                forget_peak()
            self._time_once()
        return {"rest": rest, "peak": peak_bytes()}

    def _time_once(self) -> float:
        if self.job is None:
            raise RuntimeError("nothing was prepared")
        self.job.before()
        if self.job.seconds is not None:
            return self.job.seconds()
        start = time.perf_counter()
        self.job.run()
        return time.perf_counter() - start


def answer(worker: Worker, request: dict[str, Any]) -> dict[str, Any]:
    """Do what `request` asks; an error becomes an answer."""
    try:
        return getattr(worker, request.pop("do"))(**request)
    except Unsupported as error:
        return {"unsupported": str(error)}
    except (Exception, MemoryError) as error:
        return {"error": one_line(error)}


def one_line(error: BaseException) -> str:
    """The kind of error and the first line of its message."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def main() -> None:
    """Serve until the standard input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    address, threads = sys.argv[1], int(sys.argv[2])
    limit_cores(threads)
    try:
        worker = Worker(make(address, threads))
    except Exception as error:  # some packages raise AttributeError where NumPy is too new for them
        print(json.dumps({"missing": one_line(error)}), file=answers)
        return
    print(json.dumps({"version": worker.contender.version}), file=answers)
    for line in sys.stdin:
        print(json.dumps(answer(worker, json.loads(line))), file=answers)


if __name__ == "__main__":
    main()
