"""The list of lessons as a table in the terminal."""

from __future__ import annotations

from typing import Any

from tinyconv.course.catalogue import lessons


def print_lessons(console: Any = None) -> None:
    """Print the lessons that are there, with their summaries.

    Parameters
    ----------
    console : rich.console.Console, optional
        Where to print; standard output if not given.
    """
    from rich.console import Console
    from rich.table import Table

    console = console or Console()
    there = lessons()
    table = Table(box=None, padding=(0, 2, 1, 0), show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(ratio=1)
    for lesson in there:
        table.add_row(lesson.number, f"[bold]{_escaped(lesson.title)}[/bold]\n{_escaped(lesson.summary)}")
    console.print(table)
    if there:
        console.print(f"Run one with [bold]tinyconv learn {there[0].number}[/bold]")


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
