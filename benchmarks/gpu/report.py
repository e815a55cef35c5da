"""What a run on a card leaves: gpu.json, gpu.md and two figures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.bandwidth import Rate, page_table
from benchmarks.goals import Goal
from benchmarks.gpu import bandwidth as moving
from benchmarks.gpu.goals import goals
from benchmarks.memory import MemoryRow
from tinyconv.benchmark import Layer, Row
from tinyconv.benchmark.case import BACKWARD
from tinyconv.benchmark.gpu import PRECISIONS, PROCESSOR
from tinyconv.benchmark.race import OK
from tinyconv.benchmark.table import duration, failures, notes, ratio_text
from tinyconv.viz.ratios import plot_ratios

OURS, THEIRS = "tinyconv", "pytorch"


@dataclass
class Report:
    """All that one run measured."""

    facts: dict[str, Any]
    ceiling: dict[str, float]
    rows: list[Row] = field(default_factory=list)
    memory: list[MemoryRow] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    moving: list[Rate] = field(default_factory=list)

    @property
    def goals(self) -> list[Goal]:
        return goals(self.rows) + moving.goals(self.moving)

    @property
    def failures(self) -> list[str]:
        """Which contenders are wrong or have failed."""
        lines = [
            f"{name}, {row.label}: FAILED ({row.notes[name]})" for row in self.memory for name in row.failed
        ]
        return failures(self.rows) + lines

    @property
    def layers(self) -> list[Row]:
        return [row for row in self.rows if isinstance(row.case, Layer)]

    @property
    def networks(self) -> list[Row]:
        return [row for row in self.rows if not isinstance(row.case, Layer)]


def best(row: Row, engine: str, precision: str) -> str | None:
    """The fastest way of an engine in a precision, of those that are right."""
    times = {
        name: entry.median
        for name, entry in row.entries.items()
        if entry.status == OK and name.startswith(engine) and f" {precision} " in name
    }
    return min(times, key=times.__getitem__, default=None)


def on_processor(row: Row) -> str | None:
    """The fastest on the processor."""
    return row.best(PROCESSOR)


def ratio(row: Row, precision: str) -> float | None:
    """PyTorch's best time / tinyconv's, both in one precision on the card."""
    ours, theirs = (best(row, engine, precision) for engine in (OURS, THEIRS))
    if ours is None or theirs is None:
        return None
    return row.entries[theirs].median / row.entries[ours].median


def tflops(row: Row, name: str) -> float | None:
    """Multiplications and additions of a layer's definition per second, in TFLOP/s."""
    if not isinstance(row.case, Layer):
        return None
    flops = 2.0 * row.case.multiply_adds * (2 if row.task == BACKWARD else 1)
    return flops / row.entries[name].median / 1e12


def bandwidth(row: Row, name: str) -> float | None:
    """GB/s, were each array of a layer's task read or written once.

    Forward reads input, weight and bias and writes the output. Backward reads input, weight and the
    output's gradient and writes the gradients of the other three.
    """
    if not isinstance(row.case, Layer):
        return None
    x, weight, bias, gradient = (array.nbytes for array in row.case.arrays())
    moved = x + weight + bias + gradient + (x + weight if row.task == BACKWARD else 0)
    return moved / row.entries[name].median / 1e9


def as_json(report: Report) -> dict[str, Any]:
    """Numbers only; seconds and bytes."""
    return {
        "facts": report.facts,
        "ceiling": report.ceiling,
        "versions": report.versions,
        "goals": [{**asdict(goal), "reached": goal.reached} for goal in report.goals],
        "rows": [_row_as_json(row) for row in report.rows],
        "memory": [{"case": row.case.name, "task": row.task, **asdict(row)} for row in report.memory],
        "moving": [asdict(rate) for rate in report.moving],
        "remarks": notes(report.rows),
    }


def _row_as_json(row: Row) -> dict[str, Any]:
    entries: dict[str, dict[str, Any]] = {}
    for name, entry in row.entries.items():
        entries[name] = {"status": entry.status, "note": entry.note, "calls": len(entry.seconds)}
        if entry.status == OK:
            low, high = entry.quartiles
            entries[name] |= {"median": entry.median, "lower_quartile": low, "upper_quartile": high}
            entries[name] |= {"tflops": tflops(row, name), "gb_per_second": bandwidth(row, name)}
    ratios = {precision: ratio(row, precision) for precision in PRECISIONS}
    return {"case": row.case.name, "task": row.task, "ratios": ratios, "entries": entries}


