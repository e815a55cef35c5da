"""A CUDA kernel of a student's, compiled with g++ against the emulator, in a process of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tinyconv.course.exercises.kernel_text import refusal
from tinyconv.course.exercises.process import Answer, Limits, StudentProcess
from tinyconv.course.exercises.steps import Step
from tinyconv.errors import PackageError
from tinyconv.kernels.cuda.emulator import build

PLACE = re.compile(r"kernel\.cu:(\d+)(?::\d+)?:? ?(?:fatal )?(?:error: )?(.*)")
PARAMETERS = "the parameters have to stay as in the stub"
REFUSED = "refused: "


class CompileError(Exception):
    """g++ does not take the file; `described` says what it says, as an answer's error does."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        lines = [line for line in text.splitlines() if "error:" in line]
        first = lines[0] if lines else text.strip()[:200]
        kind = "CompileError"
        if "#error" in first and "TODO" in first:
            kind = "NotImplementedError"
        elif REFUSED in first:
            kind, first = "Refused", first.replace(REFUSED, "")
        found = PLACE.search(first)
        self.described = {
            "type": kind,
            "message": found[2] if found else first.partition("error: ")[2] or first,
            "line": int(found[1]) if found and PARAMETERS not in first else None,
            "bases": (kind,),
        }


class KernelProcess(StudentProcess):
    """A process that has loaded a kernel.

    Parameters
    ----------
    source, file : str
        See `StudentProcess`.
    limits : Limits
    function : str
        The kernel's name.
    types : sequence of str
        Of its parameters, see `Exercise`.

    Raises
    ------
    CompileError
        If g++ does not take the file.
    PackageError
        If there is no g++.
    """

    def __init__(self, source: str, file: str, limits: Limits, function: str, types: Sequence[str]) -> None:
        self._library = compiled(source, function, types, limits.check_seconds)
        kernel = {"library": str(self._library), "types": list(types), "function": function}
        super().__init__("", file, limits, kernel=kernel)

    def ask_all(self, requests: Sequence[Sequence[Step]]) -> Iterator[Answer]:
        """Answers to several requests; errors name the line of the kernel."""
        for answer in super().ask_all(requests):
            yield answer if answer.error is None else replace(answer, error=self._with_line(answer.error))

    def _with_line(self, error: dict[str, Any]) -> dict[str, Any]:
        found = re.search(r" \[code at (0x[0-9a-f]+)\]", error["message"])
        if found is None:
            return error
        place = PLACE.search(build.place_in_source(self._library, int(found[1], 16)) + ":")
        line = int(place[1]) if place else None
        return error | {"message": error["message"].replace(found[0], ""), "line": line}


def compiled(source: str, function: str, types: Sequence[str], seconds: float) -> Path:
    """The library that g++ makes of a kernel within so many seconds; it is kept.

    Raises
    ------
    CompileError, PackageError
        See `KernelProcess`.
    """
    if missing := build.why_not():
        raise PackageError("check", "the compiler", missing, "g++ on Linux: apt-get install g++")
    if told := refusal(source):
        raise CompileError(told)
    same = f"std::is_same_v<decltype(&{function}), void (*)({', '.join(types)})>"
    text = f'{source}\nstatic_assert({same}, "{PARAMETERS}");\n'
    try:
        return build.library(text, [function], seconds=int(seconds), closed=True)
    except build.CompileError as error:
        raise CompileError(str(error)) from None
