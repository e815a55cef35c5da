"""Tools for parameters: gradients kept within bounds, one vector of all, weights computed from others."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf, isfinite
from typing import TYPE_CHECKING, Any

from tinyconv.device import array_module, device_of, gpu_of, on_its_gpu, to_device
from tinyconv.errors import ArgumentError, DtypeError, ShapeError, TrainingError, missing_name
from tinyconv.grad_mode import no_grad
from tinyconv.kernels.reference.elementwise import quiet
from tinyconv.nn.absent import TOOLS
from tinyconv.nn.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval
from tinyconv.nn.reparametrization import remove_spectral_norm, remove_weight_norm, spectral_norm, weight_norm
from tinyconv.ops import cat, zeros
from tinyconv.recorder import repeated
from tinyconv.tensor import Tensor

__all__ = [
    "clip_grad_norm_",
    "clip_grad_value_",
    "fuse_conv_bn_eval",
    "fuse_linear_bn_eval",
    "parameters_to_vector",
    "remove_spectral_norm",
    "remove_weight_norm",
    "spectral_norm",
    "vector_to_parameters",
    "weight_norm",
]


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale all gradients by one factor, so that their common norm is at most `max_norm`.

    The direction of the step stays what it was (Pascanu et al. 2013).

    Parameters
    ----------
    parameters : Tensor or iterable of Tensor
        Those without a gradient do not count.
    max_norm : float
    norm_type : float
        2 for Euclid's norm, ``inf`` for the largest value.
    error_if_nonfinite : bool
        Whether to raise if the norm is infinite or not a number.
    foreach : bool, optional
        Without meaning: in PyTorch it chooses among implementations.

    Returns
    -------
    Tensor
        The norm before, of shape ().

    Raises
    ------
    TrainingError
        If the norm is not finite and `error_if_nonfinite` is True.

    Examples
    --------
    >>> import tinyconv as tc
    >>> x = tc.tensor([3.0, 4.0], requires_grad=True)
    >>> (x * x / 2).sum().backward()
    >>> tc.nn.utils.clip_grad_norm_([x], max_norm=1.0).item()
    5.0
    >>> [round(g, 3) for g in x.grad.tolist()]
    [0.6, 0.8]
    """
    _check_number("clip_grad_norm_", "max_norm", max_norm)
    if _check_number("clip_grad_norm_", "norm_type", norm_type) == 0:
        raise ArgumentError("clip_grad_norm_", "norm_type", norm_type, "a number > 0, or inf")
    tensors = _tensors("clip_grad_norm_", parameters)
    return _clip_norm(tensors, max_norm, norm_type, error_if_nonfinite)


@repeated
@quiet
def _clip_norm(tensors: list[Tensor], max_norm: float, norm_type: float, error_if_nonfinite: bool) -> Tensor:
    grads = _gradients(tensors)
    if not grads:
        return zeros(())
    place = device_of(grads[0])
    norms = [to_device(_norm_of_one(grad, norm_type), place) for grad in grads]
    with gpu_of(grads[0]):
        norm = _norm(norms, norm_type)
    if error_if_nonfinite and not isfinite(norm):
        raise TrainingError("clip_grad_norm_", "the norm of the gradients", float(norm), "a finite number")
    factor = max_norm / (float(norm) + 1e-6)
    if not factor >= 1:
        for grad in grads:
            _multiply(grad, factor)
    with gpu_of(grads[0]):
        return Tensor(array_module(grads[0]).asarray(norm, grads[0].dtype))


@on_its_gpu
def _norm_of_one(grad: Any, norm_type: float) -> Any:
    return _norm([abs(grad)], norm_type)


@on_its_gpu
def _multiply(grad: Any, factor: float) -> None:
    grad *= factor


def clip_grad_value_(
    parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None
) -> None:
    """Limit each element of the gradients to ``[-clip_value, clip_value]``, in place."""
    _check_number("clip_grad_value_", "clip_value", clip_value)
    _clip_values(_tensors("clip_grad_value_", parameters), clip_value)


@repeated
def _clip_values(tensors: list[Tensor], clip_value: float) -> None:
    for grad in _gradients(tensors):
        with gpu_of(grad):
            array_module(grad).clip(grad, -clip_value, clip_value, out=grad)


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All parameters in one vector of shape (n,), one after the other; differentiable."""
    tensors = _tensors("parameters_to_vector", parameters)
    if not tensors:
        raise ArgumentError("parameters_to_vector", "parameters", "empty", "at least one parameter")
    return cat([tensor.reshape(-1) for tensor in tensors])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Copy the pieces of a vector into the parameters, in place.

    Raises
    ------
    ShapeError
        If the vector has not exactly as many elements as the parameters.
    """
    if not isinstance(vec, Tensor):
        raise DtypeError("vector_to_parameters", "vec", f"a {type(vec).__name__}", "a Tensor")
    tensors = _tensors("vector_to_parameters", parameters)
    count = sum(tensor.numel() for tensor in tensors)
    if vec.shape != (count,):
        raise ShapeError("vector_to_parameters", "vec", f"of shape {vec.shape}", f"({count},)")
    start = 0
    with no_grad():
        for tensor in tensors:
            stop = start + tensor.numel()
            tensor.copy_(vec.detach()[start:stop].reshape(tensor.shape))
            start = stop


def _norm(values: list[Any], norm_type: float) -> Any:
    """The norm of non-negative arrays or numbers together, computed in float64."""
    xp = array_module(values[0])
    if norm_type == inf:
        largest = (xp.max(value) if value.size else xp.zeros((), value.dtype) for value in values)
        return max(largest, key=lambda x: (x != x, x))
    total = sum(xp.sum(xp.power(value, norm_type, dtype="float64")) for value in values)
    return total ** (1 / norm_type)


def _gradients(tensors: list[Tensor]) -> list[Any]:
    return [p.grad.array for p in tensors if p.grad is not None]


def _tensors(where: str, parameters: Any) -> list[Tensor]:
    if not isinstance(parameters, Iterable):
        expected = "an iterable of Tensors, e.g. model.parameters()"
        raise DtypeError(where, "parameters", f"a {type(parameters).__name__}", expected)
    tensors = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    for index, tensor in enumerate(tensors):
        if not isinstance(tensor, Tensor):
            raise DtypeError(where, f"parameters[{index}]", f"a {type(tensor).__name__}", "a Tensor")
    return tensors


def _check_number(where: str, argument: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        raise ArgumentError(where, argument, repr(value), "a number >= 0")
    return value


if not TYPE_CHECKING:  # a type checker reports missing names by itself

    def __getattr__(name: str) -> Any:
        raise missing_name("tinyconv.nn.utils", name, globals(), TOOLS)
