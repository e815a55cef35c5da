"""PyTorch's switches for products on a GPU."""

from __future__ import annotations

from tinyconv.backends.tf32 import Tf32


class _Matmul(Tf32):
    """``tc.backends.cuda.matmul``: has `allow_tf32`."""


matmul = _Matmul()
