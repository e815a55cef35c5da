"""`autocast`: products of numbers with fewer bits, in a block."""

from __future__ import annotations

import contextlib
import warnings
from types import TracebackType

from tinyconv.cuda import is_available
from tinyconv.device import Device, matmul_precision
from tinyconv.errors import ArgumentError, DtypeError

PRECISIONS = {"highest": "float32", "high": "tf32", "medium": "bfloat16"}
"""What `set_float32_matmul_precision` calls them."""


class autocast(contextlib.ContextDecorator):  # noqa: N801 - PyTorch's name
    """Multiply in bfloat16 in this block (or decorated function), and in the way back through it.

    The factors of convolutions, transposed convolutions, linear layers and matrix products of float32 are
    rounded to bfloat16: the 8 bits of the exponent stay, of the 24 significant bits 8 are left. Their
    products are added up in float32. All else is as outside of the block: weights, gradients, losses,
    normalisation, and the dtype of every tensor.

    Parameters
    ----------
    device_type : {"cuda", "cpu"}
        On a GPU it lets tensor cores multiply. On the CPU it shows the same rounding, and takes longer.
        ``"cuda"`` on a machine without a GPU changes nothing, and a warning says so.
    dtype : optional
        ``tc.bfloat16``, the only one.
    enabled : bool
        With False the block multiplies in float32, also within another block.
    cache_enabled : bool, optional
        PyTorch's, for rounded weights that are kept; changes nothing here.

    Raises
    ------
    ArgumentError, DtypeError
        For another device or dtype.

    Notes
    -----
    PyTorch rounds the result of each of these layers as well, which is then a tensor of bfloat16. Here it
    stays float32. bfloat16 has the range of float32, so that no loss needs to be scaled; see `GradScaler`.

    Examples
    --------
    >>> import tinyconv as tc
    >>> x = tc.tensor([[1 + 2**-9]])
    >>> with tc.autocast("cpu"):
    ...     (x @ tc.ones(1, 1)).item()
    1.0
    >>> (x @ tc.ones(1, 1)).item()
    1.001953125
    """

    def __init__(
        self, device_type: str, dtype: object = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        del cache_enabled
        self.device_type = Device(device_type).type
        if dtype not in (None, "bfloat16"):
            raise DtypeError("autocast", "dtype", repr(dtype), "tc.bfloat16, which needs no scaled loss")
        if not isinstance(enabled, bool):
            raise ArgumentError("autocast", "enabled", repr(enabled), "True or False")
        if enabled and self.device_type == "cuda" and not is_available():
            warnings.warn("tc.autocast('cuda') changes nothing: there is no GPU", UserWarning, stacklevel=2)
            self._precision = None
        else:
            self._precision = "bfloat16" if enabled else "float32"
        self._before: list[str] = []

    def __enter__(self) -> autocast:
        self._before.append(matmul_precision.get())
        if self._precision is not None:
            matmul_precision.set(self._precision)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        matmul_precision.set(self._before.pop())


def is_autocast_enabled(device_type: str | None = None) -> bool:
    """Whether products are in bfloat16 now; the setting is the same for all devices."""
    if device_type is not None:
        Device(device_type)
    return matmul_precision.get() == "bfloat16"


def set_float32_matmul_precision(precision: str) -> None:
    """Set what the factors of float32 products are rounded to, until it is set again.

    Parameters
    ----------
    precision : {"highest", "high", "medium"}
        Nothing (24 significant bits), TF32 (11 bits) or bfloat16 (8 bits). PyTorch leaves the choice of the
        format to the device; here the CPU rounds as a GPU does.

    Raises
    ------
    ArgumentError
        If there is no such precision.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.set_float32_matmul_precision("high")
    >>> (tc.tensor([[1 + 2**-12]]) @ tc.ones(1, 1)).item()
    1.0
    >>> tc.set_float32_matmul_precision("highest")
    """
    if not isinstance(precision, str) or precision not in PRECISIONS:
        expected = " or ".join(map(repr, PRECISIONS))
        raise ArgumentError("set_float32_matmul_precision", "precision", repr(precision), expected)
    matmul_precision.set(PRECISIONS[precision])


def get_float32_matmul_precision() -> str:
    """What `set_float32_matmul_precision` has set."""
    return next(name for name, value in PRECISIONS.items() if value == matmul_precision.get())
