"""Mixed precision, by PyTorch's names: `autocast`, and `GradScaler` for scripts that use one.

Every tensor of tinyconv has 32 or 64 bits. What is mixed is the arithmetic: the tensor
cores of a GPU multiply numbers of 16 bits, and add the products up in 32.
"""

from tinyconv.amp.autocast_mode import (
    autocast,
    get_float32_matmul_precision,
    is_autocast_enabled,
    set_float32_matmul_precision,
)
from tinyconv.amp.grad_scaler import GradScaler

__all__ = [
    "GradScaler",
    "autocast",
    "get_float32_matmul_precision",
    "is_autocast_enabled",
    "set_float32_matmul_precision",
]
