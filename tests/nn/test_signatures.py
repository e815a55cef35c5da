"""Names, order and defaults of the arguments are PyTorch's, name by name, but for a list with reasons."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from typing import Any

import pytest

import tinyconv as tc
from tinyconv import nn

ROOMS = (
    "nn", "nn.functional", "nn.init", "nn.utils", "optim", "optim.lr_scheduler", "optim.swa_utils",
)  # fmt: skip
OWN = {
    "nn": {
        "BinaryFocalWithLogitsLoss", "DiceLoss", "FocalLoss", "GeneralisedDiceLoss",
        "GeneralisedWassersteinDiceLoss", "Maxout", "TverskyLoss", "WeightedPixelCrossEntropyLoss", "summary",
    },
    "nn.functional": {
        "binary_focal_loss_with_logits", "dice_loss", "focal_loss", "generalised_dice_loss",
        "generalised_wasserstein_dice_loss", "maxout", "tversky_loss", "weighted_pixel_cross_entropy",
    },
    "nn.init": {"fans", "he_normal_", "he_uniform_", "refuse_generator"},
}  # fmt: skip
"""What PyTorch does not have."""

DIFFERENT = {
    "nn.Module": "PyTorch passes arguments on to a second base class",
    "nn.Parameter": "PyTorch makes an empty one when no data is given",
    "nn.LogSigmoid": "PyTorch ignores whatever it is given",
    "nn.Sigmoid": "PyTorch ignores whatever it is given",
    "nn.Tanh": "PyTorch ignores whatever it is given",
    "nn.Softmax2d": "PyTorch ignores whatever it is given",
    "nn.Softsign": "PyTorch ignores whatever it is given",
    "nn.Tanhshrink": "PyTorch ignores whatever it is given",
    "nn.Hardtanh": "min_value and max_value are former names of min_val and max_val",
    "nn.functional.normalize": "out= writes into another tensor",
}
"""Deliberate differences, with the reason."""


def public(room: str) -> list[str]:
    """The functions and classes that this package's module defines or exports."""
    module = import_module(f"tinyconv.{room}")
    if hasattr(module, "__all__"):
        names = [name for name in module.__all__ if callable(getattr(module, name))]
    else:
        names = [name for name, value in vars(module).items() if _defined_in(module, value)]
    return sorted(name for name in names if not name.startswith("_"))


def _defined_in(module: Any, value: Any) -> bool:
    return callable(value) and getattr(value, "__module__", "") == module.__name__


def theirs(module: Any, name: str) -> list[inspect.Parameter]:
    """PyTorch's parameters; of compiled functions they stand in the first line of the docstring."""
    function = getattr(module, name)
    function = getattr(module, f"_{name}", function)  # the plain twin of a function that dispatches
    try:
        return list(inspect.signature(function).parameters.values())
    except ValueError:
        first = re.match(r"\s*\w+\((.*?)\) -> ", function.__doc__, re.S)
        assert first, function.__doc__
        scope: dict[str, Any] = {}
        exec(f"def function({first[1]}): pass", scope)
        return list(inspect.signature(scope["function"]).parameters.values())


def shown(parameters: list[inspect.Parameter]) -> list[tuple[str, Any, str]]:
    """What a caller sees; PyTorch's private parameters are not meant for callers."""
    return [
        (p.name, p.default, p.kind.description)
        for p in parameters
        if not p.name.startswith("_") and p.name not in ("self", "class")
    ]


PAIRS = [(room, name) for room in ROOMS for name in public(room) if name not in OWN.get(room, set())]


@pytest.mark.parametrize(("room", "name"), PAIRS, ids=[f"{room}.{name}" for room, name in PAIRS])
def test_a_call_of_pytorchs_is_a_call_of_tinyconvs(room: str, name: str) -> None:
    pytest.importorskip("torch")
    module = import_module(f"torch.{room}")
    assert hasattr(module, name), "PyTorch has no such name: it belongs into OWN"
    ours = list(inspect.signature(getattr(import_module(f"tinyconv.{room}"), name)).parameters.values())
    same = shown(ours) == shown(theirs(module, name))
    if f"{room}.{name}" in DIFFERENT:
        assert not same, "no longer different: take it off the list"
    else:
        assert shown(ours) == shown(theirs(module, name))


def test_there_is_something_to_compare() -> None:
    assert len(PAIRS) > 200
    assert {f"{room}.{name}" for room, name in PAIRS} > DIFFERENT.keys()


@pytest.mark.parametrize(
    "make",
    (
        lambda **o: nn.Linear(3, 4, **o),
        lambda **o: nn.Bilinear(3, 4, 2, **o),
        lambda **o: nn.Embedding(3, 4, 0, **o),
        lambda **o: nn.Conv1d(2, 4, 3, **o),
        lambda **o: nn.ConvTranspose2d(2, 4, 3, **o),
        lambda **o: nn.BatchNorm2d(4, **o),
        lambda **o: nn.InstanceNorm2d(4, affine=True, track_running_stats=True, **o),
        lambda **o: nn.GroupNorm(2, 4, **o),
        lambda **o: nn.LayerNorm(4, **o),
        lambda **o: nn.PReLU(**o),
    ),
)
def test_layers_are_made_in_a_dtype(make: Any) -> None:
    layer = make(device="cpu", dtype=tc.float64)
    floats = [t for t in layer.state_dict().values() if t.dtype.kind == "f"]
    assert floats and {t.dtype.name for t in floats} == {"float64"}
    with pytest.raises(tc.errors.DtypeError, match="int64"):
        make(dtype=tc.int64)
