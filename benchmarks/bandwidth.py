"""How near to the speed of a copy each op comes that only moves numbers.

    python -m benchmarks --only bandwidth --out docs/benchmarks

Each try of an op is followed by a try of a copy, so that a slow second is slow for both. What is shown
is the median of GB/s, and the median of the quotients of both tries. All runs in a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.traffic import BACKWARD, CASES, FORWARD, OPTIMISERS, STEP, Timed, optimiser, prepared
from tinyconv.benchmark.process import THREAD_VARIABLES
from tinyconv.benchmark.worker import limit_cores

TRIES, LONGEST_TRIES = 9, 1.5
"""Tries of each op, and after how many seconds no more are made."""
COPIED_BYTES = 2**26
LOW = 0.5
"""An op below this share of a copy's speed is marked."""


@dataclass(frozen=True)
class Rate:
    """What was measured of one task of one op; GB/s."""

    name: str
    task: str
    megabytes: float
    rate: float
    copy: float
    share: float

    @property
    def label(self) -> str:
        return f"{self.name}: {self.task}"


def tasks(text: str | None) -> list[tuple[str, str]]:
    """All names and tasks, or those with `text` in "name: task"."""
    every = [(case.name, task) for case in CASES for task in (FORWARD, BACKWARD)[: 1 + case.moves_back]]
    every += [(name, STEP) for name in OPTIMISERS]
    return [(name, task) for name, task in every if text is None or text in f"{name}: {task}"]


def jobs(
    chosen: Sequence[tuple[str, str]], quick: bool, device: str = "cpu", times: int = 1
) -> Iterator[Timed]:
    """What is to be timed, one at a time, so that not all arrays exist at once."""
    names = {name for name, _ in chosen}
    for case in CASES:
        if case.name in names:
            every = prepared(case, quick, device, times)
            yield from (job for job in every if (job.name, job.task) in chosen)
    yield from (optimiser(name, quick, device, times) for name in OPTIMISERS if name in names)


def timed(run: Callable[[], Any]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def rate(
    job: Timed, copy: Callable[[], Any], copied: float, timed: Callable[[Callable[[], Any]], float] = timed
) -> Rate:
    """Time a job and a copy in turns."""
    job.run()
    copy()
    begin, seconds, copies = time.perf_counter(), [], []
    while len(seconds) < TRIES and (len(seconds) < 3 or time.perf_counter() - begin < LONGEST_TRIES):
        seconds.append(timed(job.run))
        copies.append(timed(copy))
    shares = [job.bytes / mine / (copied / theirs) for mine, theirs in zip(seconds, copies, strict=True)]
    return Rate(
        job.name, job.task, job.bytes / 1e6, job.bytes / median(seconds) / 1e9,
        copied / median(copies) / 1e9, median(shares),
    )  # fmt: skip


def copying(size: int) -> tuple[Callable[[], Any], float]:
    """A copy with all threads of an array of `size` bytes, and the bytes it reads and writes."""
    import numpy as np

    from benchmarks.ceiling import copy_kernel

    source, target = np.ones(size // 4, np.float32), np.zeros(size // 4, np.float32)
    kernel = copy_kernel()
    return lambda: kernel(source, target), 2.0 * size


def measure(
    threads: int, text: str | None, quick: bool, show: Callable[[str], None] = lambda label: None
) -> list[Rate]:
    """The rates of all ops (with `text` in their label), in a new process."""
    environment = os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads))
    request = json.dumps({"threads": threads, "text": text, "quick": quick})
    command = [sys.executable, "-m", "benchmarks.bandwidth", request]
    rates = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        for line in process.stdout or ():
            rates.append(Rate(**json.loads(line)))
            show(rates[-1].label)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return rates


def main() -> None:
    """In the new process: print each rate as a line of JSON as soon as it is known."""
    request = json.loads(sys.argv[1])
    limit_cores(request["threads"])
    import numba

    numba.set_num_threads(request["threads"])
    quick = request["quick"]
    copy, copied = copying(COPIED_BYTES // 256 if quick else COPIED_BYTES)
    for job in jobs(tasks(request["text"]), quick):
        print(json.dumps(asdict(rate(job, copy, copied))), flush=True)


def copy_rate(rates: Sequence[Rate]) -> float:
    return median(one.copy for one in rates)


def write(rates: Sequence[Rate], facts: dict[str, Any], settings: dict[str, Any], folder: Path) -> list[Path]:
    """Write bandwidth.json, bandwidth.md and bandwidth.png into `folder`."""
    from tinyconv.viz import plot_shares

    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"bandwidth.{ending}" for ending in ("json", "md", "png")]
    found = {"machine": facts, "settings": settings, "copy": copy_rate(rates)}
    found["ops"] = [asdict(one) for one in rates]
    paths[0].write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    paths[1].write_text(as_page(rates, facts, settings), encoding="utf-8")
    shares: dict[str, dict[str, float]] = {}
    for one in rates:
        shares.setdefault(one.task, {})[one.name] = one.share
    names = list(dict.fromkeys(one.name for one in rates))
    plot_shares(
        names, {task: [known.get(name) for name in names] for task, known in shares.items()},
        f"{facts['processor']}, {facts['threads']} threads, {facts['date'][:10]}", paths[2],
    )  # fmt: skip
    return paths


def as_page(rates: Sequence[Rate], facts: dict[str, Any], settings: dict[str, Any]) -> str:
    """The Markdown page."""
    machine = [f"- {name}: {value}" for name, value in {**facts, **settings}.items()]
    parts = [
        "# At the speed of memory?",
        "Made by `make bench`; [how to read it](../benchmarks.md#bandwidth).",
        "\n".join([*machine, f"- a copy: {copy_rate(rates):.1f} GB/s, read and written"]),
        summary(rates),
        "![Share of a copy's speed](bandwidth.png)",
        page_table(rates),
    ]
    return "\n\n".join(parts) + "\n"


def summary(rates: Sequence[Rate]) -> str:
    """How many reach which share, in one sentence."""
    low = sum(one.share < LOW for one in rates)
    return (
        f"Of {len(rates)} passes {len(rates) - low} reach {LOW:.0%} of a copy's speed or more; "
        f"the median is {median(one.share for one in rates):.0%}."
    )


def page_table(rates: Sequence[Rate]) -> str:
    lines = [["op", "pass", "MB moved at least", "GB/s", "of a copy"], ["---"] * 2 + ["---:"] * 3]
    for one in rates:
        share = f"{one.share:.0%}" if one.share >= LOW else f"**{one.share:.0%}**"
        lines.append([one.name, one.task, f"{one.megabytes:.1f}", f"{one.rate:.2f}", share])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    main()
