"""Results are the same from run to run: no sum of floating-point numbers is in the order of the threads."""

from __future__ import annotations

import re

from tinyconv.kernels.cuda import _launch

ON_WHOLE_NUMBERS = {
    ("pooling.cu", "Max", "reach + k, farthest[k]"),
    ("softmax.cu", "Add", "total, (unsigned long long)mine"),
}
"""Atomic operations whose result does not depend on their order."""


def test_atomic_operations_are_on_whole_numbers() -> None:
    found = {
        (path.name, operation, arguments)
        for path in _launch.FOLDER.glob("*.cu*")
        for operation, arguments in re.findall(r"\batomic(\w+)\((.*)\);", path.read_text(encoding="utf-8"))
    }
    assert found == ON_WHOLE_NUMBERS
