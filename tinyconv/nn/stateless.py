"""Layers without parameters: dropout, flatten."""

from __future__ import annotations

from tinyconv.errors import ArgumentError
from tinyconv.nn import functional as F
from tinyconv.nn.module import Module
from tinyconv.ops import flatten
from tinyconv.tensor import Tensor


class Dropout(Module):
    """In training, set each element to zero with probability `p` and scale up the others."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if not isinstance(p, int | float) or not 0 <= p <= 1:
            raise ArgumentError("Dropout", "p", repr(p), "a probability between 0 and 1")
        self.p = p

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}"


class Flatten(Module):
    """Join the dimensions from `start_dim` to `end_dim`: (N, C, H, W) to (N, C * H * W)."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Tensor) -> Tensor:
        return flatten(input, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"
