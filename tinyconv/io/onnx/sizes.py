"""Sizes that are not known when a model is exported: the batch, or the height of an image.

A model is recorded twice, with inputs of different sizes. A number that is the same both times
is a constant; one that differs is a `Size`, which knows both. Arithmetic with it keeps both, so
that what is computed from sizes is again a constant or a Size.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from functools import reduce
from typing import Any


class Size(int):
    """A number that follows from the sizes of the inputs: its values in two recordings."""

    other: int


def paired(value: int, other: int) -> int:
    """The number that is `value` in the first recording and `other` in the second."""
    if value == other:
        return int(value)
    size = Size(value)
    size.other = int(other)
    return size


def in_second(number: int) -> int:
    """What a number is in the second recording."""
    return number.other if isinstance(number, Size) else number


def product(numbers: Iterable[int]) -> int:
    """The product of numbers, some of which may be Sizes."""
    return reduce(operator.mul, numbers, 1)


def same(a: int, b: int) -> bool:
    """Whether two numbers agree in both recordings."""
    return int(a) == int(b) and in_second(a) == in_second(b)


def _arithmetic(operation: Callable[[int, int], int]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def method(self: int, number: Any) -> Any:
        if not isinstance(number, int):
            return NotImplemented
        return paired(operation(int(self), int(number)), operation(in_second(self), in_second(number)))

    def swapped(self: int, number: Any) -> Any:
        if not isinstance(number, int):
            return NotImplemented
        return paired(operation(int(number), int(self)), operation(in_second(number), in_second(self)))

    return method, swapped


for _name in ("add", "sub", "mul", "floordiv", "mod"):
    _method, _swapped = _arithmetic(getattr(operator, _name))
    setattr(Size, f"__{_name}__", _method)
    setattr(Size, f"__r{_name}__", _swapped)
