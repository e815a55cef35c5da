"""Judge a student's file: run it in a process of its own, compare here, find the smallest failing case."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tinyconv.course.exercises.cases import (
    as_float64,
    changed,
    has_generator,
    is_float,
    ordinary,
    size,
    with_other_seed,
)
from tinyconv.course.exercises.comparison import FLOAT32_TOLERANCE, compare
from tinyconv.course.exercises.diagnosis import SPECIAL, holds, name_mistake, stage_sentence
from tinyconv.course.exercises.draw import PLAIN, STAGES, Stage
from tinyconv.course.exercises.kernel import CompileError, KernelProcess
from tinyconv.course.exercises.process import Answer, Ended, Limits, StudentProcess
from tinyconv.course.exercises.search import makes_sense, search
from tinyconv.course.exercises.spec import Check, Exercise, Seen
from tinyconv.course.exercises.steps import Step
from tinyconv.course.exercises.verdict import Verdict

ENOUGH = 12
"""So many failing cases are looked at before a mistake is named."""

AT_ONCE = 12


def judge(
    exercise: Exercise,
    source: str,
    file: str = "exercise.py",
    limits: Limits | None = None,
    shrink: bool = True,
    seed: int = 0,
) -> Verdict:
    """Judge the text of a student's file.

    The student's code runs in a process with limits, which only evaluates it; all results are compared
    here. The same file gets the same cases each time.

    Parameters
    ----------
    exercise : Exercise
    source, file : str
        The text, and the file's name for messages.
    limits : Limits, optional
    shrink : bool
        Whether to look for a smaller failing case.
    seed : int
        Of the random cases.
    """
    started = time.monotonic()
    session = _Session(exercise, limits or Limits(), shrink, seed, started)
    try:
        with _started(exercise, source, file, session.limits) as session.process:
            verdict = session.run()
    except Ended as ended:
        verdict = session.ended(ended)
    except CompileError as error:
        verdict = session.not_loaded(error.described, "")
    return replace(verdict, tried=session.tried, seconds=time.monotonic() - started)


def _started(exercise: Exercise, source: str, file: str, limits: Limits) -> StudentProcess:
    """The process that has loaded the file, or the kernel that g++ has made of it."""
    if not exercise.kernel:
        return StudentProcess(source, file, limits, exercise.imports, exercise.forbidden)
    return KernelProcess(source, file, limits, exercise.function, exercise.kernel)


class _Failing(Exception):
    """Tells Hypothesis that a case fails."""


@dataclass
class _Session:
    exercise: Exercise
    limits: Limits
    shrink: bool
    seed: int
    started: float
    process: StudentProcess = field(init=False)
    tried: int = 0
    current: tuple[Check | None, str, Any, Sequence[Step]] = (None, "", None, ())
    printed: str = ""

    def run(self) -> Verdict:
        loaded = self.process.loaded
        name = self.exercise.function
        if loaded.error is not None:
            return self.not_loaded(loaded.error, loaded.printed)
        if name not in loaded.names:
            seen = Seen({}, "", "error", f"the file defines no {name}")
            told = f"define {name}, with this very name, at the left margin"
            return Verdict(False, "loading the file", mistake=told, seen=seen)
        for check in self.exercise.checks:
            used: set[str] = set()
            for stage in (PLAIN, *STAGES):
                if stage is PLAIN or makes_sense(check, stage, used):
                    verdict = self.round(check, stage, used)
                    if verdict is not None:
                        return verdict
        ignored = (self.without_generator(check) for check in self.exercise.checks)
        return next(filter(None, ignored), Verdict(True))

    def not_loaded(self, error: Mapping[str, Any], printed: str) -> Verdict:
        """The verdict on a file that cannot be run at all."""
        seen = Seen({}, "", "error", _error_sentence(dict(error)), error=error)
        return self.failed("loading the file", [seen], [seen], seen, (), (), printed)

    def round(self, check: Check, stage: Stage, used: set[str]) -> Verdict | None:
        """Try the cases of one stage of a check; None if all are right."""
        all_seen: list[Seen] = []
        count = max(3, round(check.examples * stage.share))
        cases = list(check.worked) if stage is PLAIN else []
        search(check, stage, used, cases.append, count, self.seed, shrink=False)
        for start in range(0, len(cases), AT_ONCE):
            all_seen += self.evaluate_all(check, cases[start : start + AT_ONCE], stage)
            if sum(bool(seen.kind) for seen in all_seen) >= ENOUGH:
                break
        failing = [seen for seen in all_seen if seen.kind]
        if not failing:
            return None
        ((kind, _),) = Counter(seen.kind for seen in failing).most_common(1)
        failing = [seen for seen in failing if seen.kind == kind]
        smallest = min(failing, key=_size)
        if self.shrink:
            smallest = min([smallest, *self.smaller(check, stage, kind, count)], key=_size)
        seen = self.evaluate(check, smallest.case, stage)
        if seen.kind != kind:
            seen = replace(smallest, sentence=f"{smallest.sentence}, and another time it was not")
        failing, seen, matters = self.without_the_stage(check, stage, failing, seen)
        steps = check.steps(self.exercise.function, seen.case)
        return self.failed(
            check.name, all_seen, failing, seen, steps, check.mistakes, self.printed, check, matters
        )

    def without_the_stage(
        self, check: Check, stage: Stage, failing: list[Seen], shown: Seen
    ) -> tuple[list[Seen], Seen, str]:
        """What is said of small batches and memory orders is true only if the same cases without are right.

        Returns the failing cases, that which is shown, and the sentence. Cases that are wrong without what is
        special about the round take the place of the others.
        """
        told, plain = stage_sentence(stage, failing), PLAIN if stage.name in SPECIAL else stage
        cases = [ordinary(check, seen.case, stage) for seen in (shown, *failing)] if told else []
        if not told or None in cases:
            return failing, shown, ""
        seen = list(self.evaluate_all(check, [case for case in cases if case is not None], plain))
        wrong = [one for one in seen if one.kind]
        if not wrong:
            return failing, shown, told
        if plain is stage:
            return failing, shown, ""
        first = min(wrong, key=_size)
        return [one for one in wrong if one.kind == first.kind], first, ""

    def without_generator(self, check: Check) -> Verdict | None:
        """The verdict on random results that do not come from the generator that is handed over."""
        cases: list[dict[str, Any]] = []
        stage = PLAIN
        search(check, stage, set(), cases.append, 3, self.seed, shrink=False)
        if check.accept is None or not any(has_generator(case) for case in cases):
            return None
        first, again = (list(self.evaluate_all(check, cases, stage)) for _ in range(2))
        others = list(self.evaluate_all(check, [with_other_seed(case) for case in cases], stage))
        sentence = ""
        if not all(compare(a.got, b.got, 0.0) is None for a, b in zip(first, again, strict=True)):
            sentence = "the result is another one for the same rng"
        elif all(compare(a.got, b.got, 0.0) is None for a, b in zip(first, others, strict=True)):
            sentence = "the result is the same for every rng"
        if not sentence:
            return None
        seen = replace(first[0], kind="rule", sentence=sentence)
        told = "draw all numbers from the generator rng that is handed over, not from another one"
        steps = check.steps(self.exercise.function, seen.case)
        return Verdict(False, check.name, stage.name, told, seen, steps, printed=self.printed)

    def smaller(self, check: Check, stage: Stage, kind: str, count: int) -> list[Seen]:
        """The last failing case of Hypothesis' search for a small one, if it finds any."""
        last: list[Seen] = []

        def fail(case: Mapping[str, Any]) -> None:
            seen = self.evaluate(check, case, stage)
            if seen.kind == kind:
                last[:] = [seen]
                raise _Failing

        try:
            search(check, stage, set(), fail, count, self.seed, shrink=True)
        except _Failing:
            pass
        except Exception:  # of Hypothesis: the same case did not fail again
            return []
        return last

    def failed(
        self,
        name: str,
        all_seen: Sequence[Seen],
        failing: Sequence[Seen],
        seen: Seen,
        steps: Sequence[Step],
        mistakes: Sequence[Any],
        printed: str,
        check: Check | None = None,
        stage_matters: str = "",
    ) -> Verdict:
        foreseen = [*mistakes, *self.exercise.mistakes]
        function = self.exercise.function
        told = name_mistake(foreseen, all_seen, failing, seen, check, function, stage_matters)
        return Verdict(False, name, seen.stage, told, seen, steps, printed=printed)

    def evaluate(self, check: Check, case: Mapping[str, Any], stage: Stage) -> Seen:
        """Run the student's code on a case, and compare."""
        return next(self.evaluate_all(check, [case], stage))

    def evaluate_all(self, check: Check, cases: Sequence[Mapping[str, Any]], stage: Stage) -> Iterator[Seen]:
        """The same for several cases, which are sent to the student's process together."""
        if time.monotonic() - self.started > self.limits.check_seconds:
            raise Ended("slow", f"the check takes more than {self.limits.check_seconds:g} seconds")
        steps = [check.steps(self.exercise.function, case) for case in cases]
        self.current = (check, stage.name, cases[0], steps[0])
        answers = self.process.ask_all(steps)
        for case, taken in zip(cases, steps, strict=True):
            self.current = (check, stage.name, case, taken)
            answer = next(answers)
            self.tried += 1
            self.printed = answer.printed
            yield self.compared(check, case, taken, answer, stage)

    def compared(
        self, check: Check, case: Mapping[str, Any], steps: Sequence[Step], answer: Answer, stage: Stage
    ) -> Seen:
        """What the student's code made of a case, next to what is right."""
        base = Seen(case, stage.name)
        if answer.error is not None:
            return replace(base, kind="error", sentence=_error_sentence(answer.error), error=answer.error)
        base = replace(base, got=answer.result)
        in_float64 = {key: as_float64(value) for key, value in case.items()}
        if check.accept is not None:
            try:
                sentence = check.accept(answer.result, **in_float64)
            except Exception:  # the result is of a kind that the check did not think of
                sentence = "the result is not of the kind that is asked for"
            if sentence:
                return replace(base, kind="rule", sentence=sentence)
        if check.expect is not None:
            expected = check.expect(**in_float64)
            is_float32 = stage.dtype == "float32"
            tolerance = max(check.tolerance, FLOAT32_TOLERANCE) if is_float32 else check.tolerance
            kinds = {value.dtype.name for value in case.values() if is_float(value)}
            keeps = check.keeps_dtype and not self.exercise.kernel
            if not is_float32:  # the engine's parameters are float32 whatever the inputs are
                keeps = keeps and kinds == {stage.dtype} and not self.exercise.imports
            dtype = stage.dtype if keeps else None
            found = compare(answer.result, expected, tolerance, dtype, names=check.outputs)
            base = replace(base, expected=expected)
            if found:
                return replace(base, kind=found.kind, sentence=found.sentence, difference=found)
        if not check.may_change and (name := changed(steps, answer, case)):
            return replace(base, kind="changed", sentence=f"the input {name} is not what it was before")
        return base

    def ended(self, ended: Ended) -> Verdict:
        """The verdict when the process did not survive, or took too long."""
        check, stage, case, steps = self.current
        told = {
            "endless": "a loop that never ends? Look at its condition, and at what changes in its body",
            "slow": "each call is quick enough, but all together are not: is there a loop too many?",
            "answer": "the code must not meddle with the process that it runs in",
            "died": "recursion without an end, an array of billions of elements, or a call that ends Python",
        }[ended.kind]
        seen = Seen(case or {}, stage, "ended", ended.reason)
        foreseen = [*(check.mistakes if check else ()), *self.exercise.mistakes]
        told = next((m.sentence for m in foreseen if m.when is not None and holds(m, seen)), told)
        return Verdict(False, check.name if check else "loading the file", stage, told, seen, steps)


def _size(seen: Seen) -> float:
    return size(seen.case)


def _error_sentence(error: dict[str, Any]) -> str:
    line = f" (line {error['line']})" if error["line"] else ""
    return f"{error['type']}: {error['message']}{line}".replace(":  (", " (")