def write(report: Report, folder: Path) -> list[Path]:
    """Write all files into `folder`; returns what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    results, page = folder / "gpu.json", folder / "gpu.md"
    text = json.dumps(as_json(report), indent=1, ensure_ascii=False)
    results.write_text(text + "\n", encoding="utf-8")
    figures = [
        _draw(rows, report, folder / f"gpu_{name}.png")
        for name, rows in (("layers", report.layers), ("networks", report.networks))
        if any(ratio(row, precision) for row in rows for precision in PRECISIONS)
    ]
    page.write_text(as_page(report, [figure.name for figure in figures]), encoding="utf-8")
    return [results, page, *figures]


def _draw(rows: Sequence[Row], report: Report, path: Path) -> Path:
    ratios = {precision: [ratio(row, precision) for row in rows] for precision in PRECISIONS}
    title = f"PyTorch's best time / tinyconv's: {report.facts['card']}, {report.facts['date'][:10]}"
    plot_ratios([row.label for row in rows], ratios, title, path)
    return path


def as_page(report: Report, figures: Sequence[str]) -> str:
    """The Markdown page."""
    parts = [
        f"# Measured on a graphics card: {report.facts['card']}",
        "Made by `make bench-gpu`; [how to read it](../benchmarks.md).",
        "## Machine",
        _bullets([*(f"{name}: {value}" for name, value in report.facts.items()), *_ceiling(report)]),
        "## Goals",
        _bullets([str(goal) for goal in report.goals] or ["none of those cases was measured"]),
    ]
    for name, rows in (("layers", report.layers), ("networks", report.networks)):
        if rows:
            figure = f"gpu_{name}.png"
            shown = [f"![Ratios of times, {name}]({figure})"] if figure in figures else []
            parts += [f"## {name.capitalize()}", *shown, table(report, rows)]
    if report.moving:
        parts += ["## Kernels that move numbers, beside a copy", page_table(report.moving)]
    if report.memory:
        parts += ["## Memory of arrays on the card, MiB above rest", memory_table(report.memory)]
    parts += ["## Remarks", _bullets(notes(report.rows) or ["none"])]
    return "\n\n".join(parts) + "\n"


def table(report: Report, rows: Sequence[Row]) -> str:
    """Medians of the best way of each engine, by precision; how near tinyconv comes to the card's limits."""
    head = ["case", "precision", "tinyconv", "which", "PyTorch", "which", "ratio"]
    head += ["of the products", "of the copy", "on the processor"]
    lines = [head, ["---"] * len(head)]
    for row in rows:
        processor = on_processor(row)
        beside = "-" if processor is None else duration(row.entries[processor].median)
        for precision in PRECISIONS:
            ours, theirs = (best(row, engine, precision) for engine in (OURS, THEIRS))
            cells = [row.label, precision]
            for name in (ours, theirs):
                cells += ["-", "-"] if name is None else [_time(row, name), _way(name, precision)]
            cells += [ratio_text(ratio(row, precision)), *_shares(report, row, ours, precision)]
            lines.append([*cells, beside])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def memory_table(rows: Sequence[MemoryRow]) -> str:
    """What each contender needs above rest."""
    names = list(dict.fromkeys(name for row in rows for name in row.numbers))
    lines = [["case", *names], ["---"] * (len(names) + 1)]
    for row in rows:
        found = {name: f"{row.needed(name) / 2**20:.0f}" for name in row.numbers}
        lines.append([row.label, *(found.get(name, row.notes.get(name, "-")) for name in names)])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _time(row: Row, name: str) -> str:
    return duration(row.entries[name].median, *row.entries[name].quartiles)


def _way(name: str, precision: str) -> str:
    """A contender's name without its engine and its precision."""
    return " ".join(word for word in name.split() if word not in (OURS, THEIRS, precision))


def _shares(report: Report, row: Row, name: str | None, precision: str) -> list[str]:
    """Of the measured rate of products, and of a copy."""
    if name is None or not isinstance(row.case, Layer) or not report.ceiling:
        return ["-", "-"]
    reached = (tflops(row, name), report.ceiling[precision]), (bandwidth(row, name), report.ceiling["copy"])
    return [f"{100 * (rate or 0.0) / limit:.0f} %" for rate, limit in reached]


def _ceiling(report: Report) -> list[str]:
    limits = report.ceiling
    if not limits:
        return []
    products = ", ".join(f"{precision} {limits[precision]:.1f}" for precision in PRECISIONS)
    return [f"ceiling, products in TFLOP/s: {products}", f"ceiling, copy: {limits['copy']:.0f} GB/s"]


def _bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
