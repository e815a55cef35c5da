"""Each argument of each layer and optimiser replaced by what hardly any can take."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

import tinyconv as tc
from tests.ops.wrong import VALUES
from tinyconv import nn, optim
from tinyconv.errors import TinyconvError

REQUIRED = {
    "dim": 1, "distances": tc.zeros(2, 2), "downscale_factor": 2, "embedding_dim": 3, "groups": 2,
    "in1_features": 2, "in2_features": 3, "in_channels": 2, "in_features": 3, "kernel_size": 3,
    "norm_type": 2, "normalized_shape": 4, "num_channels": 4, "num_embeddings": 5, "num_features": 4,
    "num_groups": 2,
    "out_channels": 4, "out_features": 2, "output_size": 2, "padding": 1, "pieces": 2, "scale_factor": 2,
    "size": 3, "threshold": 0.5, "unflattened_size": (2, 2), "upscale_factor": 2, "value": 0.1,
}  # fmt: skip
"""What the arguments without a default are given."""

LAYERS = sorted(
    name
    for name, layer in vars(nn).items()
    if inspect.isclass(layer) and issubclass(layer, nn.Module) and layer is not nn.Module
)
OPTIMISERS = ("Adadelta", "Adagrad", "Adam", "AdamW", "RMSprop", "SGD")
WEIGHTS = [tc.ones(3, requires_grad=True)]


def parameters(made: Any) -> dict[str, Any]:
    """Every argument, by name, with its default or with what is required."""
    signature = inspect.signature(made).parameters.values()
    named = [p for p in signature if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) and p.name != "params"]
    return {p.name: REQUIRED[p.name] if p.default is p.empty else p.default for p in named}


def refusals(make: Any, given: dict[str, Any]) -> set[tuple[str, str]]:
    """(argument, value) for all that a tinyconv error refuses; any other error is let through."""
    make(**given)
    found = set()
    for argument in given:
        for label, value in VALUES.items():
            try:
                make(**{**given, argument: value})
            except TinyconvError as error:
                assert error.expected and "\n" not in str(error)
                found.add((argument, label))
            except Exception as error:
                raise AssertionError(f"{argument} = {label}: {type(error).__name__}: {error}") from error
    return found


def flags(made: Any) -> set[str]:
    return {p.name for p in inspect.signature(made).parameters.values() if isinstance(p.default, bool)}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_refuses_wrong_arguments_by_a_tinyconv_error(name: str) -> None:
    layer = getattr(nn, name)
    refused = refusals(layer, parameters(layer))
    assert {(flag, "a word") for flag in flags(layer)} <= refused


@pytest.mark.parametrize("name", OPTIMISERS)
def test_an_optimiser_refuses_wrong_arguments_by_a_tinyconv_error(name: str) -> None:
    optimiser = getattr(optim, name)
    refused = refusals(lambda **given: optimiser(WEIGHTS, **given), parameters(optimiser))
    assert {(argument, "nan") for argument in ("lr", "weight_decay")} <= refused
    assert {(flag, "a word") for flag in flags(optimiser)} <= refused


@pytest.mark.parametrize("label", VALUES)
@pytest.mark.parametrize("name", OPTIMISERS)
def test_an_optimiser_refuses_what_are_no_parameters(name: str, label: str) -> None:
    with pytest.raises(TinyconvError):
        getattr(optim, name)(VALUES[label])
