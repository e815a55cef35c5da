"""Hypothesis' search through the cases of a check."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
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
        case.batch, case.drawn = with_notes.batch_size, with_notes.drawn
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

    with _storage_elsewhere():
        run()


@contextmanager
def _storage_elsewhere() -> Iterator[None]:
    """Hypothesis keeps what it reads in modules in a folder: here one that is thrown away.

    Other tests of the same process, as under pytest, keep the folder that they have.
    """
    from hypothesis import configuration

    before = configuration.storage_directory(intent_to_write=False).home_directory
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        configuration.set_hypothesis_home_dir(folder)
        try:
            yield
        finally:
            configuration.set_hypothesis_home_dir(before)


def makes_sense(check: Check, stage: Stage, used: set[str]) -> bool:
    """Whether a round after the plain one has something to try, given what the cases were made with."""
    if check.stages is not None:
        return stage.name in check.stages
    if stage.batch is not None:
        return "batch" in used
    return ("float" if stage.dtype == "float32" else "array") in used
