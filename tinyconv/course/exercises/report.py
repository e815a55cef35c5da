"""A verdict in the terminal: what is wrong, in the smallest case, and what the mistake probably is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tinyconv.course.exercises.arrays_as_text import array_lines, value_text
from tinyconv.course.exercises.catalogue import Entry
from tinyconv.course.exercises.spec import Seen
from tinyconv.course.exercises.steps import Step
from tinyconv.course.exercises.verdict import Verdict
from tinyconv.course.exercises.wire import Kept, TensorInput

MARKED = re.compile(r">[^<>\s]+<")


def report_lines(entry: Entry, verdict: Verdict) -> list[tuple[str, str]]:
    """Pairs of a style's name and a line: "title", "good", "bad", "told", "head" or "text".

    Parameters
    ----------
    entry : Entry
    verdict : Verdict
    """
    if verdict.passed:
        tried = f"{verdict.tried} cases, {verdict.seconds:.1f} s"
        return [("good", f"{entry.title}: right ({tried})")]
    where = verdict.check + (f", {verdict.stage}" if verdict.stage else "")
    lines = [("bad", f"{entry.title}: not yet right ({where})")]
    seen = verdict.seen
    if seen is not None:
        lines.append(("text", printable(seen.sentence)))
    if verdict.mistake:
        lines.append(("told", f"Likely: {verdict.mistake}"))
    if seen is not None:
        lines += _case_lines(seen, verdict.steps)
        lines += _result_lines(seen)
    if verdict.printed.strip():
        lines.append(("head", "Your code printed:"))
        lines += [("text", f"  | {printable(line)}") for line in verdict.printed.splitlines()[:20]]
    return lines


def _case_lines(seen: Seen, steps: Sequence[Step]) -> Iterator[tuple[str, str]]:
    if not seen.case or seen.raised("NotImplementedError"):
        return
    yield ("head", "The smallest case that fails:")
    for name, value in seen.case.items():
        if isinstance(value, np.ndarray) and value.ndim:
            layout = "" if value.flags.c_contiguous else f", strides {value.strides}"
            yield ("text", f"  {name}: shape {value.shape}, {value.dtype}{layout}")
            yield from (("text", f"  {line}") for line in array_lines(value))
        else:
            yield ("text", f"  {name} = {value_text(value)}")
    names = {id(value): name for name, value in seen.case.items()}
    calls = [_call(step, names) for step in steps if step.call]
    if calls:
        yield ("head", "What was called:  " + ";  ".join(calls))


def _call(step: Step, names: dict[int, str]) -> str:
    kept = f"{step.keep} = " if step.keep else ""
    return f"{kept}{step.target}({', '.join(_argument(value, names) for value in step.values)})"


def _argument(value: Any, names: dict[int, str]) -> str:
    if isinstance(value, Kept):
        return value.name
    if isinstance(value, TensorInput):
        return _argument(value.array, names)
    if isinstance(value, dict) and any(isinstance(item, TensorInput) for item in value.values()):
        return f"{{{', '.join(map(str, value))}}}"
    if isinstance(value, np.ndarray) and value.ndim:
        return names.get(id(value), f"array of shape {value.shape}")
    text = value_text(value)
    return names.get(id(value), text) if len(text) > 20 else text


def _result_lines(seen: Seen) -> Iterator[tuple[str, str]]:
    difference = seen.difference
    if difference is None:
        if seen.kind == "rule":
            yield ("head", "Your result:")
            yield from (("text", f"  {line}") for line in printable(value_text(seen.got)).splitlines())
        return
    if difference.kind == "type":
        return
    yield (
        "head",
        f"Yours, {difference.part}" + (" (wrong elements marked):" if difference.kind == "values" else ":"),
    )
    yield from (("text", f"  {line}") for line in _lines(difference.got, difference.wrong))
    yield ("head", "Expected:")
    yield from (("text", f"  {line}") for line in _lines(difference.expected, difference.wrong, False))


def _lines(value: Any, wrong: Any, marked: bool = True) -> list[str]:
    array = np.asarray(value)
    return list(array_lines(array, wrong, marked)) if array.ndim else [f"  {value_text(value)}"]


def printable(text: str) -> str:
    """Text of a student's code without anything that a terminal would obey."""
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)


def print_verdict(entry: Entry, verdict: Verdict, console: Any = None) -> None:
    """Print what the judge says.

    Parameters
    ----------
    entry : Entry
    verdict : Verdict
    console : rich.console.Console, optional
        Standard output if not given.
    """
    from rich.console import Console
    from rich.text import Text

    console = console or Console(highlight=False)
    styles = {"good": "bold green", "bad": "bold red", "told": "bold yellow", "head": "bold", "text": ""}
    for style, line in report_lines(entry, verdict):
        text = Text(line, style=styles[style])
        if style == "text":
            text.highlight_regex(MARKED, "bold red")
        console.print(text, soft_wrap=style == "text")
