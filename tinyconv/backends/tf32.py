"""PyTorch's switch `allow_tf32`, in each of the places where scripts look for it."""

from __future__ import annotations

from tinyconv.device import matmul_precision
from tinyconv.errors import ArgumentError


class Tf32:
    """Something with an attribute `allow_tf32`.

    PyTorch has one switch for convolutions (on) and one for matrix products (off). Here both are the
    setting of `tinyconv.set_float32_matmul_precision`, which holds for all products: off, until it is set.
    """

    @property
    def allow_tf32(self) -> bool:
        """Whether the factors of float32 products may be rounded to TF32, or to less."""
        return matmul_precision.get() != "float32"

    @allow_tf32.setter
    def allow_tf32(self, value: bool) -> None:
        if not isinstance(value, bool):
            raise ArgumentError("backends", "allow_tf32", repr(value), "True or False")
        if value != self.allow_tf32:
            matmul_precision.set("tf32" if value else "float32")
