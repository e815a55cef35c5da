"""ONNX's own node tests: every case of every node type that tinyconv has must pass.

The reasons of skips are in node_skips.py; ``python -m tests.io.onnx.report`` prints the whole list.
"""

from __future__ import annotations

from collections import defaultdict

import pytest

pytest.importorskip("onnx")

from tests.io.onnx.node_cases import all_cases
from tests.io.onnx.node_skips import NOT_IN_NODE_TESTS, SKIPPED_CASES, SKIPPED_ELEMENTS, SKIPPED_TYPES, reason
from tests.io.onnx.report import outcome
from tinyconv.errors import TinyconvError, UnsupportedError
from tinyconv.io.onnx.nodes import CONTROL, TABLE

CASES = all_cases()
RUN = [case for case in CASES if reason(case) is None]
SKIPPED = [case for case in CASES if reason(case) is not None]

FEWEST_PASSES = 1403
"""As many cases passed when this was written; the number may only grow."""


def by_group(cases):
    groups = defaultdict(list)
    for case in cases:
        groups[case.group].append(case)
    return sorted(groups.items())


@pytest.mark.parametrize(("group", "cases"), by_group(RUN), ids=[group for group, _ in by_group(RUN)])
def test_every_case_passes(group, cases):
    failures = {case.name: result for case in cases if (result := outcome(case)) != "pass"}
    assert failures == {}


def test_as_many_cases_are_run_as_before():
    assert len(CASES) == 1765, "another version of the package onnx: measure again"
    assert len(RUN) >= FEWEST_PASSES


@pytest.mark.parametrize(("group", "cases"), by_group(SKIPPED), ids=[group for group, _ in by_group(SKIPPED)])
def test_no_skip_is_out_of_date(group, cases):
    """A skipped case that would pass is no longer to be skipped; tinyconv refuses it by its own errors."""
    single = {name for names in SKIPPED_CASES.values() for name in names}
    wrong = {}
    for case in cases:
        try:
            case.check()
            wrong[case.name] = "passes"
        except UnsupportedError:
            pass
        except (TinyconvError, AssertionError) as error:
            if case.name not in single:
                wrong[case.name] = f"{type(error).__name__}: {error}"
    assert wrong == {}


def test_every_node_type_of_the_loader_is_run():
    run = {node_type for case in RUN for node_type in case.types}
    assert {*TABLE, *CONTROL} - run == NOT_IN_NODE_TESTS


def test_no_node_type_of_the_loader_is_skipped_as_a_whole():
    skipped = {name for names in SKIPPED_TYPES.values() for name in names}
    assert skipped & {*TABLE, *CONTROL} == set()


def test_every_reason_is_needed():
    types, elements = {t for c in CASES for t in c.types}, {e for c in CASES for e in c.element_types}
    assert {name for names in SKIPPED_TYPES.values() for name in names} <= types
    assert {name for names in SKIPPED_ELEMENTS.values() for name in names} <= elements
    assert {name for names in SKIPPED_CASES.values() for name in names} <= {case.name for case in CASES}
