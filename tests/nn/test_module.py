"""Module: what is registered, state_dict, hooks, modes, repr."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tinyconv import nn
from tinyconv.errors import ArgumentError, CheckpointError, DtypeError


class Net(nn.Module):
    """A bit of everything."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2))
        self.heads = nn.ModuleList([nn.Linear(8, 3), nn.Linear(8, 2, bias=False)])
        self.scale = nn.Parameter(tc.ones(1))
        self.register_buffer("mean", tc.zeros(2))
        self.dropout = nn.Dropout(0.5)
        self.plain = tc.ones(3)
        self.note = "no parameter"

    def forward(self, x: tc.Tensor, head: int = 0) -> Any:
        return self.heads[head](self.dropout(self.features(x)).flatten(1)) * self.scale


KEYS = [
    "scale",
    "mean",
    "features.0.weight",
    "features.0.bias",
    "heads.0.weight",
    "heads.0.bias",
    "heads.1.weight",
]


def test_parameters_buffers_and_modules_are_registered_by_assignment() -> None:
    net = Net()
    assert list(net.state_dict()) == KEYS
    assert [name for name, _ in net.named_parameters()] == [key for key in KEYS if key != "mean"]
    assert [name for name, _ in net.named_buffers()] == ["mean"]
    assert [name for name, _ in net.named_children()] == ["features", "heads", "dropout"]
    names = [name for name, _ in net.named_modules()]
    assert names == [
        "",
        "features",
        "features.0",
        "features.1",
        "features.2",
        "heads",
        "heads.0",
        "heads.1",
        "dropout",
    ]
    assert sum(p.numel() for p in net.parameters()) == 1 + 2 * 9 + 2 + 24 + 3 + 16
    assert all(p.requires_grad and p.is_leaf for p in net.parameters())


def test_the_names_and_shapes_are_those_of_pytorch() -> None:
    torch = pytest.importorskip("torch")

    def build(lib: Any) -> Any:
        return lib.Sequential(
            lib.Conv2d(4, 6, (3, 2), groups=2),
            lib.Sequential(lib.ELU(), lib.ConvTranspose2d(6, 4, 2, stride=2, groups=2, bias=False)),
            lib.ModuleList([lib.Linear(5, 7), lib.Softmax(1)]),
            lib.CrossEntropyLoss(),
        )

    ours, theirs = build(nn).state_dict(), build(torch.nn).state_dict()
    assert {name: x.shape for name, x in ours.items()} == {name: tuple(x.shape) for name, x in theirs.items()}
    assert list(ours) == list(theirs)


def test_replacing_and_deleting_attributes() -> None:
    net = Net()
    net.scale = nn.Parameter(tc.ones(1) * 3)
    assert net.state_dict()["scale"].tolist() == [3.0]
    net.dropout = None
    assert [name for name, _ in net.named_children()] == ["features", "heads"]
    del net.heads
    assert not hasattr(net, "heads") and "heads.0.weight" not in net.state_dict()
    net.mean = tc.ones(2)
    assert net.state_dict()["mean"].tolist() == [1.0, 1.0]
    with pytest.raises(AttributeError, match="Net has no attribute 'nothing'"):
        _ = net.nothing


def test_assigning_before_init_is_an_error() -> None:
    class Hasty(nn.Module):
        def __init__(self) -> None:
            self.layer = nn.Linear(1, 1)

    with pytest.raises(ArgumentError, match=r"Hasty.*super\(\).__init__\(\)"):
        Hasty()


def test_a_module_without_forward_says_so() -> None:
    with pytest.raises(ArgumentError, match="Module: forward is not defined"):
        nn.Module()(tc.ones(1))


