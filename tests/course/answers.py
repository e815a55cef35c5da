"""Where the tests keep right and wrong answers to the exercises, and what the judge says about them."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

from tinyconv.course.exercises import Verdict, find_exercise, judge

TESTS = Path(__file__).parents[1]


def answers(kind: str, name: str = "*") -> list[Path]:
    """The files of ``right_answers`` or ``wrong_answers``, of one exercise or of all."""
    return sorted((TESTS / f"{kind}_answers").glob(f"{name}/*.py"))


def label(path: Path) -> str:
    return f"{path.parent.name}-{path.stem}"


@functools.cache
def verdict_on(path: Path) -> Verdict:
    entry = find_exercise(path.parent.name)
    return judge(entry.load(), path.read_text(encoding="utf-8"), path.name, shrink=False)


def told(path: Path) -> str:
    """The constant TOLD of a wrong answer: part of the sentence that its author must be told."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "TOLD":
            return str(ast.literal_eval(node.value))
    return ""
