"""The rows of a race as a table for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tinyconv.benchmark.race import MISSING, NOT_DONE, OK, Row

Columns = Mapping[str, str]
"""Title of each column, and the prefix of the contenders whose best it shows."""


def duration(*seconds: float) -> str:
    """Three digits and the unit that fits the first; the others follow in brackets.

    Examples
    --------
    >>> duration(0.01234), duration(0.0000567), duration(1.5), duration(120.4)
    ('12.3 ms', '56.7 µs', '1.50 s', '120 s')
    >>> duration(0.01234, 0.01122, 0.0200)
    '12.3 ms (11.2 to 20.0)'
    """
    units = (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6))
    unit, size = next((pair for pair in units if seconds[0] >= 0.9995 * pair[1]), units[-1])
    first, *others = (_three_digits(value / size) for value in seconds)
    return f"{first} {unit}" + (f" ({' to '.join(others)})" if others else "")


def _three_digits(value: float) -> str:
    decimals = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{decimals}f}"


def cell(row: Row, prefix: str) -> str:
    """Median and quartiles of the best contender with this prefix, or why there is none."""
    name = row.best(prefix)
    if name is None:
        return " / ".join(dict.fromkeys(e.status for n, e in row.entries.items() if n.startswith(prefix)))
    return duration(row.entries[name].median, *row.entries[name].quartiles)


def ratio_text(ratio: float | None) -> str:
    """Two decimals, or a dash."""
    return "-" if ratio is None else f"{ratio:.2f}"


def table(rows: Sequence[Row], columns: Columns, ours: str, theirs: str) -> Any:
    """Return a `rich` table of the medians with quartiles, and the ratio of `theirs` to `ours` (prefixes)."""
    from rich.table import Table

    result = Table(caption="median (quartiles) of one call; ratio above 1: tinyconv is faster")
    result.add_column("case", overflow="fold")
    for title in (*columns, "ratio"):
        result.add_column(title, justify="right")
    for row in rows:
        ratio = row.ratio(ours, theirs)
        colour = "" if ratio is None else "green" if ratio >= 1 else "red"
        cells = [cell(row, prefix) for prefix in columns.values()]
        last = f"[{colour}]{ratio_text(ratio)}[/]" if colour else ratio_text(ratio)
        result.add_row(row.label, *cells, last)
    return result


def notes(rows: Sequence[Row]) -> list[str]:
    """Why contenders are missing, wrong or have failed; each reason once."""
    absent = [
        f"{name}: {entry.status} ({entry.note})"
        for row in rows
        for name, entry in row.entries.items()
        if entry.status in (MISSING, NOT_DONE)
    ]
    return list(dict.fromkeys(absent)) + failures(rows)


def failures(rows: Sequence[Row]) -> list[str]:
    """Which contenders are wrong or have failed, in which case, and why."""
    return [
        f"{name}, {row.label}: {entry.status.upper()} ({entry.note})"
        for row in rows
        for name, entry in row.entries.items()
        if entry.status not in (OK, MISSING, NOT_DONE)
    ]


def all_right(rows: Sequence[Row], ours: str = "tinyconv") -> bool:
    """No contender is wrong, and `ours` has done everything."""
    entries = [(name, entry.status) for row in rows for name, entry in row.entries.items()]
    return all(status != "wrong" and (name != ours or status == OK) for name, status in entries)
