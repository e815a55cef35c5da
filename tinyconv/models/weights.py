"""What several families need for their first weights."""

from __future__ import annotations

from tinyconv.nn import Module, init


def fill_bias(layer: Module, value: float = 0.0) -> None:
    """Fill the bias of a layer with one number, if it has a bias."""
    if layer.bias is not None:
        init.constant_(layer.bias, value)
