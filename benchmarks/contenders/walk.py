"""Run a network of `tinyconv.benchmark.networks` with another engine's functions.

JAX and MyGrad do not have PyTorch's modules. So the modules that tinyconv built are walked, and
each calls the function of `Functions` that does the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from tinyconv.benchmark.contender import Unsupported

Tensor = Any
Parameters = Mapping[str, Tensor]


class Functions(Protocol):
    """What a network needs, in the engine's own memory order; sizes are those of tinyconv's modules."""

    def conv(self, x: Tensor, weight: Tensor, bias: Tensor, padding: int) -> Tensor: ...
    def up(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor: ...
    def linear(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor: ...
    def max_pool(self, x: Tensor) -> Tensor: ...
    def relu(self, x: Tensor) -> Tensor: ...
    def elu(self, x: Tensor) -> Tensor: ...
    def dropout(self, x: Tensor, p: float) -> Tensor: ...
    def flatten(self, x: Tensor) -> Tensor: ...
    def sigmoid(self, x: Tensor) -> Tensor: ...
    def cat(self, a: Tensor, b: Tensor) -> Tensor: ...


def walk(module: Any, functions: Functions, parameters: Parameters, x: Tensor, name: str = "") -> Tensor:
    """The output of `module` for `x`; `parameters` are named as in the state dict, after `name`."""
    kind = type(module).__name__
    own = (x, parameters.get(f"{name}weight"), parameters.get(f"{name}bias"))
    if kind == "Sequential":
        for child, part in module.named_children():
            x = walk(part, functions, parameters, x, f"{name}{child}.")
        return x
    if kind == "UNet":
        return _unet(module, functions, parameters, x, name)
    if kind.startswith("ConvTranspose"):
        return functions.up(*own)
    if kind.startswith("Conv"):
        return functions.conv(*own, module.padding[0])
    if kind == "Linear":
        return functions.linear(*own)
    if kind == "Dropout":
        return functions.dropout(x, module.p)
    simple = {
        "ReLU": "relu",
        "ELU": "elu",
        "Flatten": "flatten",
        "MaxPool2d": "max_pool",
        "MaxPool3d": "max_pool",
    }
    if kind not in simple:
        raise Unsupported(f"{kind} was not written for this engine")
    return getattr(functions, simple[kind])(x)


def _unet(unet: Any, functions: Functions, parameters: Parameters, x: Tensor, name: str) -> Tensor:
    copies = []
    for level, block in enumerate(unet.encoder):
        x = walk(
            block, functions, parameters, functions.max_pool(x) if level else x, f"{name}encoder.{level}."
        )
        copies.append(x)
    for level, block in enumerate(unet.decoder):
        up = walk(unet.up[level], functions, parameters, x, f"{name}up.{level}.")
        both = functions.cat(up, copies[-2 - level])
        x = walk(block, functions, parameters, both, f"{name}decoder.{level}.")
    return functions.sigmoid(walk(unet.head, functions, parameters, x, f"{name}head."))
