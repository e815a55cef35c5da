"""Layers that only rearrange: flatten."""

from __future__ import annotations

from tinyconv.nn.module import Module
from tinyconv.ops import flatten
from tinyconv.tensor import Tensor


class Flatten(Module):
    """Join the dimensions from `start_dim` to `end_dim`: (N, C, H, W) to (N, C * H * W)."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Tensor) -> Tensor:
        return flatten(input, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"
