"""Ctrl-C and SIGTERM as a polite request: finish the step, then stop."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any


@contextlib.contextmanager
def stop_on_signals(stop: Callable[[int], None]) -> Iterator[None]:
    """Call ``stop(number)`` at the first SIGINT or SIGTERM inside the block.

    A second one does what it does outside the block, which ends the program at once. Only
    the main thread can receive signals: elsewhere this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[int, Any] = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def handle(number: int, frame: FrameType | None) -> None:
        restore()
        # Not print: the signal may have come in the middle of one.
        os.write(2, b"\nfinishing the current step ... (once more: stop at once, save nothing)\n")
        stop(number)

    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        restore()
