"""Mixed precision, by PyTorch's names: `autocast`, and `GradScaler` for scripts that use one.

Every tensor of tinyconv has 32 or 64 bits. What is mixed is the arithmetic: a matrix unit of a GPU
multiplies numbers of 16 bits several times as fast as those of 32, and adds the products up in 32.
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
