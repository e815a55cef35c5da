"""Peak memory of each contender in each task: a fresh process each time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tinyconv.benchmark import Case
from tinyconv.benchmark.case import to_json
from tinyconv.benchmark.process import Failed, Missing, NotDone, Process


@dataclass
class MemoryRow:
    """One case and task: (bytes at rest, peak) of each contender, or why there are none."""

    case: Case
    task: str
    numbers: dict[str, tuple[int, int]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    @property
    def label(self) -> str:
        return f"{self.case.name}: {self.task}"

    def needed(self, name: str) -> int:
        """Bytes above those at rest."""
        rest, peak = self.numbers[name]
        return peak - rest

    def best(self, prefix: str) -> str | None:
        """Who needs the least of those whose name begins with `prefix`."""
        return min((n for n in self.numbers if n.startswith(prefix)), key=self.needed, default=None)

    def ratio(self) -> float | None:
        """What tinyconv needs / the least that PyTorch needs."""
        other = self.best("pytorch")
        if other is None or "tinyconv" not in self.numbers:
            return None
        return self.needed("tinyconv") / max(self.needed(other), 1)

    def whole_ratio(self) -> float | None:
        """The same of whole processes: with the libraries and what they keep at rest."""
        theirs = [peak for name, (_, peak) in self.numbers.items() if name.startswith("pytorch")]
        if not theirs or "tinyconv" not in self.numbers:
            return None
        return self.numbers["tinyconv"][1] / min(theirs)


def memory_rows(
    jobs: Sequence[tuple[Case, str]],
    contenders: Mapping[str, str],
    threads: int,
    progress: Callable[[str], object] = lambda label: None,
    warm: bool = False,
) -> Iterator[MemoryRow]:
    """Measure each job with each contender.

    The first of two processes fills the caches on disk, the second is measured: a compiler at
    work would need more than the network. With `warm` the caches are full.
    """
    for case, task in jobs:
        row = MemoryRow(case, task)
        progress(f"memory: {row.label}")
        for name, address in contenders.items():
            try:
                for _ in range(1 if warm else 2):
                    with Process(address, threads) as process:
                        answer = process.ask("peak", case=to_json(case), task=task)
                row.numbers[name] = (answer["rest"], answer["peak"])
            except Failed as error:
                row.notes[name] = str(error)
                if not isinstance(error, Missing | NotDone):
                    row.failed.append(name)
        yield row
