"""A bar for what takes longer than one likes to wait without knowing."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")

PATIENCE = 2.0
LINE_EVERY = 10.0


def waiting(items: Sequence[Item], text: str) -> Iterator[Item]:
    """The items; from two seconds on with a bar, or, if the output is no terminal, a line now and then.

    Examples
    --------
    >>> list(waiting([1, 2], "counting"))
    [1, 2]
    """
    began = shown = time.monotonic()
    if not sys.stdout.isatty():
        for number, item in enumerate(items):
            now = time.monotonic()
            if now - began > PATIENCE and now - shown > LINE_EVERY:
                shown = now
                print(f"{text}: {number} of {len(items)}", flush=True)
            yield item
        return
    from rich.progress import Progress

    with Progress(transient=True) as bar:
        task = bar.add_task(text, total=len(items), visible=False)
        for item in items:
            yield item
            bar.update(task, advance=1, visible=time.monotonic() - began > PATIENCE)
