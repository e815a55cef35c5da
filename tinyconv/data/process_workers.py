"""Processes that make batches, watched by the process that waits for them.

Each worker has a pipe of its own, so that one which dies takes no other down, and its end is seen at once.
"""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any

from tinyconv.data.shared_arrays import Receiver, Sender
from tinyconv.data.worker import MakeBatch, Wanted, WorkerInfo, work
from tinyconv.errors import ArgumentError, DataError

METHODS = ("spawn", "forkserver", "fork")
STOP_SECONDS = 2.0


def fork_or_thread() -> str | None:
    """How to start a worker that reads and computes nothing with tinyconv: ``fork``, or None for a thread.

    Elsewhere than on Linux a fork is not safe, and a daemon may have no processes of its own.
    """
    return "fork" if sys.platform == "linux" and not multiprocessing.current_process().daemon else None


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
    ahead : int
        Batches that are asked of each worker before the first of them is taken.
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
        ahead: int,
        init: Callable[[int], None] | None = None,
    ) -> None:
        if method not in METHODS:
            raise ArgumentError("DataLoader", "multiprocessing_context", repr(method), " or ".join(METHODS))
        context: Any = multiprocessing.get_context(method)
        self.method, self.ahead = method, ahead
        self.busy = False
        self.processes: list[Any] = []
        self.pipes: list[Connection] = []
        self._receivers: list[Receiver] = []
        try:
            for number in range(count):
                ours, theirs = context.Pipe()
                info = WorkerInfo(number, count, seed, dataset)
                self.pipes.append(ours)
                self._receivers.append(Receiver(ours))
                copied = self.pipes if method == "fork" else []
                arguments = (Sender(theirs, ahead), copied, info, make_batch, init)
                process = context.Process(target=work, args=arguments, daemon=True)
                process.start()
                self.processes.append(process)
                theirs.close()
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            self.close()
            found = f"not one that can be sent to a process ({error})"
            expected = "functions and classes of a module, or num_workers with threads"
            raise ArgumentError("DataLoader", "the dataset or a function", found, expected) from error
        except (OSError, AssertionError) as error:  # the latter in a daemon
            self.close()
            expected = "room for one more, or num_workers with threads"
            raise DataError("DataLoader", "a worker process", f"not started ({error})", expected) from error

    def batches(self, epoch: int, batches: list[list[int]], start: int, timeout: float) -> Iterator[Any]:
        """The batches in order, each asked for early.

        Parameters
        ----------
        epoch : int
        batches : list of lists of int
        start : int
            The number of the first of them in the epoch.
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
                while asked < len(batches) and asked - given < self.ahead * count:
                    later = _flat(batches[asked + self.ahead * count :: count]) if asked < count else None
                    self._ask(asked % count, Wanted(epoch, start + asked, batches[asked], later))
                    asked += 1
                answer = self._receive(given % count, start + given, timeout)
                if isinstance(answer, BaseException):
                    raise answer
                yield answer
        except GeneratorExit:  # the loop was left early: take what was asked for, so that the next is whole
            self._take_rest(range(given + 1, asked), start, timeout)
            raise
        except BaseException:  # Ctrl-C as well: what still comes would be taken for the next loop's
            self.close()
            raise
        finally:
            self.busy = False

    def _ask(self, worker: int, wanted: Wanted) -> None:
        with suppress(OSError, IndexError):  # a worker that has ended is reported where its batch is due
            self.pipes[worker].send(wanted)

    def _take_rest(self, numbers: range, start: int, timeout: float) -> None:
        """Take the batches of these numbers that were asked for, and have no more read ahead."""
        count = len(self.processes)
        if not count:
            return
        for worker in range(count):
            self._ask(worker, Wanted(0, 0, [], []))
        try:
            for number in numbers:
                self._receive(number % count, start + number, timeout)
        except BaseException as error:
            self.close()  # what still comes would be taken for the next loop's
            if not isinstance(error, DataError):
                raise

    def _receive(self, worker: int, number: int, timeout: float) -> Any:
        """The answer of a worker, which may be an error, or an error once it cannot come any more."""
        if not self.processes:
            raise DataError(
                "DataLoader", f"batch {number}", "left without workers", "a loader that is not closed"
            )
        pipe, process = self.pipes[worker], self.processes[worker]
        ready = wait([pipe, process.sentinel], timeout or None)
        if not ready:
            found = f"not made after {timeout:g} s"
            raise DataError("DataLoader", f"batch {number}", found, "a faster dataset or a longer timeout")
        try:
            if not pipe.poll():
                raise EOFError
            return self._receivers[worker].receive()
        except (EOFError, OSError) as error:
            raise self._died(worker, number) from error

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
            if process.is_alive():  # e.g. stopped by a debugger: a signal that can be put off is not enough
                process.kill()
                process.join(STOP_SECONDS)
        self.processes, self.pipes, self._receivers = [], [], []


def _flat(batches: list[list[int]]) -> list[int]:
    return [index for indices in batches for index in indices]
