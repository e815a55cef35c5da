"""Where a NaN or an infinity came from: the input, a weight, or the first op that made one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinyconv.anomaly import calling_line, detect_anomaly
from tinyconv.device import get_rng_state, set_rng_state
from tinyconv.errors import GraphError
from tinyconv.nn import Module
from tinyconv.recorder import listening
from tinyconv.tensor import Tensor


def explain(
    model: Module,
    compute: Callable[[Any, Any], Tensor],
    batch: tuple[Any, Any],
    random_state: dict[str, Any],
) -> str:
    """Say what is not finite first in the forward and backward of a batch, by doing them again.

    The model's gradients are gone afterwards; its weights, its buffers and the random generators
    are as they were.

    Parameters
    ----------
    model : Module
    compute : callable
        Called with (input, target); returns the loss.
    batch : tuple
        (input, target).
    random_state : dict
        What `get_rng_state` returned before the first forward: dropout drops the same.

    Examples
    --------
    >>> import tinyconv as tc
    >>> model = tc.nn.Linear(1, 1)
    >>> batch = (tc.ones(1, 1), None)
    >>> reason = explain(model, lambda x, _: (model(x) * 0).log().sum(), batch, tc.get_rng_state())
    >>> reason.partition(",")[0].partition(" at ")[0]
    'made first by Log'
    """
    for name, value in zip(("input", "target"), batch, strict=True):
        if _is_bad(value):
            return f"already so in the {name} of the batch"
    bad = [name for name, parameter in model.named_parameters() if _is_bad(parameter)]
    if bad:
        return f"already so in the model's {', '.join(bad[:3])}, since an earlier step"
    return _again(model, compute, batch, random_state)


def _again(model: Module, compute: Any, batch: tuple[Any, Any], random_state: dict[str, Any]) -> str:
    """The first op of a second try whose result is not finite, though all that it got was."""
    found: list[str] = []

    def listen(op: Any, inputs: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        if not found and any(map(_is_bad, outputs)) and not any(map(_is_bad, inputs)):
            found.append(f"made first by {op.__name__} at {calling_line()}")

    buffers = [(buffer, buffer.array.copy()) for buffer in model.buffers()]
    after = get_rng_state()
    set_rng_state(random_state)
    try:
        with detect_anomaly(), listening(listen):
            value = compute(*batch)
        if not found:
            with detect_anomaly():
                value.backward()
            bad = [name for name, parameter in model.named_parameters() if _is_bad(parameter.grad)]
            found += [f"infinite in that of {name}, which no NaN led to" for name in bad[:1]]
    except GraphError as error:
        return f"made first in {error}".replace(", expected numbers", "", 1)
    finally:
        set_rng_state(after)
        model.zero_grad()
        for buffer, before in buffers:
            buffer.array[...] = before
    return found[0] if found else "it was finite in a second try"


def _is_bad(value: Any) -> bool:
    array = value.array if isinstance(value, Tensor) else value
    is_float = isinstance(value, Tensor | np.ndarray) and array.dtype.kind == "f"
    return is_float and not bool(np.isfinite(array).all())
