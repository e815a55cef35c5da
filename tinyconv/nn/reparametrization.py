"""Weights that are computed before each forward: of unit length times a gain, or of spectral norm 1.

The names that stand in the state dict are PyTorch's: ``weight_g`` and ``weight_v``, or
``weight_orig``, ``weight_u`` and ``weight_v``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.device import seed, to_device
from tinyconv.errors import ArgumentError
from tinyconv.grad_mode import no_grad
from tinyconv.nn.conv import _ConvTranspose
from tinyconv.nn.module import Module, Parameter
from tinyconv.ops import matmul, normalize, permute, reshape
from tinyconv.ops import norm as norm_of
from tinyconv.ops import sum as sum_
from tinyconv.ops._checks import check_positive, normalize_dim
from tinyconv.ops.loss_common import check_above_zero
from tinyconv.tensor import Tensor


class WeightNorm:
    """weight = g v / |v|, for each index of one dimension."""

    parts = ("_g", "_v")

    def __init__(self, name: str, dim: int | None) -> None:
        self.name, self.dim = name, dim

    def length(self, v: Tensor) -> Tensor:
        """|v| for each index of `dim`; of the whole without one."""
        if self.dim is None:
            return norm_of(v)
        return norm_of(v, dim=tuple(d for d in range(v.ndim) if d != self.dim), keepdim=True)

    def compute(self, module: Module) -> Tensor:
        """The weight."""
        v = getattr(module, f"{self.name}_v")
        return v * (getattr(module, f"{self.name}_g") / self.length(v))

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute(module))


class SpectralNorm:
    """weight = W / sigma, with sigma = u^T W v the largest singular value by power iteration."""

    parts = ("_orig", "_u", "_v")

    def __init__(self, name: str, dim: int, n_power_iterations: int, eps: float) -> None:
        self.name, self.dim, self.n_power_iterations, self.eps = name, dim, n_power_iterations, eps

    def matrix(self, weight: Tensor) -> Tensor:
        """The weight with `dim` as rows, all other dimensions as columns."""
        others = [d for d in range(weight.ndim) if d != self.dim]
        return reshape(permute(weight, (self.dim, *others)), (weight.shape[self.dim], -1))

    def compute(self, module: Module, iterate: bool = False) -> Tensor:
        """The weight; with `iterate` the vectors come nearer to the singular vectors first."""
        weight = getattr(module, f"{self.name}_orig")
        u, v = (getattr(module, f"{self.name}_{letter}") for letter in "uv")
        rows = self.matrix(weight)
        if iterate:
            with no_grad():
                for _ in range(self.n_power_iterations):
                    v.copy_(normalize(matmul(rows.transpose(0, 1), u), dim=0, eps=self.eps))
                    u.copy_(normalize(matmul(rows, v), dim=0, eps=self.eps))
        return weight / sum_(u.clone() * matmul(rows, v.clone()))

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute(module, iterate=module.training))


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Learn the length and the direction of a weight on their own (Salimans and Kingma 2016).

    Parameters
    ----------
    module : Module
        Changed and returned.
    name : str
        Which of its parameters; ``name_g`` (lengths) and ``name_v`` (directions) take its place.
    dim : int or None
        There is a length for each index of this dimension; with None there is one for all.

    Examples
    --------
    >>> from tinyconv import nn
    >>> sorted(nn.utils.weight_norm(nn.Linear(3, 2)).state_dict())
    ['bias', 'weight_g', 'weight_v']
    """
    weight = _weight("weight_norm", module, name)
    rule = WeightNorm(name, None if dim is None else normalize_dim("weight_norm", dim, weight.ndim))
    delattr(module, name)
    module.register_parameter(f"{name}_g", Parameter(rule.length(weight.detach())))
    module.register_parameter(f"{name}_v", Parameter(weight.detach()))
    return _install(module, rule)


def spectral_norm(
    module: Module,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> Module:
    """Divide a weight by its largest singular value, as the critics of GANs do (Miyato et al. 2018).

    Parameters
    ----------
    module : Module
        Changed and returned.
    name : str
        Which of its parameters; ``name_orig`` takes its place, with the buffers ``name_u`` and ``name_v``.
    n_power_iterations : int
        How often the two vectors are improved in each forward, in training.
    eps : float
        Keeps the division by the vectors' lengths finite.
    dim : int, optional
        The dimension of the outputs; 1 for transposed convolutions, else 0, if not given.

    Examples
    --------
    >>> from tinyconv import nn
    >>> sorted(nn.utils.spectral_norm(nn.Conv2d(3, 8, 3, bias=False)).state_dict())
    ['weight_orig', 'weight_u', 'weight_v']
    """
    weight = _weight("spectral_norm", module, name)
    if dim is None:
        dim = 1 if isinstance(module, _ConvTranspose) else 0
    count = check_positive("spectral_norm", "n_power_iterations", n_power_iterations)
    small = check_above_zero("spectral_norm", "eps", eps)
    rule = SpectralNorm(name, normalize_dim("spectral_norm", dim, weight.ndim), count, small)
    delattr(module, name)
    module.register_parameter(f"{name}_orig", weight)
    for letter, size in zip("uv", rule.matrix(weight.detach()).shape, strict=True):
        drawn = np.asarray(seed.get().generator.standard_normal(size)).astype(weight.dtype)
        vector = normalize(Tensor(to_device(drawn, weight.device)), dim=0, eps=small)
        module.register_buffer(f"{name}_{letter}", vector)
    return _install(module, rule)


def remove_weight_norm(module: Module, name: str = "weight") -> Module:
    """Make the weight a parameter again that has its present value."""
    return _remove("remove_weight_norm", WeightNorm, module, name)


def remove_spectral_norm(module: Module, name: str = "weight") -> Module:
    """Make the weight a parameter again that has its present value."""
    return _remove("remove_spectral_norm", SpectralNorm, module, name)


def _weight(where: str, module: Module, name: str) -> Parameter:
    weight = module._parameters.get(name)
    if weight is None:
        known = [key for key, parameter in module._parameters.items() if parameter is not None]
        raise ArgumentError(where, "name", repr(name), f"one of {known}, the parameters of the module")
    return weight


def _install(module: Module, rule: WeightNorm | SpectralNorm) -> Module:
    with no_grad():
        setattr(module, rule.name, rule.compute(module))
    module.register_forward_pre_hook(rule)
    return module


def _remove(where: str, kind: type[WeightNorm | SpectralNorm], module: Module, name: str) -> Module:
    for number, entry in list(module._forward_pre_hooks.items()):
        rule = entry.hook
        if isinstance(rule, kind) and rule.name == name:
            with no_grad():
                weight = rule.compute(module)
            for attribute in (name, *(f"{name}{part}" for part in rule.parts)):
                delattr(module, attribute)
            del module._forward_pre_hooks[number]
            module.register_parameter(name, Parameter(weight))
            return module
    raise ArgumentError(where, "name", repr(name), f"a weight of this {type(module).__name__} that has one")
