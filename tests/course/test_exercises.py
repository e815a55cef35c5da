"""Each exercise: its stub fails, its solution passes, wrong answers are told why, right ones are accepted."""

from __future__ import annotations

import ast
import re
import textwrap

import pytest

from tests.course.answers import answers, label, skip_without_compiler, told, verdict_on
from tinyconv.course.exercises import exercises, judge
from tinyconv.course.exercises.submission import is_same_program

ENTRIES = exercises()
each = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)


def test_there_are_exercises_with_numbers_of_their_own():
    numbers = [entry.number for entry in ENTRIES]
    assert numbers and len(set(numbers)) == len(numbers)


def test_no_answers_without_an_exercise():
    names = {entry.name for entry in ENTRIES}
    assert {path.parent.name for kind in ("right", "wrong") for path in answers(kind)} == names


@each
def test_everything_is_there(entry):
    assert {path.name for path in entry.folder.iterdir() if path.is_file()} == entry.files
    assert entry.title.startswith(f"{entry.number}. ")
    assert "TODO" in entry.stub and "TODO" not in entry.solution
    assert len(set(entry.hints)) == 3
    assert len(answers("wrong", entry.name)) >= 6 and len(answers("right", entry.name)) >= 3


@each
def test_hints_do_not_give_the_solution_away(entry):
    if entry.suffix == ".cu":
        code = "extern" + entry.solution.partition("extern")[2]
    else:
        code = ast.unparse(ast.parse(entry.solution).body[-1])
    assert code not in "\n".join(entry.hints)


@each
def test_code_in_hints_is_printed_with_its_indentation(entry):
    text = (entry.folder / "hints.md").read_text(encoding="utf-8")
    blocks = re.findall(r"(?:^ {4}.*\n(?:\n(?= {4}))?)+", text, flags=re.MULTILINE)
    assert blocks
    for block in blocks:
        code = textwrap.dedent(block)
        assert any(block.rstrip() in hint or hint == code.rstrip() for hint in entry.hints)
        if entry.suffix == ".py":
            ast.parse(code)


@each
def test_the_stub_fails_before_it_is_touched(entry):
    skip_without_compiler(entry)
    verdict = judge(entry.load(), entry.stub, entry.file_name)
    assert not verdict.passed
    assert "TODO" in verdict.mistake and verdict.seen is not None and verdict.seen.kind == "error"


@each
def test_the_solution_passes(entry):
    skip_without_compiler(entry)
    verdict = judge(entry.load(), entry.solution, entry.file_name)
    assert verdict.passed, (verdict.check, verdict.stage, verdict.mistake, verdict.seen)
    assert verdict.tried >= 50


@pytest.mark.parametrize("path", answers("right"), ids=label)
def test_a_right_answer_is_accepted(path):
    verdict = verdict_on(path)
    assert verdict.passed, (verdict.check, verdict.stage, verdict.mistake, verdict.seen)


@pytest.mark.parametrize("path", answers("wrong"), ids=label)
def test_a_wrong_answer_is_told_its_mistake(path):
    assert len(told(path)) >= 10, "TOLD is missing"
    verdict = verdict_on(path)
    assert not verdict.passed
    assert told(path) in verdict.mistake, (verdict.mistake, verdict.check, verdict.stage, verdict.seen)
    false = told(path, "NOT_TOLD")
    assert not false or false not in verdict.mistake, (verdict.mistake, verdict.seen)


@each
def test_every_mistake_is_met_by_a_wrong_answer(entry):
    exercise = entry.load()
    known = [m.sentence for check in exercise.checks for m in check.mistakes]
    known += [m.sentence for m in exercise.mistakes]
    met = {verdict_on(path).mistake for path in answers("wrong", entry.name)}
    assert [sentence for sentence in known if sentence not in met] == []


@each
def test_right_answers_differ_from_the_solution_and_from_each_other(entry):
    texts = [path.read_text(encoding="utf-8") for path in answers("right", entry.name)] + [entry.solution]
    for index, text in enumerate(texts):
        assert not any(is_same_program(text, other, entry.suffix) for other in texts[:index])
