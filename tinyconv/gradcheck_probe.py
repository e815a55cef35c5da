"""The function that `gradcheck` looks at: its value, its slopes, and what backward says of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinyconv.autograd import grad
from tinyconv.device import float64, to_device
from tinyconv.errors import ArgumentError, DtypeError
from tinyconv.grad_mode import enable_grad
from tinyconv.tensor import Tensor

Array = np.ndarray[Any, Any]


def values(tensor: Tensor) -> Array:
    """Of a tensor on any device."""
    array: Array = to_device(tensor.array, "cpu")
    return array


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
        with enable_grad():
            outputs = float_outputs(where, fn(*arguments))
        connected = [index for index, y in enumerate(outputs) if y.requires_grad]
        self.compared = connected or list(range(len(outputs)))
        self.outputs = [outputs[index] for index in self.compared]
        self.weights = [rng.uniform(0.5, 1.5, y.shape) * rng.choice([-1, 1], y.shape) for y in self.outputs]
        nodes = [y.grad_fn.name for y in self.outputs if y.grad_fn is not None]
        self.name = f"{where} of {name_of(fn)}" + (f" ({nodes[0]})" if nodes else "")
        sizes = {y.shape[0] if y.ndim else 1 for y in self.outputs}
        self.batch = sizes.pop() if len(sizes) == 1 else None

    def analytic(self, checked: list[int]) -> list[Array]:
        """The gradients of the projected outputs by backward."""
        pairs = [
            (y, Tensor(to_device(np.asarray(w), y.device)))
            for y, w in zip(self.outputs, self.weights, strict=True)
        ]
        pairs = [(y, w) for y, w in pairs if y.requires_grad]
        wanted = [self.arguments[i] for i in checked]
        found: Sequence[Tensor | None] = [None] * len(wanted)
        if pairs:
            found = grad([y for y, _ in pairs], wanted, [w for _, w in pairs], allow_unused=True)
        return [np.zeros(x.shape) if g is None else values(g) for x, g in zip(wanted, found, strict=True)]

    def at(self, i: int, values: Array) -> list[Array]:
        """The outputs when input i has these values.

        The graph is recorded, because the function may differentiate inside, as a gradient
        penalty does.
        """
        moved = Tensor(to_device(values, self.arguments[i].device), requires_grad=True)
        changed = [*self.arguments[:i], moved, *self.arguments[i + 1 :]]
        with enable_grad():
            outputs = float_outputs(self.name, self.fn(*changed))
        return [to_device(outputs[index].array, "cpu") for index in self.compared]

    def change(self, above: list[Array], below: list[Array], only: int | None = None) -> float:
        """How much the projected outputs differ; ``only`` counts one batch element.

        Each output is subtracted from its own before they are added up: otherwise a large one
        would swallow the change of a small one.
        """
        rows = ... if only is None else slice(only, only + 1)
        triples = zip(above, below, self.weights, strict=True)
        return float(sum(((a[rows] - b[rows]) * w[rows]).sum() for a, b, w in triples))

    def slope(self, i: int, direction: Array, only: int | None = None) -> float:
        """Central difference along `direction` at input i."""
        x = values(self.arguments[i])
        difference = self.change(self.at(i, x + direction), self.at(i, x - direction), only)
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
        x = values(self.arguments[i])
        step = np.zeros(x.shape)
        step[position] = self.eps
        here = self.at(i, x)
        right, left = self.change(self.at(i, x + step), here), self.change(here, self.at(i, x - step))
        return abs(right - left) > 1e-2 * max(abs(right), abs(left), 1e-3 * self.eps)


def float_outputs(where: str, result: Any) -> list[Tensor]:
    """The float64 tensors that a function returned, besides tensors of integers or booleans."""
    outputs = list(result) if isinstance(result, list | tuple) else [result]
    for index, y in enumerate(outputs):
        if not isinstance(y, Tensor):
            raise DtypeError(where, f"output {index} of fn", f"a {type(y).__name__}", "a Tensor")
        if y.dtype.kind == "f" and y.dtype != float64:
            raise DtypeError(where, f"output {index} of fn", f"of dtype {y.dtype}", "float64, as the inputs")
    found = [y for y in outputs if y.dtype.kind == "f"]
    if not found:
        raise ArgumentError(where, "what fn returns", "no floating-point Tensor", "one to differentiate")
    return found


def name_of(fn: Callable[..., Any]) -> str:
    """What a report calls a function."""
    return getattr(fn, "__name__", type(fn).__name__)
