"""Listening to the ops as they are applied, and what a captured step cannot learn from them.

`listening` tells of each op. A captured step (`tinyconv.capture`) needs more: some functions work on
arrays outside of any op. They are marked here, with what the captured step does in their place.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from tinyconv.device import on_its_gpu
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


F = TypeVar("F", bound=Callable[..., Any])


def _marked(how: str) -> Callable[[F], F]:
    def mark(function: F) -> F:
        on_gpu = on_its_gpu(function)

        @functools.wraps(function)
        def call(*args: Any, **options: Any) -> Any:
            capture = _grad_mode.capture
            if capture is None:
                return function(*args, **options) if "cupy" not in sys.modules else on_gpu(*args, **options)
            return getattr(capture, how)(function if "cupy" not in sys.modules else on_gpu, args, options)

        return call  # type: ignore[return-value]

    return mark


repeated = _marked("repeat")
"""Decorates what changes something besides its result: a captured step calls it again each time."""

computed = _marked("compute")
"""Decorates what computes new arrays from those of tensors, and does nothing else."""

constant = _marked("keep")
"""Decorates what depends on numbers, shapes and dtypes alone: a captured step keeps the first result."""

looked_up = _marked("look_up")
"""Decorates what reads values to find out how many there are: a captured step calls it first of all,
and does not go on where the shapes of the result have changed."""
