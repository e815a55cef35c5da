"""Inputs other than the example: with other values, and other sizes where these may vary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tinyconv.errors import ArgumentError
from tinyconv.tensor import Tensor

Axes = dict[int, str]
"""The axes of an input whose sizes may vary, with the names of these sizes."""

FACTORS = ((2, 3, 5), (3, 2, 4))
"""What sizes but the batch are multiplied by in each round, so that they stay multiples of what they were."""


def named_axes(dynamic_axes: Any, names: list[str], inputs: list[Tensor]) -> list[Axes]:
    """The axes that the argument `dynamic_axes` of `export` means, for each input.

    Those of outputs follow from them, and are not looked at.
    """
    if not isinstance(dynamic_axes, Mapping):
        kind = type(dynamic_axes).__name__
        raise ArgumentError("export", "dynamic_axes", f"a {kind}", "a dict such as {'input': {0: 'batch'}}")
    found: list[Axes] = []
    sizes: dict[str, int] = {}
    for name, x in zip(names, inputs, strict=True):
        given = dynamic_axes.get(name, {})
        items = given.items() if isinstance(given, Mapping) else [(i, f"{name}_{i}") for i in given]
        found.append({})
        for axis, label in items:
            if not isinstance(axis, int) or not -x.ndim <= axis < x.ndim or not isinstance(label, str):
                expected = f"axes of an input of shape {x.shape}, and names"
                raise ArgumentError("export", f"dynamic_axes[{name!r}]", repr(given), expected)
            size = x.shape[axis]
            if sizes.setdefault(label, size) != size:
                value = f"{sizes[label]} and {size}"
                raise ArgumentError("export", f"the size of {label!r}", value, "one size for one name")
            found[-1][axis % x.ndim] = label
    return found


def other_inputs(inputs: list[Tensor], axes: list[Axes], number: int) -> Iterator[list[Tensor]]:
    """Inputs to try: of both signs, then of the example's range, then its own values in another order.

    Those of different `number` (0 or 1) have different sizes.
    """
    sizes = _other_sizes(inputs, axes, number)
    shapes = [
        tuple(sizes[named[i]] if i in named else n for i, n in enumerate(x.shape))
        for x, named in zip(inputs, axes, strict=True)
    ]
    for change in (_drawn, _smaller, lambda values, *_: values):
        generator = np.random.default_rng(number)
        yield [
            Tensor(_resized(x.array, shape, change, generator, number))
            for x, shape in zip(inputs, shapes, strict=True)
        ]


def _other_sizes(inputs: list[Tensor], axes: list[Axes], number: int) -> dict[str, int]:
    sizes: dict[str, int] = {}
    factors = iter(FACTORS[number] * 8)
    for x, named in zip(inputs, axes, strict=True):
        for axis, label in sorted(named.items()):
            if label not in sizes:
                n = x.shape[axis]
                sizes[label] = (n + 1, 2 * n + 3)[number] if axis == 0 else max(n, 1) * next(factors)
    return sizes


def _resized(
    array: Any, shape: tuple[int, ...], change: Any, generator: np.random.Generator, number: int
) -> Any:
    if array.size == 0:
        return np.zeros(shape, array.dtype)
    values = np.resize(generator.permutation(array.reshape(-1)), shape)
    return change(values, generator, number).astype(array.dtype) if array.dtype.kind == "f" else values


def _drawn(values: Any, generator: np.random.Generator, number: int) -> Any:
    """New numbers of both signs, most of them negative, or most of them positive."""
    scale = np.abs(values[np.isfinite(values)]).max(initial=0) or 1.0
    return generator.uniform(-scale, scale / 4, values.shape) * (1 - 2 * number)


def _smaller(values: Any, generator: np.random.Generator, number: int) -> Any:
    return values * generator.uniform(0.5, 1, values.shape)
