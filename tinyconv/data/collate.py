"""Joining samples into a batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from tinyconv.errors import DtypeError, ShapeError

Array = Any


def default_collate(samples: Sequence[Any]) -> Any:
    """Join samples of one structure into a batch of Tensors.

    Arrays and Tensors of shape S become one Tensor (N, *S), Python floats a Tensor (N,) of
    the default dtype, ints and bools one of int64 and bool. Tensors stay on their device; arrays and
    numbers make Tensors on the default one. Tuples, lists and dictionaries are joined entry by entry;
    strings stay a list.

    Raises
    ------
    ShapeError
        If the samples differ in shape or in number of entries.
    DtypeError
        If a sample is of a type that no Tensor can hold.

    Examples
    --------
    >>> import numpy as np
    >>> image, label = default_collate([(np.zeros((3, 8, 8), np.float32), 1)] * 4)
    >>> image.shape, label.shape
    ((4, 3, 8, 8), (4,))
    """
    from tinyconv.ops.creation import as_tensor, from_numpy

    def wrap(array: Array, of_tensors: bool) -> Any:
        return from_numpy(array) if of_tensors else as_tensor(array)

    return join(samples, wrap)


def collate_arrays(samples: Sequence[Any]) -> Any:
    """`default_collate` with NumPy arrays in place of Tensors."""
    return join(samples, lambda array, of_tensors: array)


class OfTensors(NamedTuple):
    """What CPU tensors were joined to, on its way from another process: no Tensor is sent."""

    array: Array


def collate_to_send(samples: Sequence[Any]) -> Any:
    """`default_collate` in another process, for `to_tensors` in this one."""
    return join(samples, lambda array, of_tensors: OfTensors(array) if of_tensors else array)


def to_tensors(batch: Any, on_host: bool) -> Any:
    """What `collate_arrays` or `collate_to_send` made, with Tensors in place of arrays.

    Arrays go to the default device, unless all is to be on the host; what was joined of tensors stays there.
    """
    from tinyconv.ops.creation import as_tensor, from_numpy

    if isinstance(batch, OfTensors):
        return from_numpy(batch.array)
    if isinstance(batch, np.ndarray):
        return from_numpy(batch) if on_host else as_tensor(batch)
    if isinstance(batch, Mapping):
        return {key: to_tensors(entry, on_host) for key, entry in batch.items()}
    return tuple(to_tensors(entry, on_host) for entry in batch) if isinstance(batch, tuple) else batch


def after_method(batch: Any, name: str, *args: Any, **options: Any) -> Any:
    """A batch whose tensors, and whatever else has a method of this name, are what it returns."""
    if hasattr(batch, name):
        return getattr(batch, name)(*args, **options)

    def again(entry: Any) -> Any:
        return after_method(entry, name, *args, **options)

    if isinstance(batch, Mapping):
        return {key: again(entry) for key, entry in batch.items()}
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*map(again, batch))
    return type(batch)(map(again, batch)) if type(batch) in (tuple, list) else batch


def join(samples: Sequence[Any], wrap: Callable[[Array, bool], Any]) -> Any:
    """Stack arrays and numbers over the samples, entry by entry, and `wrap` each stack.

    It is told whether they were tensors.
    """
    first = samples[0]
    if isinstance(first, str | bytes):
        return list(samples)
    if isinstance(first, Mapping):
        return {key: join([sample[key] for sample in samples], wrap) for key in first}
    if isinstance(first, tuple | list):
        _check_same([len(sample) for sample in samples], "number of entries")
        return tuple(join(entries, wrap) for entries in zip(*samples, strict=True))
    if _is_on_a_gpu(first):
        from tinyconv.ops.arrangement import stack

        _check_same([sample.shape for sample in samples], "shape")
        return stack(samples)
    return wrap(_stack([_as_array(sample) for sample in samples]), _is_tensor(first))


def _is_tensor(sample: Any) -> bool:
    from tinyconv.tensor import Tensor

    return isinstance(sample, Tensor)


def _is_on_a_gpu(sample: Any) -> bool:
    return _is_tensor(sample) and bool(sample.device != "cpu")


def _as_array(sample: Any) -> Array:
    """The NumPy array of an array, a Tensor or a number."""
    if isinstance(sample, np.ndarray):
        return sample
    if isinstance(sample, float):
        from tinyconv.device import default_dtype

        return np.asarray(sample, dtype=default_dtype.get())
    if isinstance(sample, bool | int | np.generic):
        return np.asarray(sample)
    if hasattr(sample, "numpy"):
        return sample.numpy()
    expected = "an array, Tensor, number, str, tuple, list or dict"
    raise DtypeError("collate", "a sample", type(sample).__name__, expected)


def _stack(arrays: list[Array]) -> Array:
    _check_same([array.shape for array in arrays], "shape")
    return np.stack(arrays)


def _check_same(values: list[Any], what: str) -> None:
    for position, value in enumerate(values):
        if value != values[0]:
            argument = f"the {what} of sample {position} of the batch"
            raise ShapeError("collate", argument, value, f"{values[0]}, as the first has")
