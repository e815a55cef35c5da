"""Tables of vectors looked up by number, and classes as vectors of zeros and a one."""

from __future__ import annotations

from typing import Any

from tinyconv.device import array_module, on_its_gpu
from tinyconv.errors import ArgumentError, DtypeError, ShapeError
from tinyconv.ops._checks import check_flags, check_float, check_same_device, check_tensor, is_int
from tinyconv.ops._unseen import classes_or_nan, unseen
from tinyconv.ops.elementwise import where
from tinyconv.ops.resample import take_rows
from tinyconv.tensor import Tensor

NO_CLASS = -(2**63)
"""What `one_hot` fills the vector of a number with that is no class: NaN as an int64."""


@on_its_gpu
def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Row `input` of the table `weight`, for every number in `input`.

    Parameters
    ----------
    input : Tensor
        Integers from 0 to num_embeddings - 1, of any shape. On a GPU the vector of another number is NaN;
        inside `autograd.detect_anomaly` it is an error, as on the CPU.
    weight : Tensor
        Shape (num_embeddings, embedding_dim).
    padding_idx : int, optional
        A row that gets no gradient; negative numbers count from the end.
    max_norm, norm_type, scale_grad_by_freq, sparse
        Not supported: `max_norm` must be None, the last two False.

    Returns
    -------
    Tensor
        Shape (\\*input, embedding_dim).

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> F.embedding(tc.tensor([2, 0]), tc.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])).tolist()
    [[5.0, 6.0], [1.0, 2.0]]
    """
    check_flags("embedding", scale_grad_by_freq=scale_grad_by_freq, sparse=sparse)
    op = "embedding"
    check_same_device(op, input, check_float(op, "weight", weight))
    if weight.ndim != 2:
        expected = "(num_embeddings, embedding_dim)"
        raise ShapeError(op, "weight", f"of shape {weight.shape}", expected)
    rows = weight.shape[0]
    if not unseen(_check_integers(op, "input", input)):
        _check_classes(op, input, rows)
    check_embedding_options(op, max_norm=max_norm, scale_grad_by_freq=scale_grad_by_freq, sparse=sparse)
    if unseen(input):
        taken = take_rows(weight, *classes_or_nan(input, rows, weight))
    else:
        taken = take_rows(weight, input.array.copy())  # input may be changed before backward
    if padding_idx is None:
        return taken
    is_padding = input.array == check_row(op, padding_idx, rows)
    return where(Tensor(is_padding[..., None]), taken.detach(), taken)


@on_its_gpu
def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """For every number c in `tensor` a vector of `num_classes` zeros with a one at c.

    Parameters
    ----------
    tensor : Tensor
        Integers from 0 to num_classes - 1, of any shape. On a GPU the vector of another number is filled with
        -2**63, what NaN is as int64; inside `autograd.detect_anomaly` it is an error, as on the CPU.
    num_classes : int
        Length of the vectors; -1 means one more than the largest number, for which Python waits for a GPU.

    Returns
    -------
    Tensor
        int64, shape (\\*tensor, num_classes).

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> F.one_hot(tc.tensor([0, 2])).tolist()
    [[1, 0, 0], [0, 0, 1]]
    """
    op = "one_hot"
    if not is_int(num_classes, -1) or num_classes == 0:
        raise ArgumentError(op, "num_classes", repr(num_classes), "an int >= 1, or -1")
    if num_classes == -1:
        if check_tensor(op, "tensor", tensor).numel() == 0:
            raise ShapeError(op, "tensor", f"of shape {tensor.shape}", "an element, or num_classes given")
        num_classes = max(int(tensor.array.max()) + 1, 1)
    if not unseen(_check_integers(op, "tensor", tensor)):
        _check_classes(op, tensor, int(num_classes), "tensor")
    module, numbers = array_module(tensor.array), tensor.array[..., None].astype("int64")
    hot = (numbers == module.arange(num_classes)).astype("int64")
    if unseen(tensor):
        hot = module.where((numbers < 0) | (numbers >= num_classes), NO_CLASS, hot)
    return Tensor(hot)


def check_embedding_options(op: str, **options: Any) -> None:
    """Options that tinyconv does not have are None or False."""
    for name, value in options.items():
        if value is not None and value is not False:
            raise ArgumentError(op, name, repr(value), "None or False: tinyconv does not have it")


def check_row(op: str, padding_idx: Any, rows: int) -> int:
    """`padding_idx` counted from the front."""
    if not is_int(padding_idx, -rows, rows - 1):
        raise ArgumentError(op, "padding_idx", repr(padding_idx), f"a row of the table, from 0 to {rows - 1}")
    return int(padding_idx) % rows


def _check_classes(op: str, input: Tensor, count: int, argument: str = "input") -> None:
    """`input` holds integers from 0 to count - 1."""
    if (
        _check_integers(op, argument, input).numel()
        and not 0 <= input.array.min() <= input.array.max() < count
    ):
        value = f"from {input.array.min()} to {input.array.max()}"
        raise ArgumentError(op, argument, value, f"numbers from 0 to {count - 1}")


def _check_integers(op: str, argument: str, input: Tensor) -> Tensor:
    if check_tensor(op, argument, input).dtype.kind not in "iu":
        raise DtypeError(op, argument, f"of dtype {input.dtype}", "integers")
    return input
