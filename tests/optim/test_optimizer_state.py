"""The optimisers' state is PyTorch's, both ways; options that only say how a step is computed."""

from __future__ import annotations

import numpy as np
import pytest

import tinyconv as tc
from tests.gpu import to_host
from tests.optim.test_optim import OPTIONS, SHAPES, leaves, run, start
from tinyconv import nn, optim
from tinyconv.errors import ArgumentError


@pytest.mark.parametrize("name", OPTIONS)
def test_states_go_to_pytorch_and_come_back(name: str) -> None:
    torch = pytest.importorskip("torch")
    kind, options = OPTIONS[name]
    straight, ours = leaves(start()), leaves(start())
    run(getattr(optim, kind)(straight, **options), straight, range(12))
    first = getattr(optim, kind)(ours, **options)
    run(first, ours, range(4))

    state = first.state_dict()
    entries = {i: {k: torch.as_tensor(to_host(v)) for k, v in e.items()} for i, e in state["state"].items()}
    theirs = [torch.tensor(p.data.numpy(), requires_grad=True) for p in ours]
    second = getattr(torch.optim, kind)(theirs, lr=123.0)
    assert state["param_groups"][0].keys() == second.state_dict()["param_groups"][0].keys()
    second.load_state_dict({"state": entries, "param_groups": state["param_groups"]})
    run(second, theirs, range(4, 8))

    state = second.state_dict()
    entries = {
        i: {k: None if v is None else v.numpy() for k, v in e.items()} for i, e in state["state"].items()
    }
    back = leaves([p.detach().numpy() for p in theirs])
    third = getattr(optim, kind)(back, lr=123.0)
    third.load_state_dict({"state": entries, "param_groups": state["param_groups"]})
    run(third, back, range(8, 12))
    for p, q in zip(back, straight, strict=True):
        np.testing.assert_allclose(p.data.numpy(), q.data.numpy(), rtol=1e-11, atol=1e-13)


def test_the_state_of_a_parameter_is_found_by_the_parameter() -> None:
    parameters = leaves(start())
    optimizer = optim.Adam(parameters)
    run(optimizer, parameters, range(3))
    assert optimizer.state[parameters[1]]["step"] == 3
    assert optimizer.state[parameters[1]]["exp_avg"].shape == SHAPES[1]


@pytest.mark.parametrize("kind", ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta"))
def test_options_of_how_a_step_is_computed(kind: str) -> None:
    make, (p,) = getattr(optim, kind), leaves([np.ones(2)])
    make([p], foreach=True)
    for option, value in (("differentiable", True), ("maximize", "yes"), ("foreach", 1)):
        with pytest.raises(ArgumentError, match=f"{kind}: {option} is {value!r}, expected .*(False|None)"):
            make([p], **{option: value})
    if kind not in ("SGD", "Adagrad"):
        with pytest.raises(ArgumentError, match=f"{kind}: capturable is True, expected False"):
            make([p], capturable=True)


def test_named_parameters_are_taken_too() -> None:
    layer = nn.Linear(2, 2)
    optimizer = optim.SGD(layer.named_parameters(), lr=0.1)
    optimizer.add_param_group({"params": [("more", nn.Parameter(tc.ones(1)))]})
    assert [len(group["params"]) for group in optimizer.param_groups] == [2, 1]
    assert optimizer.param_groups[0]["params"][0] is layer.weight
