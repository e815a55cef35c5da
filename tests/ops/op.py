"""An op as the tests see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.ops.cases import Case


@dataclass(frozen=True)
class Op:
    """One differentiable function.

    `twin` takes the torch module, then what `call` takes; None where PyTorch has no such thing.
    """

    name: str
    call: Callable[..., Any]
    cases: st.SearchStrategy[Case]
    twin: Callable[..., Any] | None

    def __repr__(self) -> str:
        return self.name


def functional(name: str) -> Callable[..., Any]:
    """The function of this name in torch.nn.functional."""
    return lambda torch, *inputs, **options: getattr(torch.nn.functional, name)(*inputs, **options)


def method(name: str) -> Callable[..., Any]:
    """The function of this name in torch."""
    return lambda torch, *inputs, **options: getattr(torch, name)(*inputs, **options)
