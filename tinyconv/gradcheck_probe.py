"""The function that `gradcheck` looks at: its value, its slopes, and what backward says of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinyconv.autograd import grad
from tinyconv.grad_mode import no_grad
from tinyconv.tensor import Tensor

Array = np.ndarray[Any, Any]


class Probe:
    """The function under test, with its outputs projected to one number.

    Attributes
    ----------
    name : str
        The function and the op that made its output.
    arguments : list
        What the function is called with.
    labels : list of str
        What a report calls each argument.
    batch : int or None
        Size of the outputs' first dimension, where all outputs share it.
    """

    def __init__(
        self,
        where: str,
        fn: Callable[..., Any],
        arguments: list[Any],
        eps: float,
        rng: np.random.Generator,
    ) -> None:
        self.fn, self.arguments, self.eps = fn, arguments, eps
        self.labels = [f"inputs[{i}]" for i in range(len(arguments))]
        self.outputs = float_outputs(fn(*arguments))
        self.weights = [rng.uniform(0.5, 1.5, y.shape) * rng.choice([-1, 1], y.shape) for y in self.outputs]
        nodes = [y.grad_fn.name for y in self.outputs if y.grad_fn is not None]
        self.name = f"{where} of {name_of(fn)}" + (f" ({nodes[0]})" if nodes else "")
        sizes = {y.shape[0] if y.ndim else 1 for y in self.outputs}
        self.batch = sizes.pop() if len(sizes) == 1 else None

    def analytic(self, checked: list[int]) -> list[Array]:
        """The gradients of the projected outputs by backward."""
        pairs = [(y, Tensor(np.asarray(w))) for y, w in zip(self.outputs, self.weights, strict=True)]
        pairs = [(y, w) for y, w in pairs if y.requires_grad]
        wanted = [self.arguments[i] for i in checked]
        found: Sequence[Tensor | None] = [None] * len(wanted)
        if pairs:
            found = grad([y for y, _ in pairs], wanted, [w for _, w in pairs], allow_unused=True)
        return [np.zeros(x.shape) if g is None else g.array for x, g in zip(wanted, found, strict=True)]

    def value(self, i: int, values: Array, only: int | None = None) -> float:
        """The projected outputs when input i has these values; ``only`` counts one batch element."""
        changed = [*self.arguments[:i], Tensor(values), *self.arguments[i + 1 :]]
        with no_grad():
            outputs = float_outputs(self.fn(*changed))
        rows = ... if only is None else slice(only, only + 1)
        return float(sum((y.array[rows] * w[rows]).sum() for y, w in zip(outputs, self.weights, strict=True)))

    def slope(self, i: int, direction: Array, only: int | None = None) -> float:
        """Central difference along `direction` at input i."""
        x = self.arguments[i].array
        difference = self.value(i, x + direction, only) - self.value(i, x - direction, only)
        return difference / (2 * float(np.linalg.norm(direction)))

    def numeric(self, i: int, like: Array, sample: Any, only: int | None = None) -> Array:
        """Central differences at the `sample` of flat positions in input i; `like` elsewhere."""
        numeric = np.array(like, dtype=np.float64)
        step = np.zeros(like.shape)
        for flat in sample:
            position = np.unravel_index(flat, like.shape)
            step[position] = self.eps
            numeric[position] = self.slope(i, step, only)
            step[position] = 0
        return numeric

    def has_kink(self, i: int, position: tuple[int, ...]) -> bool:
        """Whether the slopes to the left and to the right of this element differ."""
        x = self.arguments[i].array
        step = np.zeros(x.shape)
        step[position] = self.eps
        here = self.value(i, x)
        right, left = self.value(i, x + step) - here, here - self.value(i, x - step)
        return abs(right - left) > 1e-2 * max(abs(right), abs(left), 1e-3 * self.eps)


def float_outputs(result: Any) -> list[Tensor]:
    """The floating-point tensors among what a function returned."""
    outputs = list(result) if isinstance(result, list | tuple) else [result]
    return [y for y in outputs if isinstance(y, Tensor) and y.dtype.kind == "f"]


def name_of(fn: Callable[..., Any]) -> str:
    """What a report calls a function."""
    return getattr(fn, "__name__", type(fn).__name__)
