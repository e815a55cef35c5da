"""A mutation: one wrong line planted in the engine, and the tests that must notice it.

Each ``wrong_<family>.py`` beside this file lists some.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = "tests/ops/test_table.py"


@dataclass(frozen=True)
class Mutation:
    """`old`, which stands in the file exactly once, becomes `new`.

    Attributes
    ----------
    name : str
        What is wrong, for people.
    file : str
        Path within ``tinyconv/``.
    old, new : str
    tests : tuple of str
        The pytest ids of which at least one must fail.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def mutated(self, source: str) -> str:
        """The file's text with the mistake in it."""
        count = source.count(self.old)
        if count != 1:
            raise ValueError(f"stale mutation {self.name!r}: {self.old!r} is {count} times in {self.file}")
        return source.replace(self.old, self.new)


def wrong(name: str, file: str, old: str, new: str, *tests: str) -> Mutation:
    """A `Mutation`, written with fewer brackets."""
    return Mutation(name, file, old, new, tests)


def first(op: str, backend: str = "reference") -> str:
    """The test of the op's first derivative against differences."""
    return f"{TABLE}::test_first_derivative[{op}-{backend}]"


def second(op: str, backend: str = "reference") -> str:
    """The test of the op's second derivative against differences of the first."""
    return f"{TABLE}::test_second_derivative[{op}-{backend}]"


def third(op: str) -> str:
    """The test of the op's third derivative."""
    return f"tests/ops/test_third_derivative.py::test_third_derivative[{op}]"


def twin(op: str) -> str:
    """The comparison of the op with PyTorch's."""
    return f"{TABLE}::test_values_and_gradients_are_those_of_pytorch[{op}]"


def fast(op: str) -> str:
    """The comparison of the op on the fast kernels with the reference in float64."""
    return f"{TABLE}::test_values_and_gradients_are_those_of_the_float64_reference[{op}-auto]"


def saved(op: str) -> str:
    """The test that a change of what the op saved is seen, or does no harm."""
    test = "test_a_change_of_what_was_saved_is_an_error_and_any_other_does_no_harm"
    return f"tests/ops/test_saved.py::{test}[{op}]"


@cache
def rows_of_the_table() -> Counter[str]:
    """How many rows of the table of ops have each name: pytest numbers those that have the same."""
    from tests.ops.table import OPS

    return Counter(op.name for op in OPS)


def pytest_ids(test: str) -> list[str]:
    """What pytest calls `test`: for an op with several rows, one of each."""
    function, _, parameters = test.partition("[")
    op, dash, backend = parameters.rstrip("]").partition("-")
    count = rows_of_the_table()[op] if parameters else 1
    if count < 2:
        return [test]
    return [f"{function}[{op}{i}{dash}{backend}]" for i in range(count)]


def all_mutations() -> tuple[Mutation, ...]:
    """The mutations of all families."""
    files = sorted(Path(__file__).parent.glob("wrong_*.py"))
    return tuple(m for file in files for m in import_module(f"tests.mutations.{file.stem}").MUTATIONS)
