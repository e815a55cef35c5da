"""The judge's side of the process that runs a student's code: start, ask, wait no longer than allowed."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from tinyconv.course.exercises import wire
from tinyconv.course.exercises.steps import Step

HERE = Path(__file__).parent
START_SECONDS = 10.0
ROOM = 1 << 15
"""Bytes that a pipe holds on every system, with some to spare."""


@dataclass(frozen=True)
class Limits:
    """What a student's code may use: seconds for a call, for a whole check, and bytes of memory."""

    call_seconds: float = 5.0
    check_seconds: float = 60.0
    memory: int = 1 << 30


@dataclass(frozen=True)
class Answer:
    """What came of a request: a result, or an error; and what the code printed."""

    result: Any = None
    arguments: tuple[Any, ...] = ()
    error: dict[str, Any] | None = None
    names: tuple[str, ...] = ()
    printed: str = ""


class Ended(BaseException):
    """The process is no more; nothing else can be asked.

    No `Exception`, so that the search for a smaller case ends at once: each try would cost as much time.
    """

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason


class StudentProcess:
    """A process that has loaded a student's file.

    Parameters
    ----------
    source : str
        The text of the file.
    file : str
        Its name, for messages.
    limits : Limits
    imports, forbidden : sequence of str
        Packages that may be imported besides the usual; dotted names that may not be called.
    kernel : dict, optional
        Of a kernel that `tinyconv.course.exercises.kernel` has compiled, in the place of the text.

    Attributes
    ----------
    loaded : Answer
        What came of running the file: the names that it defines, or an error.
    """

    def __init__(
        self,
        source: str,
        file: str,
        limits: Limits,
        imports: Sequence[str] = (),
        forbidden: Sequence[str] = (),
        kernel: dict[str, Any] | None = None,
    ) -> None:
        self._limits = limits
        self._count = 0
        self._unread = 0
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._messages: queue.SimpleQueue[Any] = queue.SimpleQueue()
        roots, places = _places(imports)
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", str(HERE / "child.py"), *roots],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self._folder.name,
            env=_environment(),
            start_new_session=True,
        )
        threading.Thread(target=self._listen, daemon=True).start()
        begin = {
            "source": source,
            "file": file,
            "memory": limits.memory,
            "seconds": int(limits.check_seconds) + 5,
            "imports": list(imports),
            "forbidden": list(forbidden),
            "kernel": kernel,
            **places,
        }
        try:
            self.loaded = self._receive(self._send(begin), START_SECONDS + limits.call_seconds)
        except BaseException:
            self.close()
            raise

    def ask(self, steps: Sequence[Step]) -> Answer:
        """Run the steps, and give the result of the last one.

        Raises
        ------
        Ended
            If the process has ended, or did not answer in time.
        """
        return next(self.ask_all([steps]))

    def ask_all(self, requests: Sequence[Sequence[Step]]) -> Iterator[Answer]:
        """Answers to several requests, which are sent at once, so that nobody waits in between."""
        numbers = [self._send({"steps": [_describe(step) for step in steps]}) for steps in requests]
        for number in numbers:
            yield self._receive(number, self._limits.call_seconds)

    def _send(self, request: dict[str, Any]) -> int:
        self._count += 1
        message = wire.pack({**request, "id": self._count})
        self._unread += len(message)
        watchdog = None
        if self._unread > ROOM:  # writing blocks while nobody reads
            watchdog = threading.Timer(self._limits.call_seconds + 1, self._kill)
            watchdog.start()
        try:
            if self._process.stdin is not None:
                self._process.stdin.write(message)
                self._process.stdin.flush()
        except OSError:
            pass  # it has ended: the answer will tell
        finally:
            if watchdog is not None:
                watchdog.cancel()
        return self._count

    def _receive(self, number: int, seconds: float) -> Answer:
        try:
            answer = self._messages.get(timeout=seconds)
            while isinstance(answer, dict) and answer.get("id") in range(1, number):
                answer = self._messages.get(timeout=seconds)  # to a request that nobody waits for any more
        except queue.Empty:
            self.close()
            raise Ended("endless", f"no answer within {seconds:g} seconds") from None
        if number == self._count:
            self._unread = 0
        if not isinstance(answer, dict) or answer.get("id") != number:
            raise self._end(answer)
        return _read_answer(answer)

    def _listen(self) -> None:
        try:
            while self._process.stdout is not None:
                self._messages.put(wire.read(self._process.stdout))
        except (wire.BadMessage, EOFError, OSError, ValueError) as error:
            self._messages.put(error)

    def _end(self, answer: Any) -> Ended:
        """Close, and say why there is no answer that makes sense."""
        if isinstance(answer, EOFError | OSError):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(1)
        code = self._process.poll()
        self.close()
        if isinstance(answer, wire.BadMessage):
            return Ended("answer", f"the answer cannot be read: {answer}")
        if code is None:
            return Ended("answer", "the answer cannot be read")
        if code < 0:
            name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
            if name == "SIGXCPU":
                return Ended("endless", "the computing time is used up")
            return Ended("died", f"the process was ended by {name}: out of memory, or of stack")
        return Ended("died", f"the process ended by itself with exit status {code}")

    def _kill(self) -> None:
        with contextlib.suppress(OSError):
            if os.name == "posix":
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()

    def close(self) -> None:
        """End the process and what it may have started."""
        if self._process.poll() is None:
            self._kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()
        self._folder.cleanup()

    def __enter__(self) -> StudentProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _describe(step: Step) -> dict[str, Any]:
    return {"target": step.target, "values": list(step.values), "keep": step.keep, "call": step.call}


def _environment() -> dict[str, str]:
    """Nothing of the judge's own environment but what Python needs to start; one thread."""
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
    return dict.fromkeys(names, "1") | {k: v for k, v in os.environ.items() if k in ("SYSTEMROOT", "PATH")}


def _places(imports: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Where the student's process looks for packages, which of them it may read, and what is closed to it."""
    package = HERE.parents[1]
    lessons = importlib.util.find_spec("tinyconv.lessons")
    closed = [str(package), *(lessons.submodule_search_locations or () if lessons else ())]
    closed.append(str(package.parent / "lessons"))
    roots = [Path(np.__file__).parents[1]]
    readable = [str(Path(np.__file__).parent)]
    for name in imports:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin:
            roots.append(Path(spec.origin).parents[1])
            readable.append(str(Path(spec.origin).parent))
    if "tinyconv" in imports:
        closed = [str(HERE.parent), *closed[1:]]
    return [str(path) for path in roots], {"packages": readable, "closed": closed}


def _read_answer(answer: dict[str, Any]) -> Answer:
    """What may be in an answer, and nothing that has another type: the student's code may have written it."""
    error, names = answer.get("error"), answer.get("names")
    arguments = answer.get("arguments")
    return Answer(
        result=answer.get("result"),
        arguments=tuple(arguments) if isinstance(arguments, list) else (),
        error=_read_error(error) if isinstance(error, dict) else None,
        names=tuple(map(str, names)) if isinstance(names, list) else (),
        printed=str(answer.get("printed", ""))[:2000],
    )


def _read_error(error: dict[str, Any]) -> dict[str, Any]:
    line, bases = error.get("line"), error.get("bases")
    return {
        "type": str(error.get("type"))[:80],
        "message": str(error.get("message"))[:500],
        "line": line if isinstance(line, int) else None,
        "bases": tuple(map(str, bases)) if isinstance(bases, list) else (),
    }
