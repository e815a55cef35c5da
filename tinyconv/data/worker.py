"""What a process does that makes batches for another.

A batch is a pure function of (seed, epoch, number): before each one the worker seeds NumPy, `random` and
tinyconv from these, whichever worker it is.
"""

from __future__ import annotations

import pickle
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import numpy as np

from tinyconv.data.dataset import at_epoch, prepare
from tinyconv.data.seeding import WORKER
from tinyconv.data.shared_arrays import Sender
from tinyconv.errors import DataError, TinyconvError
from tinyconv.kernels.heap import keep_large_blocks

LOOK_SECONDS = 1e-3
"""While a worker reads ahead, it looks this often whether a batch is wanted: to look takes about 10 us."""

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
    with suppress(EOFError, OSError):
        while True:
            _read_on(sender.pipe, seen[1], later)
            wanted = Wanted(*sender.pipe.recv())
            later = later if wanted.later is None else iter(wanted.later)
            if not wanted.indices:
                continue
            if seen[0] != wanted.epoch:
                seen = (wanted.epoch, at_epoch(info.dataset, wanted.epoch))
            _seed(info.seed, wanted.epoch, wanted.number)
            answer = failed or _try(make_batch, seen[1], wanted.indices)
            try:
                sender.send(answer)
            except (pickle.PicklingError, AttributeError, TypeError) as error:
                found = f"not one that can be sent ({error})"
                expected = "arrays, Tensors and numbers"
                sender.send(DataError("DataLoader", f"batch {wanted.number}", found, expected))


def _read_on(pipe: Connection, dataset: Any, later: Iterator[int]) -> None:
    """Read items for later batches until one is asked for, or all are read."""
    look_at = time.perf_counter()
    while True:
        if time.perf_counter() >= look_at:
            if pipe.poll():
                return
            look_at = time.perf_counter() + LOOK_SECONDS
        index = next(later, None)
        if index is None:
            return
        with suppress(Exception):  # the batch that has this item will say what is wrong with it
            prepare(dataset, index)


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
