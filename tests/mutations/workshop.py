"""A copy of the package and its tests, in which one mistake at a time is planted."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.mutations.mutation import ROOT, Mutation, pytest_ids

COPIED = ("tinyconv", "tests", "setup.cfg")
COMPILED = Path("tinyconv", "kernels", "cpu")
"""Numba keeps compiled kernels here, and compiles all of them again when a file has changed."""

CRASHES = {
    *("AttributeError", "ImportError", "IndentationError", "ModuleNotFoundError", "NameError"),
    *("SyntaxError", "TypeError", "TypingError", "LoweringError", "UnboundLocalError"),
}
"""What code that cannot run raises: that says nothing about the tests."""


@dataclass(frozen=True)
class Report:
    """What pytest said: its exit status, and what each test that did not pass came to."""

    status: int | None
    failed: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    skipped: frozenset[str] = frozenset()
    passed: int = 0
    output: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of a mutation: ``caught``, ``survived``, ``broken``, ``timed out`` or ``not run``."""

    verdict: str
    detail: str
    seconds: float = 0.0


class Workshop:
    """A folder with a copy of the project.

    Parameters
    ----------
    folder : Path
        Where to make it; must not exist.
    source : Path
        The checkout, or another workshop's folder, whose compiled kernels come with it.
    """

    def __init__(self, folder: Path, source: Path = ROOT) -> None:
        self.folder, self.source = folder, source
        folder.mkdir(parents=True)
        ignored = shutil.ignore_patterns(".hypothesis") if source != ROOT else _no_bytecode_of_tests
        for name in COPIED:
            if (source / name).is_dir():
                shutil.copytree(source / name, folder / name, ignore=ignored)
            else:
                shutil.copy2(source / name, folder / name)

    def try_out(self, mutation: Mutation, seconds: float = 300.0) -> Outcome:
        """Plant the mistake, run its tests, and mend it again."""
        target = self.folder / "tinyconv" / mutation.file
        right = self.folder.with_name(f"{self.folder.name}-right")
        is_compiled = (Path("tinyconv") / mutation.file).parent == COMPILED
        whole = self.folder / COMPILED if is_compiled else target
        started = time.perf_counter()
        _copy(whole, right)
        try:
            text = mutation.mutated(target.read_text(encoding="utf-8"))
            target.write_text(text, encoding="utf-8")
            report = self.run(mutation.tests, seconds, stop_at_first=True)
        finally:
            _remove(whole)
            right.rename(whole)
        verdict, detail = judge(report)
        return Outcome(verdict, detail, time.perf_counter() - started)

    def run(self, tests: Iterable[str], seconds: float, stop_at_first: bool = False) -> Report:
        """Run some tests in a process of their own."""
        junit = self.folder / "report.xml"
        junit.unlink(missing_ok=True)
        options = ["-q", "--tb=short", "-p", "no:cacheprovider", "--hypothesis-profile=mutation"]
        ids = dict.fromkeys(name for test in tests for name in pytest_ids(test))
        command = [sys.executable, "-m", "pytest", *options, f"--junitxml={junit}", *ids]
        environment = {**os.environ, "PYTHONPATH": str(self.folder)}
        environment.pop("PYTEST_ADDOPTS", None)
        if stop_at_first:
            command.append("-x")
            environment["PYTHONDONTWRITEBYTECODE"] = "1"
        status, output = _call(command, self.folder, environment, seconds)
        if not junit.exists():
            return Report(status, output=output)
        return _read(junit, status, output)


def judge(report: Report) -> tuple[str, str]:
    """The verdict on a mutation, and which test gave it.

    Only a test that ran and failed counts. Tests that could not be collected, a mutation that cannot
    run, and a selection without tests do not.
    """
    if report.status is None:
        return "timed out", ""
    if report.status == 1 and report.failed and not report.errors:
        test, message = next(iter(report.failed.items()))
        kind = message.partition(":")[0].rpartition(".")[2]
        return ("broken", message[:200]) if kind in CRASHES else ("caught", test)
    if report.status == 0:
        return ("survived", "") if report.passed else ("not run", "all its tests were skipped")
    return "broken", (next(iter(report.errors.values()), "") or report.output.strip()[-300:])


def _call(
    command: list[str], folder: Path, environment: dict[str, str], seconds: float
) -> tuple[int | None, str]:
    """(exit status, output); the status is None where the time was over."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        _end(process)
        return None, ""
    except BaseException:
        _end(process)
        raise
    return process.returncode, output


def _end(process: subprocess.Popen[str]) -> None:
    """Kill the process, and those that it started."""
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.communicate()


def _read(junit: Path, status: int | None, output: str) -> Report:
    found: dict[str, dict[str, str]] = {"failure": {}, "error": {}, "skipped": {}}
    passed = 0
    for case in ET.parse(junit).iter("testcase"):
        name = f"{case.get('classname', '').rpartition('.')[2]}::{case.get('name', '')}"
        parts = [child for child in case if child.tag in found]
        passed += not parts
        for part in parts:
            found[part.tag][name] = part.get("message", "")
    return Report(status, found["failure"], found["error"], frozenset(found["skipped"]), passed, output)


def _no_bytecode_of_tests(folder: str, names: list[str]) -> set[str]:
    """What is not copied from a checkout: all but the compiled kernels can be made again at once."""
    keep = Path(folder).parts[-len(COMPILED.parts) :] == COMPILED.parts
    return {name for name in names if name == ".hypothesis" or (name == "__pycache__" and not keep)}


def _copy(source: Path, target: Path) -> None:
    (shutil.copytree if source.is_dir() else shutil.copy2)(source, target)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
