"""No false mistake is told: what is said of a wrong answer has to be true of the case that is shown."""

from __future__ import annotations

import numpy as np
import pytest

from tests.course.test_judge import HEAD, draw, verdict
from tinyconv.course.exercises import Check, Exercise, Mistake, judge


def test_a_predicate_has_to_hold_for_the_case_that_is_shown():
    long = Mistake("long", when=lambda seen: seen.case["x"].size > 1)
    exercise = Exercise(
        "f",
        [
            Check(
                "f",
                draw=lambda d: {"x": d.array(d.integer(2, 5))},
                expect=lambda x: 2 * x,
                mistakes=[long],
                worked=[{"x": np.array([1.0])}],
            )
        ],
    )
    assert verdict("return x", exercise, shrink=False).mistake != "long"
    assert verdict("return x if x.size > 1 else 2 * x", exercise, shrink=False).mistake == "long"


SPREAD = Exercise(
    "f", [Check("f", draw=lambda d: {"x": d.array(d.batch(), d.integer(1, 4))}, expect=lambda x: 2 * x)]
)


@pytest.mark.parametrize(
    ("condition", "told"),
    [("len(x) == 1", True), ("len(x) == 1 and x.shape[1] == 1", True), ("x.shape[1] == 3", False)],
)
def test_a_batch_of_1_is_blamed_only_if_it_is_so(condition, told):
    found = verdict(f"return x if {condition} else 2 * x", SPREAD)
    assert not found.passed
    assert ("larger batches" in found.mistake) is told, found


def test_a_batch_of_1_is_not_blamed_where_no_larger_one_is_right():
    exercise = Exercise("f", [Check("f", lambda d: {"x": d.array(d.batch(1), 3)}, lambda x: 2 * x)])
    assert "larger batches" not in verdict("return np.sort(x)", exercise).mistake
    assert "larger batches" in verdict("return 2 * x if len(x) > 1 else x", exercise).mistake


def test_a_memory_order_is_not_blamed_where_c_order_is_wrong_too():
    exercise = Exercise("f", [Check("f", lambda d: {"x": d.array(3, 3)}, lambda x: 2 * x)])
    count = "    calls.append(1)\n    return 2 * x if len(calls) < 80 else np.sort(x)\n"
    found = judge(exercise, f"{HEAD}calls = []\ndef f(x):\n{count}")
    assert found.stage == "random inputs" and "C order" not in found.mistake, found
    found = verdict("return 2 * x if x.flags.c_contiguous else x", exercise)
    assert found.stage == "inputs in other memory orders" and "C order" in found.mistake


def test_a_pattern_is_told_only_if_all_failing_cases_show_it():
    number = Exercise("f", [Check("f", draw=draw, expect=lambda x: x.sum())])
    assert "times" not in verdict("return x.max()", number).mistake
    assert "this number" in verdict("return x.max() + 1", number).mistake
    assert "times" in verdict("return 3 * x.sum()", number).mistake
    own_factor = verdict("return 2 * x / (1 + x.size)", SPREAD, shrink=False).mistake
    assert "times" not in own_factor and "a mean in the place of a sum" in own_factor
    assert "1 too large" in verdict("return 2 * x + 1", SPREAD).mistake


@pytest.mark.parametrize("body", ["2 * x + 2e-4 * (x == x.max())", "2.001 * x", "2 * x + 1e-4"])
def test_no_pattern_is_told_of_what_is_nearly_right(body):
    found = verdict(f"return {body}", SPREAD)
    assert not found.passed
    for pattern in ("a factor", "one factor", "too large", "reversed", "transposed", "sign"):
        assert pattern not in found.mistake


def test_the_search_leaves_nothing_where_somebody_stands(tmp_path, monkeypatch):
    from hypothesis import configuration

    before = configuration.storage_directory(intent_to_write=False).path
    monkeypatch.chdir(tmp_path)
    assert not verdict("return x").passed
    assert list(tmp_path.iterdir()) == []
    assert configuration.storage_directory(intent_to_write=False).path == before
