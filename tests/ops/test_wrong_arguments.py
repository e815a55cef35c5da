"""Each argument of each op replaced by what hardly any can take: PyTorch's result, or a tinyconv error."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tests.ops.calls import CALLS, arguments, call, function
from tests.ops.table import NOT_DIFFERENTIABLE, OPS
from tests.ops.wrong import DIFFERENT, WIDER, replacements
from tinyconv.errors import DeviceError, TinyconvError

NAMES = sorted({op.name for op in OPS} | NOT_DIFFERENTIABLE)
every_name = pytest.mark.parametrize("name", NAMES)

RANDOM = {
    "alpha_dropout", "bernoulli", "dropout", "dropout1d", "dropout2d", "dropout3d", "empty", "empty_like",
    "feature_alpha_dropout", "gumbel_softmax", "multinomial", "normal", "rand", "rand_like", "randint",
    "randint_like", "randn", "randn_like", "randperm", "rrelu",
}  # fmt: skip
OWN = {
    "astype", "binary_focal_loss_with_logits", "dice_loss", "focal_loss", "generalised_dice_loss",
    "generalised_wasserstein_dice_loss", "maxout", "roi_align", "tversky_loss",
    "weighted_pixel_cross_entropy",
}  # fmt: skip
"""What PyTorch does not have."""

NOT_COMPARED = ("device", "dtype", "requires_grad", "generator", "memory_format")
"""These arguments are written otherwise in PyTorch."""

OTHER_NAMES = {
    ("max", "maximum"),
    ("min", "minimum"),
    ("arange", "Tensor"),
    ("randint", "Tensor"),
    ("to", "contiguous"),
}
"""Ops that hand a wrong argument on to another one."""


class Refused(Exception):
    """What `attempt` gives for a tinyconv error."""


def attempt(name: str, given: dict[str, Any], argument: str, label: str) -> Any:
    """The result; `Refused` if there was an error that says what is wrong. Anything else fails."""
    what = f"{name} with {argument} = {label}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", RuntimeWarning)
            return call(name, given)
    except TinyconvError as error:
        message = str(error)
        assert error.expected and "\n" not in message, what
        named = error.where == name or (name, error.where) in OTHER_NAMES
        assert named or isinstance(error, DeviceError), f"{what}: {message}"
        return Refused
    except Exception as error:
        raise AssertionError(f"{what}: {type(error).__name__}: {error}") from error


def wrong_calls(name: str) -> Any:
    """(argument, what it is replaced by, all arguments)."""
    base = arguments(name)
    parameters = inspect.signature(function(name)).parameters
    for argument, value in base.items():
        for label, other in replacements(value).items():
            several = parameters[argument].kind is inspect.Parameter.VAR_POSITIONAL
            yield argument, label, {**base, argument: (other,) if several else other}


def test_every_op_has_a_right_call() -> None:
    assert set(CALLS) == set(NAMES)


@every_name
def test_a_wrong_argument_gives_a_tinyconv_error_or_no_error(name: str) -> None:
    assert attempt(name, arguments(name), "nothing", "wrong") is not Refused
    outcomes = [attempt(name, given, argument, label) for argument, label, given in wrong_calls(name)]
    assert Refused in outcomes or name == "is_tensor"


@every_name
def test_a_missing_or_unknown_argument_is_a_type_error(name: str) -> None:
    with pytest.raises((TypeError, TinyconvError)):
        function(name)(surprise=1)


@pytest.mark.parametrize("name", sorted(set(NAMES) - OWN))
def test_what_is_accepted_is_accepted_by_pytorch_with_the_same_result(name: str) -> None:
    torch = pytest.importorskip("torch")
    twin = twins(torch)[name]
    base = arguments(name)
    assert same(torch, name, call(name, base), call(name, to_torch(torch, base), twin))
    compared = 0
    for argument, label, given in wrong_calls(name):
        if argument in NOT_COMPARED or label == "an int beyond int64":
            continue
        result = attempt(name, given, argument, label)
        if result is Refused:
            continue
        what = f"{name} with {argument} = {label}"
        try:
            expected = call(name, to_torch(torch, given), twin)
        except Exception as error:
            assert (name, argument) in WIDER, f"{what}: PyTorch: {type(error).__name__}: {error}"
            continue
        compared += 1
        if (name, argument) not in DIFFERENT:
            assert same(torch, name, result, expected), f"{what}: {result} is not {expected}"
    print(f"{name}: {compared} accepted calls give PyTorch's result")


def twins(torch: Any) -> dict[str, Any]:
    """PyTorch's function of each name."""
    places = (torch.nn.functional, torch, torch.Tensor)
    found = {n: getattr(place, n) for place in reversed(places) for n in NAMES if hasattr(place, n)}
    return {
        **found,
        "argsort": torch.argsort,
        "nonzero": torch.nonzero,
        "index": lambda x, key: x[key],
        "to": lambda x, *names, **options: x.to(*(getattr(torch, str(n), n) for n in names), **options),
    }


def to_torch(torch: Any, value: Any) -> Any:
    """Tensors become PyTorch's, wherever they are."""
    if isinstance(value, tc.Tensor):
        return torch.from_numpy(value.detach().numpy().copy())
    if isinstance(value, dict):
        return {key: to_torch(torch, item) for key, item in value.items()}
    return type(value)(to_torch(torch, v) for v in value) if isinstance(value, list | tuple) else value


def same(torch: Any, name: str, ours: Any, theirs: Any) -> bool:
    """Equal but for rounding; of random numbers only shape and dtype."""
    if isinstance(ours, list | tuple):
        pairs = zip(ours, theirs, strict=False)
        return len(ours) == len(theirs) and all(same(torch, name, a, b) for a, b in pairs)
    if not isinstance(ours, tc.Tensor):
        return bool(ours == theirs)
    array = theirs.numpy()
    if ours.shape != array.shape or ours.dtype != array.dtype:
        return False
    return name in RANDOM or np.allclose(ours.detach().numpy(), array, 1e-4, 1e-5, equal_nan=True)
