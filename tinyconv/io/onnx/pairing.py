"""Recordings of one model laid over each other: what is constant, what varies, and how."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.errors import UnsupportedError
from tinyconv.io.onnx.recording import Call, Recording, Value
from tinyconv.io.onnx.sizes import Size, size


class Changed:
    """An argument that differs between recordings, and is not a whole number."""

    def __init__(self, items: tuple[Any, ...]) -> None:
        self.items = items


Pairs = dict[Value, tuple[Value, ...]]
"""For each value of the first recording what it is in all of them."""


def pair(first: Recording, others: list[Recording]) -> None:
    """Complete the values and arguments of `first` by what they are in the other recordings.

    Raises
    ------
    UnsupportedError
        If the model called other ops in one of them.
    """
    pairs: Pairs = {}
    runs = [recording.calls for recording in (first, *others)]
    _match(tuple(recording.inputs for recording in (first, *others)), pairs)
    for calls in zip(*runs, strict=False):
        call, *twins = calls
        for twin in twins:
            if call.name != twin.name or len(call.outputs) != len(twin.outputs):
                raise _two_ways(call, twin)
        call.arguments = _match(tuple(each.arguments for each in calls), pairs)
        moving = any(varies(item) for item in leaves(call.arguments))
        for outputs in zip(*(each.outputs for each in calls), strict=True):
            _match(outputs, pairs)
            outputs[0].varies = moving or not _equal(outputs[0].arrays)
    if len({len(run) for run in runs}) > 1:
        raise _two_ways(max(runs, key=len)[min(map(len, runs))], None)
    first.result = _match(tuple(recording.result for recording in (first, *others)), pairs)


def leaves(item: Any) -> list[Any]:
    """What is in nested arguments, slices too."""
    if isinstance(item, dict):
        item = tuple(item.values())
    if isinstance(item, slice):
        item = (item.start, item.stop, item.step)
    if isinstance(item, list | tuple):
        return [leaf for part in item for leaf in leaves(part)]
    return [item]


def varies(item: Any) -> bool:
    """Whether an argument depends on the inputs."""
    return item.varies if isinstance(item, Value) else isinstance(item, Size | Changed)


def _match(items: tuple[Any, ...], pairs: Pairs) -> Any:
    """The argument that is each of `items` in one of the recordings."""
    first = items[0]
    if any(type(item) is not type(first) for item in items):
        return Changed(items)
    if isinstance(first, Value):
        return _match_values(items, pairs)
    if isinstance(first, dict) and all(item.keys() == first.keys() for item in items):
        return {key: _match(tuple(item[key] for item in items), pairs) for key in first}
    if isinstance(first, list | tuple) and len({len(item) for item in items}) == 1:
        return tuple(_match(parts, pairs) for parts in zip(*items, strict=True))
    if isinstance(first, slice):
        ends = zip(*((item.start, item.stop, item.step) for item in items), strict=True)
        return slice(*(_match(end, pairs) for end in ends))
    if isinstance(first, int) and not isinstance(first, bool):
        return size(items)
    if isinstance(first, float | np.ndarray | np.generic):
        return first if _equal([np.asarray(item) for item in items]) else Changed(items)
    return first if all(item is first or item == first for item in items) else Changed(items)


def _match_values(values: tuple[Value, ...], pairs: Pairs) -> Any:
    first = values[0]
    if first not in pairs:
        if len({(value.ndim, value.dtype) for value in values}) > 1:
            return Changed(values)
        pairs[first] = values
        first.arrays = [value.array for value in values]
        if first.maker is None:
            first.varies = first.varies or not _equal(first.arrays)
    return first if pairs[first] == values else Changed(values)


def _equal(arrays: list[Any]) -> bool:
    """Whether all arrays hold the same; not a number is the same as itself."""
    first = arrays[0]
    return all(
        array.shape == first.shape
        and array.dtype == first.dtype
        and np.array_equal(array, first, equal_nan=first.dtype.kind == "f")
        for array in arrays[1:]
    )


def _two_ways(call: Call, twin: Call | None) -> UnsupportedError:
    found = f"{call.where} for one input and {twin.where if twin else 'nothing'} for another"
    expected = "the same ops for every input: no `if` or loop that depends on its values or sizes"
    return UnsupportedError("export", "the model", f"calling {found}", expected)
