"""Check analytic gradients against numeric ones, and say what kind of mistake it is.

The numeric derivative is the central difference (f(x + e) - f(x - e)) / (2 e) in float64,
taken for every element of a small input and along random unit directions for a large one.
The outputs are first multiplied with a fixed random vector, so that one number is compared
instead of a whole Jacobian, and no two mistakes cancel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinyconv.autograd import grad
from tinyconv.device import float64, seed
from tinyconv.errors import ArgumentError, DtypeError, GradcheckError
from tinyconv.grad_mode import no_grad
from tinyconv.gradcheck_report import describe
from tinyconv.tensor import Tensor

Array = np.ndarray[Any, Any]


def gradcheck(
    fn: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    eps: float = 1e-6,
    atol: float = 1e-6,
    rtol: float = 1e-4,
    max_elements: int = 200,
    directions: int = 8,
    raise_exception: bool = True,
) -> bool:
    """Whether the gradients of `fn` at `inputs` agree with central differences.

    Parameters
    ----------
    fn : callable
        Takes `inputs` and returns a Tensor or several. It must be deterministic: with dropout
        in it, call ``tc.manual_seed`` first thing inside.
    inputs : Tensor or sequence
        float64 Tensors with ``requires_grad=True`` are checked; everything else is passed on.
    eps : float
        Half the distance of the two points of a difference.
    atol, rtol : float
        Allowed difference: ``atol + rtol * |numeric|``.
    max_elements : int
        Inputs with more elements are checked along `directions` random unit directions.
    directions : int
        Number of random directions for large inputs.
    raise_exception : bool
        Raise, or only return False.

    Returns
    -------
    bool
        True if all gradients agree.

    Raises
    ------
    GradcheckError
        With a report: the op, the input, the worst element with its numeric and analytic
        value, what kind of mistake the pattern suggests, and the seed that reproduces it.
    DtypeError
        If an input that needs a gradient is not float64.
    ArgumentError
        If no input needs a gradient.

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> with tc.default_dtype(tc.float64):
    ...     x, w = tc.randn(1, 2, 5, 5, requires_grad=True), tc.randn(3, 2, 3, 3, requires_grad=True)
    >>> tc.gradcheck(lambda x, w: F.conv2d(x, w, padding=1), (x, w))
    True
    """
    arguments: list[Any] = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
    checked = [i for i, x in enumerate(arguments) if isinstance(x, Tensor) and x.requires_grad]
    if not checked:
        raise ArgumentError(
            "gradcheck", "inputs", "without requires_grad", "at least one with requires_grad=True"
        )
    for i in checked:
        if arguments[i].dtype != float64:
            raise DtypeError("gradcheck", f"inputs[{i}]", f"of dtype {arguments[i].dtype}", "float64")
    rng = np.random.default_rng(seed.get().seed)
    probe = Probe(fn, arguments, eps, rng)
    for i, analytic in zip(checked, probe.analytic(checked), strict=True):
        large = arguments[i].numel() > max_elements
        if large and _directions_agree(probe, i, analytic, directions, atol, rtol, rng):
            continue
        seen = np.full(analytic.shape, not large)
        if large:
            seen.reshape(-1)[rng.permutation(analytic.size)[:MOST_SAMPLED]] = True
        numeric = probe.numeric(i, analytic, np.flatnonzero(seen))
        excess = np.asarray(np.abs(analytic - numeric) - (atol + rtol * np.abs(numeric)))
        excess[np.isnan(excess)] = np.inf
        if large or (excess.size and excess.max() > 0):
            if raise_exception:
                raise GradcheckError(
                    probe.name, f"inputs[{i}]", describe(probe, i, analytic, numeric, excess, seen), ""
                )
            return False
    return True


MOST_SAMPLED = 400


class Probe:
    """The function under test, with its outputs projected to one number.

    Attributes
    ----------
    name : str
        The function and the op that made its output.
    arguments : list
        What the function is called with.
    batch : int or None
        Size of the outputs' first dimension, where all outputs share it.
    """

    def __init__(
        self, fn: Callable[..., Any], arguments: list[Any], eps: float, rng: np.random.Generator
    ) -> None:
        self.fn, self.arguments, self.eps = fn, arguments, eps
        self.outputs = _float_outputs(fn(*arguments))
        self.weights = [rng.uniform(0.5, 1.5, y.shape) * rng.choice([-1, 1], y.shape) for y in self.outputs]
        nodes = [y.grad_fn.name for y in self.outputs if y.grad_fn is not None]
        self.name = f"gradcheck of {getattr(fn, '__name__', type(fn).__name__)}" + (
            f" ({nodes[0]})" if nodes else ""
        )
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
            outputs = _float_outputs(self.fn(*changed))
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


def _float_outputs(result: Any) -> list[Tensor]:
    outputs = list(result) if isinstance(result, list | tuple) else [result]
    return [y for y in outputs if isinstance(y, Tensor) and y.dtype.kind == "f"]


def _directions_agree(
    probe: Probe, i: int, analytic: Array, directions: int, atol: float, rtol: float, rng: np.random.Generator
) -> bool:
    """Whether the slopes along random unit directions are what the gradient says."""
    typical = np.linalg.norm(analytic) / np.sqrt(analytic.size)
    for _ in range(directions):
        direction = np.asarray(rng.standard_normal(analytic.shape))
        direction *= probe.eps * np.sqrt(direction.size) / np.linalg.norm(direction)
        numeric = probe.slope(i, direction)
        expected = (analytic * direction).sum() / np.linalg.norm(direction)
        if not abs(expected - numeric) <= atol + rtol * max(abs(numeric), typical):
            return False
    return True
