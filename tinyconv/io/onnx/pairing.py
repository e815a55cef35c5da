"""Two recordings of one model laid over each other: what is constant, what varies, and how."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.errors import UnsupportedError
from tinyconv.io.onnx.recording import Call, Recording, Value
from tinyconv.io.onnx.sizes import Size, paired


class Changed:
    """An argument that differs between two recordings, and is not a whole number."""

    def __init__(self, first: Any, second: Any) -> None:
        self.first, self.second = first, second


def pair(first: Recording, second: Recording) -> None:
    """Complete the values and arguments of `first` by what they are in `second`.

    Raises
    ------
    UnsupportedError
        If the model called other ops in the second run.
    """
    pairs: dict[Value, Value] = {}
    _match(first.inputs, second.inputs, pairs)
    for call, twin in zip(first.calls, second.calls, strict=False):
        if call.op is not twin.op and call.name != twin.name:
            raise _two_ways(call, twin)
        call.arguments = _match(call.arguments, twin.arguments, pairs)
        if len(call.outputs) != len(twin.outputs):
            raise _two_ways(call, twin)
        moving = any(varies(item) for item in leaves(call.arguments))
        for output, other in zip(call.outputs, twin.outputs, strict=True):
            _match(output, other, pairs)
            output.varies = moving or not _equal(output.array, output.other)
    if len(first.calls) != len(second.calls):
        longer = max(first, second, key=lambda recording: len(recording.calls))
        raise _two_ways(longer.calls[min(len(first.calls), len(second.calls))], None)
    first.result = _match(first.result, second.result, pairs)


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


def _match(first: Any, second: Any, pairs: dict[Value, Value]) -> Any:
    """The argument that is `first` in one recording and `second` in the other."""
    if isinstance(first, Value) and isinstance(second, Value):
        return _match_values(first, second, pairs)
    if type(first) is not type(second):
        return Changed(first, second)
    if isinstance(first, dict) and first.keys() == second.keys():
        return {key: _match(first[key], second[key], pairs) for key in first}
    if isinstance(first, list | tuple) and len(first) == len(second):
        return tuple(_match(a, b, pairs) for a, b in zip(first, second, strict=True))
    if isinstance(first, slice):
        ends = ((getattr(s, end) for end in ("start", "stop", "step")) for s in (first, second))
        return slice(*(_match(a, b, pairs) for a, b in zip(*ends, strict=True)))
    if isinstance(first, int) and not isinstance(first, bool):
        return paired(first, second)
    if isinstance(first, float | np.ndarray | np.generic):
        return first if _equal(np.asarray(first), np.asarray(second)) else Changed(first, second)
    return first if first is second or first == second else Changed(first, second)


def _match_values(first: Value, second: Value, pairs: dict[Value, Value]) -> Any:
    if first not in pairs:
        if second in pairs.values() or first.ndim != second.ndim or first.dtype != second.dtype:
            return Changed(first, second)
        pairs[first] = second
        first.other = second.array
        if first.maker is None:
            first.varies = first.varies or not _equal(first.array, first.other)
    return first if pairs[first] is second else Changed(first, second)


def _equal(first: Any, second: Any) -> bool:
    """Whether two arrays hold the same; not a number is the same as itself."""
    if first.shape != second.shape or first.dtype != second.dtype:
        return False
    return bool(np.array_equal(first, second, equal_nan=first.dtype.kind == "f"))


def _two_ways(call: Call, twin: Call | None) -> UnsupportedError:
    found = f"{call.where} for one input and {twin.where if twin else 'nothing'} for another"
    expected = "the same ops for every input: no `if` or loop that depends on its values or sizes"
    return UnsupportedError("export", "the model", f"calling {found}", expected)
