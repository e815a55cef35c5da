"""What may be assigned to a module's attributes, and modules that stand in two places."""

from __future__ import annotations

import numpy as np
import pytest

import tinyconv as tc
from tinyconv import nn
from tinyconv.errors import DtypeError


@pytest.mark.parametrize("value", [tc.ones(2, 2), np.ones((2, 2)), 3])
def test_a_parameter_is_not_replaced_by_something_else(value):
    layer = nn.Linear(2, 2)
    with pytest.raises(DtypeError, match=r"attribute weight is a .*expected a Parameter or None"):
        layer.weight = value
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias"]


def test_a_module_and_a_buffer_are_not_replaced_by_something_else():
    model = nn.Sequential(nn.ReLU())
    model.child = nn.ReLU()
    model.register_buffer("mean", tc.zeros(2))
    with pytest.raises(DtypeError, match="expected a Module or None"):
        model.child = tc.tanh
    with pytest.raises(DtypeError, match="expected a Tensor or None"):
        model.mean = np.zeros(2)
    model.mean = tc.ones(2)
    model.child = None
    assert dict(model.named_buffers())["mean"].tolist() == [1, 1]


def test_every_hook_is_called_also_when_its_handle_is_not_kept():
    layer, called = nn.ReLU(), []
    for name in "abc":
        layer.register_forward_hook(lambda *_, name=name: called.append(name))
        layer.register_forward_pre_hook(lambda *_, name=name: called.append(name.upper()))
    layer(tc.zeros(1))
    assert called == ["A", "B", "C", "a", "b", "c"]


def test_a_shared_module_has_both_names_in_the_state_dict_and_one_place_in_the_parameters():
    torch = pytest.importorskip("torch")

    def shared(library):
        layer = library.nn.Linear(2, 3)
        return library.nn.Sequential(layer, library.nn.ReLU(), layer)

    ours, theirs = shared(tc), shared(torch)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    ours.load_state_dict({name: value.numpy() for name, value in theirs.state_dict().items()})
    np.testing.assert_array_equal(ours[2].weight.detach().numpy(), theirs[0].weight.detach().numpy())


def test_the_short_names_of_to():
    layer = nn.Linear(2, 3)
    assert layer.double() is layer and layer.weight.dtype == tc.float64
    assert layer.float().cpu() is layer and layer.weight.dtype == tc.float32


def test_a_parameter_is_made_of_a_tensor() -> None:
    with pytest.raises(DtypeError, match="Parameter: data is a list, expected a Tensor"):
        nn.Parameter([1.0, 2.0])


def test_a_name_that_is_no_buffer_any_more_is_saved_again():
    module = nn.Module()
    module.register_buffer("scale", tc.zeros(2), persistent=False)
    module.register_buffer("empty", None, persistent=False)
    module.scale, module.empty = nn.Parameter(tc.zeros(2)), nn.Parameter(tc.ones(1))
    assert sorted(module.state_dict()) == ["empty", "scale"]
