"""Beside a net for generation its twin in PyTorch: the same weights, and what a step changed in both."""

from __future__ import annotations

from typing import Any

import numpy as np

import tinyconv as tc
from tests.models import twin
from tinyconv.nn import Module


def relative_error(got: Any, expected: Any) -> float:
    """Of two tensors of the same shape; see `tests.models.twin`."""
    got, expected = (np.asarray(x.detach().numpy(), np.float64) for x in (got, expected))
    assert got.shape == expected.shape and np.linalg.norm(expected) > 0
    return twin.relative_error(got, expected)


def state(model: Any) -> dict[str, np.ndarray]:
    """A copy of all parameters and buffers, of either library."""
    return {name: np.array(x.detach().numpy()) for name, x in model.state_dict().items()}


def with_weights_of(model: Module, net: Any, dtype: str = "float64") -> Any:
    """`net`, in this precision, with the weights of `model` under the same names."""
    import torch

    net.to(getattr(torch, dtype))
    net.load_state_dict({name: torch.from_numpy(x) for name, x in state(model).items()}, strict=True)
    return net


def assert_same_steps(before: dict[str, np.ndarray], model: Module, other: Any, within: float = 1e-8) -> None:
    """What was added to each parameter and buffer is the same in both."""
    ours, theirs = state(model), state(other)
    assert ours.keys() == theirs.keys()
    for name, start in before.items():
        change = np.linalg.norm(theirs[name] - start)
        assert change > 0, f"{name} stayed as it was"
        assert np.linalg.norm(ours[name] - theirs[name]) < within * change, name


def changed(model: Module, before: dict[str, np.ndarray]) -> dict[str, bool]:
    """For each parameter, whether it differs from before."""
    return {name: bool((p.detach().numpy() != before[name]).any()) for name, p in model.named_parameters()}


def assert_only_one_changed(model: Module, before: dict[str, np.ndarray], part: str) -> None:
    """Every parameter of `part` ("generator", "discriminator") differs from before, no other does."""
    found = changed(model, before)
    assert len(found) > 4 and {name.split(".")[0] for name in found} == {"generator", "discriminator"}
    assert found == {name: name.startswith(part) for name in found}


def images(n: int, channels: int, size: int, seed: int = 0, dtype: str = "float64") -> np.ndarray:
    """Random images from -1 to 1."""
    return np.random.default_rng(seed).uniform(-1, 1, (n, channels, size, size)).astype(dtype)


def generator(seed: int = 5) -> tc.Generator:
    """A source of noise that starts anew."""
    return tc.Generator().manual_seed(seed)
