"""Names, order and defaults of the arguments are PyTorch's, name by name, but for a list with reasons."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from typing import Any

import pytest

import tinyconv as tc
from tinyconv import nn, optim

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
        "generalised_wasserstein_dice_loss", "maxout", "roi_align", "tversky_loss",
        "weighted_pixel_cross_entropy",
    },
    "nn.init": {"fans", "he_normal_", "he_uniform_"},
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


METHODS = {
    nn.Module: (
        "add_module", "apply", "buffers", "children", "cpu", "double", "eval", "extra_repr", "float",
        "get_buffer", "get_parameter", "get_submodule", "load_state_dict", "modules", "named_buffers",
        "named_children", "named_modules", "named_parameters", "parameters", "register_buffer",
        "register_forward_hook", "register_forward_pre_hook", "register_full_backward_hook",
        "register_full_backward_pre_hook", "register_module", "register_parameter", "requires_grad_", "train",
        "zero_grad",
    ),
    nn.Sequential: ("append", "insert", "pop"),
    nn.ModuleList: ("append", "extend", "insert", "pop"),
    nn.ModuleDict: ("clear", "items", "keys", "pop", "values"),
    optim.Optimizer: ("add_param_group", "load_state_dict", "state_dict", "step", "zero_grad"),
    optim.lr_scheduler.LRScheduler: ("get_last_lr", "load_state_dict", "state_dict", "step"),
}  # fmt: skip
NAMES = [(kind, name) for kind, names in METHODS.items() for name in names]


@pytest.mark.parametrize(("kind", "name"), NAMES, ids=[f"{kind.__name__}.{name}" for kind, name in NAMES])
def test_methods_have_pytorchs_arguments(kind: type, name: str) -> None:
    pytest.importorskip("torch")
    room = kind.__module__.removeprefix("tinyconv.")
    torch_room = "optim.lr_scheduler" if "scheduler" in room else room.split(".")[0]
    twin = getattr(getattr(import_module(f"torch.{torch_room}"), kind.__name__), name)
    ours, other = (shown(list(inspect.signature(f).parameters.values())) for f in (getattr(kind, name), twin))
    assert [p[:1] + p[2:] for p in ours] == [p[:1] + p[2:] for p in other]
    assert [p[1] for p in ours] == [p[1] for p in other]


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
