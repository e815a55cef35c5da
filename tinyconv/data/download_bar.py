"""What is seen of a download: a bar in a terminal, a line elsewhere."""

from __future__ import annotations

import sys
from typing import Any


class DownloadBar:
    """The progress of one file, on standard error.

    Parameters
    ----------
    name : str
        What is shown in front.
    total : int, optional
        Its size in bytes.
    visible : bool
        False shows nothing.
    """

    def __init__(self, name: str, total: int | None = None, visible: bool = True) -> None:
        self.name, self.total, self.visible = name, total, visible
        self._bar: Any = None

    def __enter__(self) -> DownloadBar:
        if not self.visible:
            return self
        if sys.stderr.isatty():
            self._bar = _rich_bar()
            self._bar.start()
            self._task = self._bar.add_task(self.name, total=self.total)
        else:
            size = "" if self.total is None else f" ({megabytes(self.total)})"
            print(f"downloading {self.name}{size}", file=sys.stderr, flush=True)
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, done: int, total: int | None = None) -> None:
        """Show that `done` bytes are there, of `total` if the server has said so."""
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total)


def megabytes(size: int) -> str:
    """A size as people write it.

    Examples
    --------
    >>> megabytes(9912422), megabytes(4542)
    ('9.9 MB', '4.5 kB')
    """
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.1f} kB"


def _rich_bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.progress import TransferSpeedColumn as Speed

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        DownloadColumn(),
        Speed(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
