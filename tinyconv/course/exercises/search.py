"""Hypothesis' search through the cases of a check."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinyconv.course.exercises.draw import Draw, DrawnCase, Stage
from tinyconv.course.exercises.spec import Check


def search(
    check: Check,
    stage: Stage,
    used: set[str],
    test: Callable[[dict[str, Any]], None],
    count: int,
    seed: int,
    shrink: bool,
) -> None:
    """Call `test` with cases that Hypothesis draws; the same ones for the same seed."""
    import hypothesis
    from hypothesis import HealthCheck, Phase, Verbosity, strategies

    @strategies.composite
    def cases(draw: Any) -> dict[str, Any]:
        with_notes = Draw(draw, stage)
        case = DrawnCase(check.draw(with_notes))
        case.batch = with_notes.batch_size
        used.update(with_notes.used)
        return case

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count,
        phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
        database=None,
        deadline=None,
        derandomize=False,
        print_blob=False,
        report_multiple_bugs=False,
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(cases())
    def run(case: dict[str, Any]) -> None:
        test(case)

    run()


def makes_sense(check: Check, stage: Stage, used: set[str]) -> bool:
    """Whether a round after the plain one has something to try, given what the cases were made with."""
    if check.stages is not None:
        return stage.name in check.stages
    if stage.batch is not None:
        return "batch" in used
    return ("float" if stage.dtype == "float32" else "array") in used
