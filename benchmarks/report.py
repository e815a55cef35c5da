"""What a run leaves: tables in the terminal, results.json, results.md and two figures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.contenders import NOT_HERE
from benchmarks.goals import OURS, THEIRS, goals
from benchmarks.memory import MemoryRow
from tinyconv.benchmark import Layer, Row
from tinyconv.benchmark.case import BACKWARD
from tinyconv.benchmark.race import OK
from tinyconv.benchmark.table import cell, notes, ratio_text, table
from tinyconv.viz.ratios import plot_ratios

COLUMNS = {
    "tinyconv": OURS,
    "PyTorch's best": THEIRS,
    "JAX": "jax",
    "MyGrad": "mygrad",
    "reference": "reference",
}


@dataclass
class Report:
    """All that one run measured."""

    facts: dict[str, Any]
    settings: dict[str, Any]
    versions: dict[str, str] = field(default_factory=dict)
    ceiling: dict[str, float] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    memory: list[MemoryRow] = field(default_factory=list)

    @property
    def layers(self) -> list[Row]:
        return [row for row in self.rows if isinstance(row.case, Layer)]

    @property
    def networks(self) -> list[Row]:
        return [row for row in self.rows if not isinstance(row.case, Layer)]

    @property
    def remarks(self) -> list[str]:
        """Who is missing and why."""
        memory = {
            f"{name}: memory not measured ({note})": 0 for m in self.memory for name, note in m.notes.items()
        }
        return [*notes(self.rows), *memory, *NOT_HERE]

    def shown_columns(self) -> dict[str, str]:
        """The columns that have a contender in this run."""
        names = {name for row in self.rows for name in row.entries}
        return {
            title: prefix for title, prefix in COLUMNS.items() if any(n.startswith(prefix) for n in names)
        }

    def as_json(self) -> dict[str, Any]:
        """Numbers only, for programs to read; seconds and bytes."""
        return {
            "facts": self.facts,
            "settings": self.settings,
            "versions": self.versions,
            "ceiling": self.ceiling,
            "rows": [row_as_json(row) for row in self.rows],
            "memory": [memory_as_json(row) for row in self.memory],
            "goals": [{**asdict(goal), "reached": goal.reached} for goal in goals(self.rows, self.memory)],
            "remarks": self.remarks,
        }


def row_as_json(row: Row) -> dict[str, Any]:
    entries = {}
    for name, entry in row.entries.items():
        entries[name] = {"status": entry.status, "note": entry.note, "calls": len(entry.seconds)}
        if entry.status == OK:
            low, high = entry.quartiles
            entries[name] |= {"median": entry.median, "lower_quartile": low, "upper_quartile": high}
    best = {"pytorch_best": row.best(THEIRS), "ratio": row.ratio(OURS, THEIRS)}
    return {"case": row.case.name, "task": row.task, "gflop": gflop(row), **best, "entries": entries}


def memory_as_json(row: MemoryRow) -> dict[str, Any]:
    entries = {name: {"rest": rest, "peak": peak} for name, (rest, peak) in row.numbers.items()}
    best = {"pytorch_best": row.best(THEIRS), "ratio": row.ratio(), "whole_ratio": row.whole_ratio()}
    return {"case": row.case.name, "task": row.task, **best, "entries": entries, "notes": row.notes}


def gflop(row: Row) -> float | None:
    """Billions of multiplications and additions that the definition of a layer needs."""
    if not isinstance(row.case, Layer):
        return None
    return 2e-9 * row.case.multiply_adds * (2 if row.task == BACKWARD else 1)


def print_report(report: Report, console: Any) -> None:
    """Tables, memory, ceiling, goals and remarks, into the terminal."""
    for title, rows in (("Layers", report.layers), ("Networks", report.networks)):
        if rows:
            console.rule(title)
            console.print(table(rows, report.shown_columns(), OURS, THEIRS))
    lines = [
        *(memory_line(row) for row in report.memory),
        *ceiling_lines(report),
        *map(str, goals(report.rows, report.memory)),
        *report.remarks,
        *machine_lines(report),
    ]
    for line in lines:
        console.print(line, highlight=False, markup=False)


def memory_line(row: MemoryRow) -> str:
    numbers = [
        f"{name} {row.needed(name) / 2**20:.0f} ({peak / 2**20:.0f})"
        for name, (_, peak) in row.numbers.items()
    ]
    ratios = f"ratio {ratio_text(row.ratio())} ({ratio_text(row.whole_ratio())})"
    return f"MiB above rest (whole process), {row.label}: {', '.join(numbers)}; {ratios}"


def ceiling_lines(report: Report) -> list[str]:
    if not report.ceiling:
        return []
    c, threads = report.ceiling, report.facts["threads"]
    return [
        f"ceiling, sums: {c['peak']:.0f} GFLOP/s with {threads} threads, {c['peak_1_thread']:.0f} with 1",
        f"ceiling, copy: {c['copy']:.1f} GB/s with {threads} threads, {c['copy_1_thread']:.1f} with 1",
    ]


def machine_lines(report: Report) -> list[str]:
    return [f"{name}: {value}" for name, value in {**report.facts, **report.settings}.items()] + [
        "versions: " + ", ".join(f"{name} {version}" for name, version in report.versions.items())
    ]


def write(report: Report, folder: Path) -> list[Path]:
    """Write all files into `folder`; returns what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    results, page = folder / "results.json", folder / "results.md"
    results.write_text(json.dumps(report.as_json(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    figures = []
    for name, rows in (("layers", report.layers), ("networks", report.networks)):
        if any(row.best(OURS) for row in rows):
            figures.append(draw(rows, report, folder / f"{name}.png"))
    page.write_text(as_page(report, [figure.name for figure in figures]), encoding="utf-8")
    return [results, page, *figures]


def draw(rows: Sequence[Row], report: Report, path: Path) -> Path:
    """Ratios of all contenders but ours."""
    columns = {title: prefix for title, prefix in report.shown_columns().items() if prefix != OURS}
    ratios = {title: [row.ratio(OURS, prefix) for row in rows] for title, prefix in columns.items()}
    title = f"{report.facts['processor']}, {report.facts['threads']} threads, {report.facts['date'][:10]}"
    plot_ratios([row.label for row in rows], ratios, title, path)
    return path


def as_page(report: Report, figures: Sequence[str]) -> str:
    """The Markdown page."""
    measured = {"layers": report.layers, "networks": report.networks, "memory": report.memory}
    title = "# Measured: " + ", ".join(name for name, rows in measured.items() if rows)
    parts = [title, "Made by `make bench`; [how to read it](../benchmarks.md).", "## Machine"]
    parts.append(bullets([*machine_lines(report), *ceiling_lines(report)]))
    reached = bullets(map(str, goals(report.rows, report.memory)))
    parts += ["## Goals (PyTorch's best time / tinyconv's)", reached]
    for name, rows in (("Layers", report.layers), ("Networks", report.networks)):
        if rows:
            figure = f"![Ratios of times, {name.lower()}]({name.lower()}.png)"
            parts += [
                f"## {name}",
                *([figure] if f"{name.lower()}.png" in figures else []),
                page_table(report, rows),
            ]
    if report.memory:
        parts += ["## Memory", bullets(map(memory_line, report.memory))]
    parts += ["## Remarks", bullets(report.remarks)]
    return "\n\n".join(parts) + "\n"


def bullets(lines: Any) -> str:
    return "\n".join(f"- {line}" for line in lines)


def page_table(report: Report, rows: Sequence[Row]) -> str:
    """Medians with quartiles; which of PyTorch's modes was the best; how near tinyconv is to the peak."""
    columns = report.shown_columns()
    head = ["case", *columns, "PyTorch's best is", "ratio", "of the peak"]
    lines = [head, ["---"] * len(head)]
    for row in rows:
        mode = (row.best(THEIRS) or "-").removeprefix("pytorch ")
        cells = [cell(row, prefix) for prefix in columns.values()]
        lines.append(
            [row.label, *cells, mode, ratio_text(row.ratio(OURS, THEIRS)), share_of_peak(report, row)]
        )
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def share_of_peak(report: Report, row: Row) -> str:
    """Arithmetic of the definition per second, relative to the measured peak; Winograd may exceed 100 %."""
    ours, work = row.best(OURS), gflop(row)
    if ours is None or work is None or not report.ceiling:
        return "-"
    return f"{100 * work / row.entries[ours].median / report.ceiling['peak']:.0f} %"
