"""What a process does that makes batches for another.

A batch is a pure function of (seed, epoch, number): before each one the worker seeds NumPy, `random` and
tinyconv from these, whichever worker it is.
"""

from __future__ import annotations

import random
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any, NamedTuple

import numpy as np

from tinyconv.data.dataset import at_epoch, prepare
from tinyconv.data.seeding import WORKER
from tinyconv.data.shared_arrays import Sender
from tinyconv.errors import DataError, TinyconvError
from tinyconv.kernels.heap import keep_large_blocks

MakeBatch = Callable[[Any, list[int]], Any]


@dataclass(frozen=True)
class WorkerInfo:
    """Which worker this process is, see `get_worker_info`.

    Attributes
    ----------
    id, num_workers : int
    seed : int
        Of the loader.
    dataset : Dataset
        The worker's copy.
    """

    id: int
    num_workers: int
    seed: int
    dataset: Any


class Wanted(NamedTuple):
    """What a worker is asked for: a batch, and from now on to read ahead what `later` ones need.

    Without indices it is to make nothing, without `later` to go on as before.
    """

    epoch: int
    number: int
    indices: list[int]
    later: list[int] | None


_info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """What a dataset may know of the process that reads it; None outside of a worker process."""
    return _info


def work(
    sender: Sender, copied: list[Connection], info: WorkerInfo, make_batch: MakeBatch, init: Any
) -> None:
    """What a worker does: make the batches that it is asked for until the pipe is closed.

    A fork has copies of the other process's ends of the pipes; unless it closes them, it cannot
    tell when that process has died.
    """
    global _info
    _info = info
    for end in copied:
        end.close()
    keep_large_blocks()  # as kernels do: an image is read in a tenth to a third less time
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that trains
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a fork has what that process does then
    seen: tuple[int, Any] = (-1, None)
    later: Iterator[int] = iter(())
    started = None if init is None else _try(init, info.id)
    failed = started if isinstance(started, TinyconvError) else None
    inbox = _inbox(sender.pipe)
    while True:
        _read_on(inbox, seen[1], later)
        wanted = inbox.get()
        if wanted is None:
            return
        later = later if wanted.later is None else iter(wanted.later)
        if not wanted.indices:
            continue
        if seen[0] != wanted.epoch:
            seen = (wanted.epoch, at_epoch(info.dataset, wanted.epoch))
        _seed(info.seed, wanted.epoch, wanted.number)
        answer = failed or _try(make_batch, seen[1], wanted.indices)
        try:
            _send(sender, answer, wanted.number)
        except ConnectionError:  # the other process has ended
            return


def _inbox(pipe: Connection) -> SimpleQueue[Wanted | None]:
    """What comes through the pipe, and None at its end.

    A thread takes it, so that the other process can always send, even while it is sent to.
    """
    inbox: SimpleQueue[Wanted | None] = SimpleQueue()

    def take() -> None:
        with suppress(EOFError, OSError):
            while True:
                inbox.put(Wanted(*pipe.recv()))
        inbox.put(None)

    threading.Thread(target=take, daemon=True).start()
    return inbox


def _read_on(inbox: SimpleQueue[Wanted | None], dataset: Any, later: Iterator[int]) -> None:
    """Read items for later batches until one is asked for, or all are read."""
    while inbox.empty() and (index := next(later, None)) is not None:
        with suppress(Exception):  # the batch that has this item will say what is wrong with it
            prepare(dataset, index)


def _send(sender: Sender, answer: Any, number: int) -> None:
    try:
        sender.send(answer)
    except OSError:
        raise
    except Exception as error:
        found = f"not one that can be sent ({error})"
        sender.send(DataError("DataLoader", f"batch {number}", found, "arrays, Tensors and numbers"))


def _try(function: Callable[..., Any], *arguments: Any) -> Any:
    """What the function returns, or the error that it raises."""
    try:
        return function(*arguments)
    except TinyconvError as error:
        return type(error)(error.where, error.argument, str(error.value), error.expected)
    except Exception as error:
        found = f"{type(error).__name__}: {error}"
        return DataError("DataLoader", "a function in a worker", found, "no error")


def _seed(seed: int, epoch: int, number: int) -> None:
    from tinyconv.device import manual_seed

    drawn = np.random.SeedSequence(seed, spawn_key=(WORKER, epoch, number)).generate_state(2)
    random.seed(int(drawn[0]))
    np.random.seed(int(drawn[1]))  # noqa: NPY002 - for datasets that draw from it
    manual_seed(int(drawn[0]))
