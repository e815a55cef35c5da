"""Where the tests keep right and wrong answers to the exercises, and what the judge says about them."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

import pytest

from tinyconv.course.exercises import Entry, Verdict, find_exercise, judge
from tinyconv.kernels.cuda.emulator import build

TESTS = Path(__file__).parents[1]
SUFFIXES = (".py", ".cu")


def answers(kind: str, name: str = "*") -> list[Path]:
    """The files of ``right_answers`` or ``wrong_answers``, of one exercise or of all."""
    return sorted(path for path in (TESTS / f"{kind}_answers").glob(f"{name}/*") if path.suffix in SUFFIXES)


def skip_without_compiler(entry: Entry) -> None:
    """Skip the test of an exercise that is judged on the emulator of CUDA where that cannot run."""
    missing = build.why_not()
    if entry.suffix == ".cu" and missing:
        pytest.skip(missing)


def label(path: Path) -> str:
    return f"{path.parent.name}-{path.stem}"


@functools.cache
def verdict_on(path: Path) -> Verdict:
    entry = find_exercise(path.parent.name)
    skip_without_compiler(entry)
    return judge(entry.load(), path.read_text(encoding="utf-8"), path.name, shrink=False)


def told(path: Path, name: str = "TOLD") -> str:
    """A constant of a wrong answer: TOLD is part of the sentence that its author must be told.

    Of a kernel it is a comment. NOT_TOLD is part of a sentence that would be false.
    """
    if path.suffix == ".cu":
        first = path.read_text(encoding="utf-8").partition("\n")[0]
        return first.removeprefix("// TOLD: ") if name == "TOLD" else ""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return str(ast.literal_eval(node.value))
    return ""
