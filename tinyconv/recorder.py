"""Listening to the ops as they are applied."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from tinyconv.grad_mode import _grad_mode

if TYPE_CHECKING:
    from tinyconv.function import Function
    from tinyconv.tensor import Tensor

Listener = Callable[["type[Function]", "tuple[Any, ...]", "tuple[Tensor, ...]"], None]
"""Gets the op, its inputs as they were passed to `apply`, and its outputs."""


@contextlib.contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """In this block, call ``listener(op, inputs, outputs)`` after each `Function.apply` of this thread.

    An op that applies others in its forward comes after them. A listener that was there before
    waits until the end of the block.

    Examples
    --------
    >>> import tinyconv as tc
    >>> from tinyconv.recorder import listening
    >>> names = []
    >>> with listening(lambda op, inputs, outputs: names.append(op.__name__)):
    ...     (tc.ones(2) * 3).sum()
    tensor(6.)
    >>> names
    ['Mul', 'Sum']
    """
    before = _grad_mode.recorder
    _grad_mode.recorder = listener
    try:
        yield
    finally:
        _grad_mode.recorder = before
