"""What the writer of an exercise declares: how cases are drawn, what is right, known mistakes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tinyconv.course.exercises.comparison import Difference
from tinyconv.course.exercises.draw import Draw
from tinyconv.course.exercises.steps import Step, call

Case = Mapping[str, Any]


@dataclass(frozen=True)
class Seen:
    """One case, and what the student's code made of it.

    Attributes
    ----------
    case : mapping
        The arguments, by the names that the check's `draw` gave them.
    stage : str
        The round, e.g. ``"random inputs"``; see `tinyconv.course.exercises.draw`.
    kind : str
        ``""`` if it was right, else one of ``"error"``, ``"type"``, ``"shape"``, ``"dtype"``,
        ``"values"``, ``"rule"`` (the check's `accept` said no), ``"changed"`` (an input was modified)
        and ``"ended"`` (an endless loop, or the process died).
    got, expected
        The student's result and the right one; `got` is None after an error.
    difference : Difference, optional
        Which part of the result is wrong, where, and by how much.
    error : dict, optional
        ``"type"``, ``"message"``, ``"line"`` and ``"bases"`` (names of classes) of an exception.
    """

    case: Case
    stage: str
    kind: str = ""
    sentence: str = ""
    got: Any = None
    expected: Any = None
    difference: Difference | None = None
    error: Mapping[str, Any] | None = None

    def raised(self, *names: str) -> bool:
        """Whether the code raised one of these exceptions, or a subclass of it."""
        return self.error is not None and not set(names).isdisjoint(self.error["bases"])


@dataclass(frozen=True)
class Mistake:
    """A mistake that students make, and the sentence that they are told.

    Parameters
    ----------
    sentence : str
        What is wrong and what to do, e.g. "the gradient is right except where windows overlap:
        accumulate, do not assign".
    wrong : callable, optional
        The function with the mistake in it. It is called as the check's `expect` is; when it gives
        the student's results in every case that was tried, this is the mistake.
    when : callable, optional
        Called with a `Seen` that was not right; true for every such case means that this is the mistake.
    """

    sentence: str
    wrong: Callable[..., Any] | None = None
    when: Callable[[Seen], bool] | None = None


@dataclass(frozen=True)
class Check:
    """One thing that is checked: "forward", "gradient", "in training mode", …

    Parameters
    ----------
    name : str
    draw : callable
        Makes a case of a `Draw`: a dict of named arguments.
    expect : callable, optional
        The reference: called with the case as keyword arguments (arrays of float32 as float64), it
        returns what is right: an array, a number, a tuple or dict of them.
    accept : callable, optional
        In the place of `expect` where many answers are right: called with the student's result and the
        case as keyword arguments, it returns an empty string, or a sentence on what is wrong.
    use : callable, optional
        The steps to take, of the case as keyword arguments; what the last one returns is judged. By
        default one call of the exercise's function with the case's values, in order.
    outputs : sequence of str
        Names for the parts of a tuple that is returned, for messages.
    mistakes : sequence of Mistake
    worked : sequence of dict
        Cases that are always tried first: the numbers of a slide.
    examples : int
        How many random cases.
    tolerance : float
        Largest error as a share of the largest expected value, for float64; for float32 it is 2e-4
        at least.
    stages : sequence of str, optional
        Names of the rounds after the plain one; by default all that make sense for what is drawn.
    keeps_dtype : bool
        Whether results have to be float32 for float32 inputs, and float64 for float64 inputs.
    may_change : bool
        Whether the student's code may modify its inputs.
    """

    name: str
    draw: Callable[[Draw], dict[str, Any]]
    expect: Callable[..., Any] | None = None
    accept: Callable[..., str] | None = None
    use: Callable[..., Sequence[Step]] | None = None
    outputs: Sequence[str] = ()
    mistakes: Sequence[Mistake] = ()
    worked: Sequence[dict[str, Any]] = ()
    examples: int = 60
    tolerance: float = 1e-7
    stages: Sequence[str] | None = None
    keeps_dtype: bool = True
    may_change: bool = False

    def steps(self, function: str, case: Case) -> Sequence[Step]:
        """What to do for a case."""
        return (call(function, *case.values()),) if self.use is None else self.use(**case)


@dataclass(frozen=True)
class Exercise:
    """The specification of an exercise: `SPEC` in its ``spec.py``.

    Parameters
    ----------
    function : str
        The name that the student's file has to define: a function, or a class.
    checks : sequence of Check
        In the order in which they are tried; the first that fails is reported.
    forbidden : sequence of str
        Dotted names that may not be called, e.g. ``"numpy.convolve"``.
    imports : sequence of str
        Packages that may be imported besides NumPy; ``"tinyconv"`` for exercises with layers.
    mistakes : sequence of Mistake
        Those that can occur in every check.
    kernel : sequence of str
        For a CUDA kernel, whose file ends in ``.cu``: the types of its parameters, ``"const float*"``,
        ``"float*"``, ``"const int*"``, ``"int*"``, ``"float"`` or ``"int"``. It is called as
        ``call(function, grid, block, *arguments)``; the one pointer without ``const`` is the result.
    """

    function: str
    checks: Sequence[Check]
    forbidden: Sequence[str] = ()
    imports: Sequence[str] = ()
    mistakes: Sequence[Mistake] = field(default=())
    kernel: Sequence[str] = ()
