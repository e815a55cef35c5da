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
from tinyconv.device import float64, seed, to_device
from tinyconv.errors import ArgumentError, DtypeError, GradcheckError
from tinyconv.grad_mode import enable_grad, is_grad_enabled
from tinyconv.gradcheck_probe import Probe, float_outputs, name_of
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
    arguments = _as_list(inputs)
    checked = _to_check("gradcheck", "inputs", arguments)
    rng = np.random.default_rng(seed.get().seed)
    probe = Probe("gradcheck", fn, arguments, eps, rng)
    return _compare(probe, checked, atol, rtol, max_elements, directions, raise_exception, rng)


def gradgradcheck(
    fn: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    grad_outputs: Tensor | Sequence[Tensor] | None = None,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    max_elements: int = 200,
    directions: int = 8,
    raise_exception: bool = True,
) -> bool:
    """Whether the second derivatives of `fn` at `inputs` agree with central differences.

    This is `gradcheck` of the function that `fn`'s backward computes: from the inputs and the
    gradients of the outputs to the gradients of the inputs.

    Parameters
    ----------
    fn, inputs, eps, atol, rtol, max_elements, directions, raise_exception
        As for `gradcheck`.
    grad_outputs : Tensor or sequence of Tensor, optional
        float64 gradients of those outputs of `fn` that need one; drawn at random if left out.

    Returns
    -------
    bool
        True if all second derivatives agree.

    Raises
    ------
    GradcheckError, DtypeError, ArgumentError
        As `gradcheck` does.

    Examples
    --------
    >>> import tinyconv as tc
    >>> with tc.default_dtype(tc.float64):
    ...     x = tc.randn(3, 4, requires_grad=True)
    >>> tc.gradgradcheck(tc.sigmoid, x)
    True
    """
    arguments = _as_list(inputs)
    checked = _to_check("gradgradcheck", "inputs", arguments)
    rng = np.random.default_rng(seed.get().seed)
    outputs = [y for y in float_outputs("gradgradcheck", fn(*arguments)) if y.requires_grad]
    starts = (
        [Tensor(to_device(np.asarray(rng.standard_normal(y.shape)), y.device), True) for y in outputs]
        if grad_outputs is None
        else [start.detach().requires_grad_() for start in _as_list(grad_outputs)]
    )
    if len(starts) != len(outputs) or not outputs:
        expected = f"{len(outputs)}, one per output" if outputs else "of an fn whose outputs need a gradient"
        raise ArgumentError("gradgradcheck", "the number of grad_outputs", len(starts), expected)
    _to_check("gradgradcheck", "grad_outputs", starts)
    count = len(arguments)
    probe = Probe("gradgradcheck", _gradient_of(fn, checked, count), [*arguments, *starts], eps, rng)
    probe.labels[count:] = [f"grad_outputs[{i}]" for i in range(len(starts))]
    everything = [*checked, *range(count, len(probe.arguments))]
    return _compare(probe, everything, atol, rtol, max_elements, directions, raise_exception, rng)


def _gradient_of(fn: Callable[..., Any], checked: list[int], count: int) -> Callable[..., list[Tensor]]:
    """The function from `count` inputs and the outputs' gradients to the gradients of the checked inputs."""

    def gradient(*arguments: Any) -> list[Tensor]:
        inputs, starts = list(arguments[:count]), arguments[count:]
        recording = is_grad_enabled()
        with enable_grad():
            for i in checked:
                inputs[i] = inputs[i] if inputs[i].requires_grad else Tensor(inputs[i].array, True)
            outputs = [y for y in float_outputs("gradgradcheck", fn(*inputs)) if y.requires_grad]
            found = grad(
                outputs, [inputs[i] for i in checked], starts, create_graph=recording, allow_unused=True
            )
        return [
            Tensor(to_device(np.zeros(inputs[i].shape), inputs[i].device)) if g is None else g
            for i, g in zip(checked, found, strict=True)
        ]

    gradient.__name__ = f"the gradient of {name_of(fn)}"
    return gradient


def _as_list(inputs: Any) -> list[Any]:
    return list(inputs) if isinstance(inputs, list | tuple) else [inputs]


def _to_check(where: str, argument: str, values: list[Any]) -> list[int]:
    """The positions of the values that need a gradient, each of which must be float64."""
    checked = [i for i, x in enumerate(values) if isinstance(x, Tensor) and x.requires_grad]
    if not checked:
        raise ArgumentError(where, argument, "without requires_grad", "at least one with requires_grad=True")
    for i in checked:
        if values[i].dtype != float64:
            raise DtypeError(where, f"{argument}[{i}]", f"of dtype {values[i].dtype}", "float64")
    return checked


def _compare(
    probe: Probe,
    checked: list[int],
    atol: float,
    rtol: float,
    max_elements: int,
    directions: int,
    raise_exception: bool,
    rng: np.random.Generator,
) -> bool:
    if not probe.eps > 0:
        raise ArgumentError("gradcheck", "eps", probe.eps, "a number > 0")
    if directions < 1:
        raise ArgumentError("gradcheck", "directions", directions, "at least 1")
    for i, analytic in zip(checked, probe.analytic(checked), strict=True):
        large = analytic.size > max_elements
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
                report = describe(probe, i, analytic, numeric, excess, seen)
                raise GradcheckError(probe.name, probe.labels[i], report, "")
            return False
    return True


MOST_SAMPLED = 400


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
