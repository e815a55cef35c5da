"""Functions that make tensors of random numbers.

All draw from the generator that `tinyconv.manual_seed` sets, or from ``generator``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinyconv.device import check_dtype, device_of, int64, to_device
from tinyconv.errors import ArgumentError, DtypeError, ShapeError
from tinyconv.generator import numpy_generator
from tinyconv.ops._checks import (
    broadcast_shape,
    check_flags,
    check_float,
    check_int,
    check_number,
    check_tensor,
    is_int,
)
from tinyconv.ops.creation import _dtype, _place, _shape
from tinyconv.recorder import repeated
from tinyconv.tensor import Tensor

if TYPE_CHECKING:
    from tinyconv.generator import Generator


@repeated
def rand(
    *size: Any,
    generator: Generator | None = None,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Random numbers, uniform in [0, 1)."""
    check_flags("rand", requires_grad=requires_grad)
    values = numpy_generator("rand", generator).random(_shape("rand", size))
    return _place(np.asarray(values).astype(_float("rand", dtype)), device, requires_grad)


@repeated
def randn(
    *size: Any,
    generator: Generator | None = None,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Random numbers, normal with mean 0 and variance 1."""
    check_flags("randn", requires_grad=requires_grad)
    values = numpy_generator("randn", generator).standard_normal(_shape("randn", size))
    return _place(np.asarray(values).astype(_float("randn", dtype)), device, requires_grad)


@repeated
def randint(
    low: int,
    high: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Random whole numbers from `low` up to, not including, `high`; from 0 with ``randint(high, size)``.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.randint(3, (2, 4)).shape, tc.randint(5, 6, (2,)).tolist()
    ((2, 4), [5, 5])
    """
    check_flags("randint", requires_grad=requires_grad)
    if high is None or isinstance(high, tuple | list):
        low, high, size = 0, low, high if size is None else size
    shape = _shape("randint", (size if isinstance(size, tuple | list) else (size,),))
    values = _integers("randint", low, high, shape, generator)
    target = int64 if dtype is None else check_dtype("randint", dtype)
    return _place(values.astype(target), device, requires_grad)


@repeated
def randperm(
    n: int, *, generator: Generator | None = None, dtype: Any = None, device: str | None = None
) -> Tensor:
    """The numbers from 0 to n - 1 in random order, int64 if no `dtype` is given."""
    count = check_int("randperm", "n", n, 0)
    target = int64 if dtype is None else check_dtype("randperm", dtype)
    return _place(numpy_generator("randperm", generator).permutation(count).astype(target), device, False)


@repeated
def normal(
    mean: Any,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Random numbers, normal with the given means and standard deviations.

    Parameters
    ----------
    mean, std : number or Tensor
        Tensors broadcast; the result has their shape.
    size : tuple of int, optional
        The shape, where both are numbers.
    """
    check_flags("normal", requires_grad=requires_grad)
    given = []
    for argument, value in (("mean", mean), ("std", std)):
        if isinstance(value, Tensor):
            given.append(check_float("normal", argument, value))
        else:
            check_number("normal", argument, value)
    if given and size is not None:
        raise ArgumentError("normal", "size", repr(size), "None, where mean or std is a Tensor")
    spread, centre = (to_device(x.array, "cpu") if isinstance(x, Tensor) else x for x in (std, mean))
    if not np.all(np.asarray(spread) >= 0):
        raise ArgumentError("normal", "std", "negative somewhere", "numbers >= 0")
    shape = broadcast_shape("normal", *(x.shape for x in given)) if given else _shape("normal", (size,))
    values = np.asarray(numpy_generator("normal", generator).standard_normal(shape))
    target = given[0].dtype if given and dtype is None else _float("normal", dtype)
    place = device_of(given[0].array) if given and device is None else device
    return _place(np.asarray(values * spread + centre).astype(target), place, requires_grad)


@repeated
def bernoulli(input: Tensor, *, generator: Generator | None = None) -> Tensor:
    """1 with the probabilities `input`, else 0.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.bernoulli(tc.tensor([0.0, 1.0])).tolist()
    [0.0, 1.0]
    """
    array = check_float("bernoulli", "input", input).array
    if not bool(((array >= 0) & (array <= 1)).all()):
        raise ArgumentError("bernoulli", "input", "outside [0, 1] somewhere", "probabilities")
    draws = np.asarray(numpy_generator("bernoulli", generator).random(input.shape))
    return Tensor((to_device(draws, device_of(array)) < array).astype(input.dtype))


@repeated
def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """`num_samples` numbers of columns, drawn with probabilities in proportion to the weights `input`.

    Parameters
    ----------
    input : Tensor
        Shape (columns,) or (rows, columns), numbers >= 0, not all 0 in a row.
    num_samples : int
    replacement : bool
        Whether a column may be drawn twice for a row.
    generator : Generator, optional

    Returns
    -------
    Tensor
        int64, shape (num_samples,) or (rows, num_samples).
    """
    check_flags("multinomial", replacement=replacement)
    weights = to_device(check_float("multinomial", "input", input).array, "cpu").astype("float64")
    if weights.ndim not in (1, 2):
        raise ShapeError("multinomial", "input", f"of shape {input.shape}", "(columns,) or (rows, columns)")
    rows = weights if weights.ndim == 2 else weights[None]
    if not (rows.shape[1] and np.isfinite(rows).all() and (rows >= 0).all() and (rows.sum(1) > 0).all()):
        raise ArgumentError("multinomial", "input", "no weights", "numbers >= 0, not all 0 in a row")
    most = None if replacement else int(np.count_nonzero(rows, axis=1).min(initial=rows.shape[1]))
    is_count = isinstance(num_samples, int) and not isinstance(num_samples, bool) and num_samples > 0
    if not is_count or (most is not None and num_samples > most):
        expected = "an int >= 1" + ("" if most is None else f" and, without replacement, <= {most}")
        raise ArgumentError("multinomial", "num_samples", repr(num_samples), expected)
    source = numpy_generator("multinomial", generator)
    drawn = [source.choice(row.size, num_samples, replacement, row / row.sum()) for row in rows]
    shape = (*weights.shape[:-1], num_samples)
    return Tensor(to_device(np.asarray(drawn, "int64").reshape(shape), device_of(input.array)))


@repeated
def rand_like(
    input: Tensor, dtype: Any = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """Random numbers, uniform in [0, 1), with the shape, dtype and device of `input`."""
    check_flags("rand_like", requires_grad=requires_grad)
    values = numpy_generator("rand_like").random(check_tensor("rand_like", "input", input).shape)
    return _like("rand_like", input, values, dtype, device, requires_grad)


@repeated
def randn_like(
    input: Tensor, dtype: Any = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """Random numbers, normal with mean 0 and variance 1, with the shape, dtype and device of `input`."""
    check_flags("randn_like", requires_grad=requires_grad)
    values = numpy_generator("randn_like").standard_normal(check_tensor("randn_like", "input", input).shape)
    return _like("randn_like", input, np.asarray(values), dtype, device, requires_grad)


@repeated
def randint_like(
    input: Tensor,
    low: int,
    high: int | None = None,
    *,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Random whole numbers as from `randint`, with the shape, dtype and device of `input`."""
    check_flags("randint_like", requires_grad=requires_grad)
    first, end = (0, low) if high is None else (low, high)
    shape = check_tensor("randint_like", "input", input).shape
    values = _integers("randint_like", first, end, shape, None)
    target = input.dtype if dtype is None else check_dtype("randint_like", dtype)
    place = device_of(input.array) if device is None else device
    return Tensor(to_device(values.astype(target), place), requires_grad)


def _integers(op: str, low: Any, high: Any, shape: tuple[int, ...], generator: Any) -> Any:
    for argument, value in (("low", low), ("high", high)):
        if not is_int(value, -(2**62), 2**62):
            raise ArgumentError(op, argument, repr(value), "an int")
    if high <= low:
        raise ArgumentError(op, "high", high, f"an int > low = {low}")
    return np.asarray(numpy_generator(op, generator).integers(low, high, shape))


def _float(op: str, dtype: Any) -> np.dtype[Any]:
    target = _dtype(op, dtype)
    if target.kind != "f":
        raise DtypeError(op, "dtype", target, "float32 or float64")
    return target


def _like(op: str, input: Tensor, values: Any, dtype: Any, device: str | None, requires_grad: bool) -> Tensor:
    target = input.dtype if dtype is None else check_dtype(op, dtype)
    if target.kind != "f":
        raise ArgumentError(op, "dtype", target, "float32 or float64")
    array = to_device(np.asarray(values).astype(target), device_of(input.array) if device is None else device)
    return Tensor(array, requires_grad)
