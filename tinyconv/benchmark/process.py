"""A contender's process, seen from the side that asks."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from types import TracebackType
from typing import Any

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
ANSWER_SECONDS = 900.0


class Failed(Exception):
    """The process ended, gave no answer in time, or met an error; the message says which."""


class Missing(Failed):
    """The contender cannot be used on this machine."""


class NotDone(Failed):
    """The contender does not do this task."""


class Process:
    """A long-living process of one contender.

    Parameters
    ----------
    address : str
        ``"package.module:function"``, see `contender.Contender`.
    threads : int
        Threads and cores that it gets.

    Raises
    ------
    Missing
        If the contender cannot be imported.
    Failed
        If the process does not start.
    """

    def __init__(self, address: str, threads: int, answer_seconds: float = ANSWER_SECONDS) -> None:
        paths = [path or os.getcwd() for path in sys.path]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
        environment |= dict.fromkeys(THREAD_VARIABLES, str(threads))
        self._answer_seconds = answer_seconds
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the process)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tinyconv.benchmark.worker", address, str(threads)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()
        try:
            self.version = str(self._answer()["version"])
        except Failed:
            self.close()
            raise

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        """Send a request and wait for its answer.

        Raises
        ------
        NotDone
            If the contender does not do this task.
        Failed
            If there is no answer, or it is an error.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **request}) + "\n")
            self._process.stdin.flush()
        except OSError as error:
            raise Failed(self._last_words()) from error
        return self._answer()

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        """End the process: it leaves when its input ends, or is made to."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._answers.put(line)
        self._answers.put("")

    def _answer(self) -> dict[str, Any]:
        try:
            line = self._answers.get(timeout=self._answer_seconds)
        except queue.Empty:
            self._process.kill()
            self._process.wait()
            raise Failed(f"no answer within {self._answer_seconds:.0f} s") from None
        if not line:
            raise Failed(self._last_words())
        answer = json.loads(line)
        for key, kind in (("missing", Missing), ("unsupported", NotDone), ("error", Failed)):
            if key in answer:
                raise kind(answer[key])
        return answer

    def _last_words(self) -> str:
        """How the process ended, and the last line that it wrote."""
        self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return f"the process ended with status {self._process.returncode}" + (
            f": {lines[-1]}" if lines else ""
        )
