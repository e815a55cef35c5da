"""The race: for each case, every contender in its own process, taking turns.

One contender after the other would let a slow minute of the machine fall on one of them; so a
case is run in rounds, and in each round every contender has one turn, in an order that is drawn
anew. Between two turns there is a pause, in which threads of the last one that still wait in a
loop fall asleep.
"""

from __future__ import annotations

import contextlib
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import numpy as np

from tinyconv.benchmark.agreement import disagreement
from tinyconv.benchmark.case import Case, to_json
from tinyconv.benchmark.engines import EXACT
from tinyconv.benchmark.process import Failed, Missing, NotDone, Process

OK, WRONG, FAILED, NOT_DONE, MISSING = "ok", "wrong", "failed", "not done", "missing"
SLOW_ROUNDS, SLOW_TURNS = 1, 4
STANDARD = "float64"


@dataclass(frozen=True)
class Settings:
    """How long is timed.

    Parameters
    ----------
    threads : int
        Threads, and cores, of each contender.
    rounds : int
        Turns of each contender; `SLOW_ROUNDS` for one whose call takes longer than `SLOW_TURNS` turns should.
    turn_seconds : float
        A turn has as many calls as fit in, but at least 1 and at most 100, and before them one
        that is not counted.
    pause : float
        Seconds between two turns.
    """

    threads: int
    rounds: int = 7
    turn_seconds: float = 0.5
    pause: float = 0.05
    seed: int = 0


@dataclass
class Entry:
    """What one contender did in one case: seconds of each timed call, or why there are none."""

    status: str = OK
    note: str = ""
    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return median(self.seconds)

    @property
    def quartiles(self) -> tuple[float, float]:
        """Between them lies the middle half of the calls."""
        if len(self.seconds) < 2:
            return self.seconds[0], self.seconds[0]
        low, _, high = quantiles(self.seconds, n=4, method="inclusive")
        return low, high


@dataclass
class Row:
    """One case and task, with the entry of each contender."""

    case: Case
    task: str
    entries: dict[str, Entry]

    @property
    def label(self) -> str:
        return f"{self.case.name}: {self.task}"

    def best(self, prefix: str) -> str | None:
        """The fastest contender whose name begins with `prefix` and whose results are right."""
        medians = {
            name: entry.median
            for name, entry in self.entries.items()
            if entry.status == OK and name.startswith(prefix)
        }
        return min(medians, key=medians.__getitem__, default=None)

    def ratio(self, ours: str, theirs: str) -> float | None:
        """Median time of the best of `theirs` / that of `ours` (prefixes); None if one is missing."""
        mine, other = self.best(ours), self.best(theirs)
        if mine is None or other is None:
            return None
        return self.entries[other].median / self.entries[mine].median


def turns(names: Sequence[str], rounds: int, seed: int) -> Iterator[list[str]]:
    """The order of the contenders in each round, drawn by `seed`; never the same order twice running.

    Examples
    --------
    >>> list(turns(["A", "B"], 3, seed=0))
    [['A', 'B'], ['B', 'A'], ['A', 'B']]
    """
    generator = random.Random(seed)
    before: list[str] = []
    for _ in range(rounds):
        order = list(names)
        generator.shuffle(order)
        while len(order) > 1 and order == before:
            generator.shuffle(order)
        yield order
        before = order


