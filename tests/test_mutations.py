"""The mutation check itself: that its list is not stale, and that its verdicts mean what they say.

``python -m tests.mutations`` runs the whole list; here a few of it run.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from tests.mutations.mutation import ROOT, TABLE, Mutation, all_mutations, first, rows_of_the_table, wrong
from tests.mutations.workshop import Report, Workshop, judge

MUTATIONS = all_mutations()
FOLDERS = ("ops", "kernels/reference", "kernels/cpu", "optim", "optim/lr_scheduler")
WITHOUT_ARITHMETIC = {"__init__.py", "aliases.py", "_compile.py", "options.py", "threads.py"}

QUICK = (
    "backward: a second backward overwrites the first",
    "hooks: retained gradients do not accumulate",
    "sgd: uphill",
)


def source(file: str) -> str:
    return (ROOT / "tinyconv" / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_the_mistake_can_be_planted(mutation: Mutation) -> None:
    mutated = mutation.mutated(source(mutation.file))
    assert mutated != source(mutation.file)
    if mutation.file.endswith(".py"):
        ast.parse(mutated)


def test_there_are_many_and_each_has_a_name() -> None:
    assert len(MUTATIONS) >= 40
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS)
    assert {*QUICK} < {mutation.name for mutation in MUTATIONS}


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_file_has_a_mistake(folder: str) -> None:
    files = {path.name for path in (ROOT / "tinyconv" / folder).glob("*.py")} - WITHOUT_ARITHMETIC
    planted = {Path(m.file).name for m in MUTATIONS if Path(m.file).parent == Path(folder)}
    assert files - planted == set()


def test_the_tests_that_are_named_exist() -> None:
    rows = {f"{name}{i}" for name, count in rows_of_the_table().items() for i in range(count) if count > 1}
    rows |= rows_of_the_table().keys()
    for test in {test for mutation in MUTATIONS for test in mutation.tests}:
        file, _, function = test.partition("::")
        name, _, parameters = function.partition("[")
        text = (ROOT / file).read_text(encoding="utf-8")
        assert not name or f"def {name}(" in text, test
        if file == TABLE:
            assert parameters.rstrip("]").partition("-")[0] in rows, test


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: Any) -> Workshop:
    return Workshop(tmp_path_factory.mktemp("mutations") / "0")


@pytest.mark.parametrize("name", QUICK)
def test_a_mistake_is_caught_and_mended_again(workshop: Workshop, name: str) -> None:
    (mutation,) = (m for m in MUTATIONS if m.name == name)
    right = source(mutation.file)
    outcome = workshop.try_out(mutation)
    assert outcome.verdict == "caught"
    assert outcome.detail.partition("::")[2] in mutation.tests[0]
    assert (workshop.folder / "tinyconv" / mutation.file).read_text(encoding="utf-8") == right
    assert source(mutation.file) == right


def test_a_harmless_change_is_not_caught(workshop: Workshop) -> None:
    swapped = ("self.leaf.grad = self.leaf.grad + grad", "self.leaf.grad = grad + self.leaf.grad")
    test = "tests/test_autograd.py::test_two_backwards_accumulate"
    assert workshop.try_out(wrong("equal", "function.py", *swapped, test)).verdict == "survived"


def test_code_that_cannot_run_does_not_count_as_caught(workshop: Workshop) -> None:
    misspelt = wrong("name", "ops/unary.py", "grad * cos(x)", "grad * cosine(x)", first("sin"))
    outcome = workshop.try_out(misspelt)
    assert outcome.verdict == "broken" and "NameError" in outcome.detail


def test_a_test_that_is_not_there_does_not_count_as_caught(workshop: Workshop) -> None:
    gone = wrong(
        "gone", "ops/unary.py", "grad * cos(x)", "grad", "tests/test_rooms.py::test_that_is_not_there"
    )
    assert workshop.try_out(gone).verdict == "broken"


def test_a_mistake_that_takes_too_long_is_given_up(workshop: Workshop) -> None:
    (mutation,) = (m for m in MUTATIONS if m.name == QUICK[0])
    assert workshop.try_out(mutation, seconds=0.05).verdict == "timed out"


def test_a_stale_mutation_is_refused(workshop: Workshop) -> None:
    with pytest.raises(ValueError, match=r"stale mutation 'old'.* is 0 times in function\.py"):
        workshop.try_out(wrong("old", "function.py", "a line that is not there", "another"))
    with pytest.raises(ValueError, match="stale"):
        workshop.try_out(wrong("twice", "function.py", "return", "yield"))
    assert (workshop.folder / "tinyconv" / "function.py").read_text(encoding="utf-8") == source("function.py")


@pytest.mark.parametrize(
    ("report", "verdict"),
    [
        (Report(0, passed=3), "survived"),
        (Report(0, skipped=frozenset({"a"})), "not run"),
        (Report(0, skipped=frozenset({"a"}), passed=1), "survived"),
        (Report(1, failed={"a": "AssertionError: 1 != 2"}), "caught"),
        (Report(1, failed={"a": "tinyconv.errors.GradcheckError: at (0,)"}), "caught"),
        (Report(1, failed={"a": "Failed: DID NOT RAISE"}), "caught"),
        (Report(1, failed={"a": "TypeError: takes 2 arguments"}), "broken"),
        (Report(1, failed={"a": "numba.core.errors.TypingError: no"}), "broken"),
        (Report(1, failed={"a": "AssertionError"}, errors={"b": "fixture"}), "broken"),
        (Report(2, errors={"a": "collection failure"}), "broken"),
        (Report(4), "broken"),
        (Report(5), "broken"),
        (Report(None), "timed out"),
    ],
)
def test_verdicts(report: Report, verdict: str) -> None:
    assert judge(report)[0] == verdict
