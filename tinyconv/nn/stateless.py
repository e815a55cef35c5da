"""Layers that only rearrange: flatten and its inverse."""

from __future__ import annotations

from tinyconv.errors import ArgumentError
from tinyconv.nn.module import Module
from tinyconv.ops import flatten, unflatten
from tinyconv.ops._checks import is_int
from tinyconv.tensor import Tensor


class Unflatten(Module):
    """One dimension divided into several: ``Unflatten(1, (C, H, W))`` makes (N, C, H, W) of (N, C * H * W).

    Parameters
    ----------
    dim : int
    unflattened_size : tuple of int
        The sizes; one of them may be -1.
    """

    def __init__(self, dim: int, unflattened_size: tuple[int, ...]) -> None:
        super().__init__()
        if not isinstance(unflattened_size, list | tuple) or not all(map(is_int, unflattened_size)):
            raise ArgumentError("Unflatten", "unflattened_size", repr(unflattened_size), "a tuple of ints")
        self.dim, self.unflattened_size = dim, tuple(unflattened_size)

    def forward(self, input: Tensor) -> Tensor:
        return unflatten(input, self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


class Flatten(Module):
    """Join the dimensions from `start_dim` to `end_dim`: (N, C, H, W) to (N, C * H * W)."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Tensor) -> Tensor:
        return flatten(input, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"
