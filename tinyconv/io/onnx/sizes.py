"""Sizes that are not known when a model is exported: the batch, or the height of an image.

A model is recorded several times, with inputs of different sizes. A number that is the same every time
is a constant; one that differs is a `Size`, which knows all its values. Arithmetic with it keeps them,
so that what is computed from sizes is again a constant or a Size.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from functools import reduce
from typing import Any


class Size(int):
    """A number that follows from the sizes of the inputs: its values in all recordings.

    As an int it is the first of them, that of the example.
    """

    values: tuple[int, ...]


def size(values: Iterable[int]) -> int:
    """The number that has these values in the recordings."""
    every = tuple(int(n) for n in values)
    if len(set(every)) == 1:
        return every[0]
    number = Size(every[0])
    number.values = every
    return number


def product(numbers: Iterable[int]) -> int:
    """The product of numbers, some of which may be Sizes."""
    return reduce(operator.mul, numbers, 1)


def same(a: int, b: int) -> bool:
    """Whether two numbers agree in all recordings."""
    return int(a) == int(b) and getattr(a, "values", None) == getattr(b, "values", None)


def _arithmetic(operation: Callable[[int, int], int]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def method(self: Size, number: Any) -> Any:
        if not isinstance(number, int):
            return NotImplemented
        return size(map(operation, self.values, _values(number, self)))

    def swapped(self: Size, number: Any) -> Any:
        if not isinstance(number, int):
            return NotImplemented
        return size(map(operation, _values(number, self), self.values))

    return method, swapped


def _values(number: int, like: Size) -> tuple[int, ...]:
    return number.values if isinstance(number, Size) else (number,) * len(like.values)


for _name in ("add", "sub", "mul", "floordiv", "mod"):
    _method, _swapped = _arithmetic(getattr(operator, _name))
    setattr(Size, f"__{_name}__", _method)
    setattr(Size, f"__r{_name}__", _swapped)