def test_shared_parameters_appear_once_among_parameters() -> None:
    first, second = nn.Linear(3, 3), nn.Linear(3, 3)
    second.weight = first.weight
    net = nn.Sequential(first, second)
    assert [name for name, _ in net.named_parameters()] == ["0.weight", "0.bias", "1.bias"]
    assert list(net.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    net(tc.ones(1, 3)).sum().backward()
    x = tc.ones(1, 3)
    alone = nn.Linear(3, 3)
    alone.load_state_dict(first.state_dict())
    hidden = alone(x)
    hidden_grad = (tc.ones(1, 3) @ first.weight.detach()).numpy()
    expected = np.outer(np.ones(3), hidden.detach().numpy()[0]) + np.outer(hidden_grad[0], np.ones(3))
    np.testing.assert_allclose(first.weight.grad.numpy(), expected, rtol=1e-6)


def test_a_module_used_twice_is_listed_once() -> None:
    layer = nn.Linear(2, 2)
    net = nn.Sequential(layer, nn.ReLU(), layer)
    assert [name for name, _ in net.named_modules()] == ["", "0", "1"]
    assert len(list(net.parameters())) == 2


def test_state_dict_round_trip() -> None:
    first, second = Net(), Net()
    result = second.load_state_dict(first.state_dict())
    assert result.missing_keys == [] and result.unexpected_keys == []
    for name, value in first.state_dict().items():
        assert (value.data.numpy() == second.state_dict()[name].data.numpy()).all()
        assert not np.shares_memory(value.data.numpy(), second.state_dict()[name].data.numpy())


def test_load_state_dict_takes_arrays_and_converts_dtypes() -> None:
    layer = nn.Linear(2, 1)
    layer.load_state_dict({"weight": np.array([[1.0, 2.0]]), "bias": tc.tensor([3.0], dtype="float64")})
    assert layer.weight.dtype == tc.float32
    assert layer(tc.ones(1, 2)).tolist() == [[6.0]]


def test_load_state_dict_refuses_what_does_not_fit_and_changes_nothing() -> None:
    net = Net()
    before = {name: x.data.numpy().copy() for name, x in net.state_dict().items()}
    state = {name: tc.as_tensor(x + 1) for name, x in before.items()}
    missing = {name: x for name, x in state.items() if name != "heads.1.weight"}
    with pytest.raises(CheckpointError, match=r"Net.load_state_dict.*missing \[heads.1.weight\]"):
        net.load_state_dict(missing)
    with pytest.raises(CheckpointError, match=r"unexpected \[other\]"):
        net.load_state_dict({**state, "other": tc.ones(1)})
    with pytest.raises(CheckpointError, match=r"heads.0.weight.*\(3, 9\).*\(3, 8\)"):
        net.load_state_dict({**state, "heads.0.weight": tc.ones(3, 9)})
    assert all((x.data.numpy() == before[name]).all() for name, x in net.state_dict().items())


def test_load_state_dict_that_is_not_strict() -> None:
    net = Net()
    result = net.load_state_dict({"scale": tc.tensor([7.0]), "other": tc.ones(1)}, strict=False)
    assert result.unexpected_keys == ["other"]
    assert result.missing_keys == [key for key in KEYS if key != "scale"]
    assert net.scale.tolist() == [7.0]


def test_train_and_eval_reach_all_modules() -> None:
    net = Net()
    x = tc.ones(2, 1, 6, 6)
    assert all(module.training for module in net.modules())
    assert net.eval() is net
    assert not any(module.training for module in net.modules())
    assert (net(x).data.numpy() == net(x).data.numpy()).all()
    net.train()
    assert net.dropout.training
    assert not (net(x).data.numpy() == net(x).data.numpy()).all()


def test_to_converts_parameters_and_buffers_in_place() -> None:
    net = Net()
    parameter = net.scale
    assert net.to("float64") is net
    assert net.scale is parameter
    assert {x.dtype for x in net.state_dict().values()} == {tc.float64}
    assert net(tc.ones(1, 1, 6, 6, dtype="float64")).dtype == tc.float64
    for wrong in ("int64", "float1", None):
        with pytest.raises(DtypeError, match=f"to: .* is {wrong!r}, expected"):
            net.to(wrong)


def test_freezing() -> None:
    net = Net()
    net.features.requires_grad_(False)
    net(tc.ones(1, 1, 6, 6)).sum().backward()
    assert net.features[0].weight.grad is None and net.heads[0].weight.grad is not None
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


def test_apply_visits_children_first() -> None:
    seen: list[str] = []
    nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.ReLU())).apply(lambda m: seen.append(type(m).__name__))
    assert seen == ["Linear", "ReLU", "Sequential", "Sequential"]


def test_hooks_see_change_and_leave() -> None:
    layer = nn.Linear(2, 2)
    seen: list[Any] = []
    forward = layer.register_forward_hook(lambda module, inputs, output: seen.append(output.shape))
    before = layer.register_forward_pre_hook(lambda module, inputs: (inputs[0] * 0,))
    after = layer.register_forward_hook(lambda module, inputs, output: output + 100)
    result = layer(tc.ones(3, 2))
    assert seen == [(3, 2)]
    np.testing.assert_allclose(
        result.detach().numpy(), np.tile(layer.bias.data.numpy() + 100, (3, 1)), rtol=1e-6
    )
    for handle in (forward, before, after, after):
        handle.remove()
    assert layer(tc.ones(3, 2)).data.numpy().max() < 50 and len(seen) == 1


def test_repr_is_that_of_pytorch() -> None:
    torch = pytest.importorskip("torch")

    def build(lib: Any) -> Any:
        return lib.Sequential(
            lib.Conv2d(3, 8, 3, padding=1, bias=False),
            lib.Sequential(lib.ReLU(), lib.LeakyReLU(0.1), lib.ELU(), lib.Sigmoid(), lib.Tanh()),
            lib.ConvTranspose2d(8, 4, 2, stride=2, output_padding=1),
            lib.Flatten(),
            lib.Linear(10, 2),
        )

    assert repr(build(nn)) == repr(build(torch.nn))


def test_containers_behave_like_lists() -> None:
    net = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 3))
    assert len(net) == 3 and isinstance(net[-1], nn.Linear)
    assert isinstance(net[:2], nn.Sequential) and len(net[:2]) == 2
    assert net[:2][0] is net[0]
    assert isinstance(nn.ModuleList(net)[1:], nn.ModuleList)
    with pytest.raises(IndexError, match="Sequential: index is 3"):
        net[3]
    with pytest.raises(DtypeError, match=r"module 1.*str.*Module"):
        nn.Sequential(nn.ReLU(), "ReLU")
    named = nn.Sequential({"first": nn.Linear(1, 1), "second": nn.ReLU()})
    assert list(named.state_dict()) == ["first.weight", "first.bias"]
    assert nn.Identity()(3) == 3


@pytest.mark.parametrize("make", (Net, lambda: tc.ones(2), lambda: nn.Parameter(tc.ones(2))))
def test_pickle_is_refused(make: Any) -> None:
    with pytest.raises(ArgumentError, match=r"safetensors"):
        pickle.dumps(make())


def test_a_module_can_be_deep_copied() -> None:
    net = Net()
    twin = copy.deepcopy(net)
    assert repr(twin) == repr(net)
    for name, value in net.state_dict().items():
        assert (value.data.numpy() == twin.state_dict()[name].data.numpy()).all()
        assert not np.shares_memory(value.data.numpy(), twin.state_dict()[name].data.numpy())
    assert all(isinstance(p, nn.Parameter) and p.requires_grad for p in twin.parameters())