def race(
    jobs: Sequence[tuple[Case, str]],
    contenders: Mapping[str, str],
    settings: Settings,
    progress: Callable[[str], object] = lambda label: None,
    versions: dict[str, str] | None = None,
    standard: str = EXACT,
    roundings: Mapping[str, float] | None = None,
) -> Iterator[Row]:
    """Run each job (a case and one of its tasks) with every contender.

    Parameters
    ----------
    jobs : sequence of (Case, str)
    contenders : dict
        Names and addresses.
    settings : Settings
    progress : callable, optional
        Is told the label of each job when it begins.
    versions : dict, optional
        Gets the version of each contender that is there.
    standard : str
        The address of the contender whose results are right: in float64, and not timed. Results that
        are not within `agreement.TOLERANCES` of these are marked wrong, and are not timed either.
    roundings : dict, optional
        Of contenders whose products have fewer bits, see `agreement.disagreement`.

    Yields
    ------
    Row
    """
    with contextlib.ExitStack() as stack:
        stable = Stable({**contenders, STANDARD: standard}, settings.threads)
        stack.callback(stable.close)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for case, task in jobs:
            row = Row(case, task, {name: Entry() for name in contenders})
            progress(row.label)
            _prepare_all(row, stable, folder, roundings or {})
            _time_all(row, stable, settings)
            if versions is not None:
                versions.update({n: v for n, v in stable.versions.items() if n in contenders})
            yield row


class Stable:
    """The processes of the contenders, started when first asked for, and again after one has ended."""

    def __init__(self, contenders: Mapping[str, str], threads: int) -> None:
        self._contenders, self._threads = contenders, threads
        self._processes: dict[str, Process] = {}
        self._missing: dict[str, Missing] = {}
        self.versions: dict[str, str] = {}

    def ask(self, name: str, do: str, **request: Any) -> dict[str, Any]:
        """Ask the process of `name`; raises what `Process` raises."""
        if name in self._missing:
            raise self._missing[name]
        process = self._processes.get(name)
        if process is None or not process.is_alive:
            try:
                process = self._processes[name] = Process(self._contenders[name], self._threads)
            except Missing as error:
                self._missing[name] = error
                raise
            self.versions[name] = process.version
        return process.ask(do, **request)

    def close(self) -> None:
        for process in self._processes.values():
            process.close()


def _prepare_all(row: Row, stable: Stable, folder: Path, roundings: Mapping[str, float]) -> None:
    """Let all prepare, and compare their results with the standard's."""
    file = folder / "results.npz"
    request = {"case": to_json(row.case), "task": row.task, "results": str(file)}
    exact = Entry()
    right = _results(stable, STANDARD, exact, request)
    for name, entry in row.entries.items():
        results = _results(stable, name, entry, request)
        if right is None and results is not None:
            entry.status, entry.note = exact.status, f"nothing to compare with: {exact.note}"
        elif right is not None and results is not None:
            entry.note = disagreement(results, right, row.task, roundings.get(name, 0.0))
            entry.status = WRONG if entry.note else OK


def _results(stable: Stable, name: str, entry: Entry, request: dict[str, Any]) -> dict[str, Any] | None:
    """What the contender computed; None, with the reason in `entry`, where it did not."""
    if not _ask(stable, name, entry, "prepare", request):
        return None
    with np.load(request["results"]) as saved:
        return dict(saved)


def _time_all(row: Row, stable: Stable, settings: Settings) -> None:
    """Take turns until all rounds are done."""
    names = [name for name, entry in row.entries.items() if entry.status == OK]
    for number, order in enumerate(turns(names, settings.rounds, settings.seed)):
        for name in order:
            entry = row.entries[name]
            is_slow = number >= SLOW_ROUNDS and is_slow_call(entry, settings)
            if entry.status == OK and not is_slow:
                time.sleep(settings.pause)
                answer = _ask(stable, name, entry, "time", {"seconds": settings.turn_seconds})
                entry.seconds += answer.get("seconds", [])


def is_slow_call(entry: Entry, settings: Settings) -> bool:
    """Whether the contender's calls are so long that one round of them must do."""
    return min(entry.seconds, default=0) > SLOW_TURNS * settings.turn_seconds


def _ask(stable: Stable, name: str, entry: Entry, do: str, request: dict[str, Any]) -> dict[str, Any]:
    """The answer, or an empty one after the reason why there is none has gone into `entry`."""
    try:
        return stable.ask(name, do, **request)
    except Failed as error:
        kinds: dict[type[Failed], str] = {Missing: MISSING, NotDone: NOT_DONE}
        entry.status, entry.note, entry.seconds = kinds.get(type(error), FAILED), str(error), []
        return {}
