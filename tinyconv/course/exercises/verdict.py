"""What the judge says about a student's file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyconv.course.exercises.spec import Seen
from tinyconv.course.exercises.steps import Step


@dataclass(frozen=True)
class Verdict:
    """What the judge says.

    Attributes
    ----------
    passed : bool
    check, stage : str
        Where it failed, e.g. "gradient", "a batch of 1".
    mistake : str
        The likely mistake, in a sentence.
    seen : Seen, optional
        The smallest failing case.
    steps : sequence of Step
        What was called for it.
    tried : int
        How many cases were tried.
    seconds : float
    printed : str
        What the student's code printed in the failing case.
    """

    passed: bool
    check: str = ""
    stage: str = ""
    mistake: str = ""
    seen: Seen | None = None
    steps: Sequence[Step] = ()
    tried: int = 0
    seconds: float = 0.0
    printed: str = ""
