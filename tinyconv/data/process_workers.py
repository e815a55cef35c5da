"""Processes that make batches, watched by the process that waits for them.

Each worker has a pipe of its own, so that one which dies takes no other down, and its end is seen at
once. A batch is a pure function of (seed, epoch, number): before each one the worker seeds NumPy,
`random` and tinyconv from these, whichever worker it is.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import pickle
import random
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

import numpy as np

from tinyconv.data.dataset import at_epoch
from tinyconv.data.seeding import WORKER
from tinyconv.errors import ArgumentError, DataError, TinyconvError

METHODS = ("spawn", "forkserver", "fork")
STOP_SECONDS = 2.0

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


_info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """What a dataset may know of the process that reads it; None outside of a worker process."""
    return _info


class WorkerPool:
    """Processes that each have a copy of the dataset.

    Parameters
    ----------
    dataset : Dataset
    make_batch : callable
        Called in a worker with (dataset as the epoch sees it, indices).
    count : int
    method : {"spawn", "forkserver", "fork"}
        How processes are started.
    seed : int
    init : callable, optional
        Called in each worker with its number, once.

    Raises
    ------
    ArgumentError
        For another method, or what cannot be sent to a process.
    """

    def __init__(
        self,
        dataset: Any,
        make_batch: MakeBatch,
        count: int,
        method: str,
        seed: int,
        init: Callable[[int], None] | None = None,
    ) -> None:
        if method not in METHODS:
            raise ArgumentError("DataLoader", "multiprocessing_context", repr(method), " or ".join(METHODS))
        context: Any = multiprocessing.get_context(method)
        self.method = method
        self.busy = False
        self.processes: list[Any] = []
        self.pipes: list[Connection] = []
        try:
            for number in range(count):
                ours, theirs = context.Pipe()
                info = WorkerInfo(number, count, seed, dataset)
                self.pipes.append(ours)
                copied = self.pipes if method == "fork" else []
                arguments = (theirs, copied, info, make_batch, init)
                process = context.Process(target=_work, args=arguments, daemon=True)
                process.start()
                self.processes.append(process)
                theirs.close()
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            self.close()
            found = f"not one that can be sent to a process ({error})"
            expected = "functions and classes of a module, or num_workers with threads"
            raise ArgumentError("DataLoader", "the dataset or a function", found, expected) from error

    def batches(
        self, epoch: int, batches: list[list[int]], start: int, ahead: int, timeout: float
    ) -> Iterator[Any]:
        """The batches in order, each asked for up to `ahead` per worker early.

        Parameters
        ----------
        epoch : int
        batches : list of lists of int
        start : int
            The number of the first of them in the epoch.
        ahead : int
        timeout : float
            Seconds to wait for a batch; 0 waits as long as its worker lives.

        Raises
        ------
        DataError
            If a worker died, or a batch took too long; or what the worker raised.
        """
        asked = given = 0
        count = len(self.processes)
        self.busy = True
        try:
            for given in range(len(batches)):
                while asked < len(batches) and asked - given < ahead * count:
                    with contextlib.suppress(OSError):  # a dead worker is reported where its batch is due
                        self.pipes[asked % count].send((epoch, start + asked, batches[asked]))
                    asked += 1
                yield self._receive(given % count, start + given, timeout)
            given = len(batches)
        except GeneratorExit:  # the loop was left early: take what was asked for, so that the next is whole
            for number in range(given + 1, asked):
                with contextlib.suppress(Exception):
                    self._receive(number % count, start + number, timeout)
            raise
        finally:
            self.busy = False

    def _receive(self, worker: int, number: int, timeout: float) -> Any:
        """The answer of a worker, or an error once it cannot come any more."""
        pipe, process = self.pipes[worker], self.processes[worker]
        ready = wait([pipe, process.sentinel], timeout or None)
        if not ready:
            found = f"not made after {timeout:g} s"
            raise DataError("DataLoader", f"batch {number}", found, "a faster dataset or a longer timeout")
        try:
            if not pipe.poll():
                raise EOFError
            answer = pipe.recv()
        except (EOFError, OSError) as error:
            raise self._died(worker, number) from error
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def _died(self, worker: int, number: int) -> DataError:
        process = self.processes[worker]
        process.join(STOP_SECONDS)
        code = process.exitcode
        how = (
            f"killed by {signal.Signals(-code).name}"
            if code is not None and code < 0
            else f"exit code {code}"
        )
        found = f"dead ({how}) before batch {number} was made"
        expected = "a worker that lives: is the memory large enough, does the dataset end the process?"
        if self.method == "fork":
            expected += " (One that computes with tinyconv needs spawn or forkserver.)"
        return DataError("DataLoader", f"worker {worker}", found, expected)

    @property
    def alive(self) -> bool:
        """Whether all workers live."""
        return bool(self.processes) and all(process.is_alive() for process in self.processes)

    def close(self) -> None:
        """End the workers."""
        for pipe in self.pipes:
            pipe.close()
        for process in self.processes:
            process.join(STOP_SECONDS / 20)
            if process.is_alive():
                process.terminate()
                process.join(STOP_SECONDS)
        self.processes, self.pipes = [], []


def _work(
    pipe: Connection, copied: list[Connection], info: WorkerInfo, make_batch: MakeBatch, init: Any
) -> None:
    """What a worker does: make the batches that it is asked for until the pipe is closed.

    A fork has copies of the other process's ends of the pipes; unless it closes them, it cannot
    tell when that process has died.
    """
    global _info
    _info = info
    for end in copied:
        end.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that trains
    seen: tuple[int, Any] = (-1, None)
    started = None if init is None else _try(init, info.id)
    failed = started if isinstance(started, TinyconvError) else None
    with contextlib.suppress(EOFError, OSError):
        while True:
            epoch, number, indices = pipe.recv()
            if seen[0] != epoch:
                seen = (epoch, at_epoch(info.dataset, epoch))
            _seed(info.seed, epoch, number)
            answer = failed or _try(make_batch, seen[1], indices)
            try:
                pipe.send(answer)
            except (pickle.PicklingError, AttributeError, TypeError) as error:
                found = f"not one that can be sent ({error})"
                pipe.send(DataError("DataLoader", f"batch {number}", found, "arrays, Tensors and numbers"))


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
