"""Module: what scripts look up, add, convert and hook into, as in PyTorch."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tinyconv import nn
from tinyconv.errors import ArgumentError, DtypeError, TinyconvError


class Scaled(nn.Module):
    """Its forward has a keyword argument."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2)

    def forward(self, x: tc.Tensor, *, scale: float = 1.0) -> tc.Tensor:
        return self.layer(x) * scale


def build(lib: Any) -> Any:
    """The same net of tinyconv and of PyTorch."""
    relu = lib.nn.ReLU()
    net = lib.nn.Module()
    net.features = lib.nn.Sequential(lib.nn.Conv2d(1, 2, 3), relu, lib.nn.Conv2d(2, 2, 1, bias=False), relu)
    net.add_module("head", lib.nn.ModuleDict({"b": lib.nn.Linear(2, 1), "a": relu}))
    net.register_module("nothing", None)
    net.scales = lib.nn.ParameterList([lib.nn.Parameter(lib.ones(3)), lib.ones(1, 2)])
    net.weights = lib.nn.ParameterDict({"w": lib.nn.Parameter(lib.zeros(2))})
    net.register_buffer("kept", lib.zeros(1))
    net.register_buffer("not_kept", lib.zeros(2), persistent=False)
    net.register_parameter("own", lib.nn.Parameter(lib.ones(1)))
    net.shared = net.features[0]
    return net


LISTINGS: dict[str, Callable[[Any], Any]] = {
    "modules": lambda net: [name for name, _ in net.named_modules()],
    "modules with prefix": lambda net: [name for name, _ in net.named_modules(prefix="net")],
    "children": lambda net: [name for name, _ in net.named_children()],
    "children of one used twice": lambda net: [name for name, _ in net.features.named_children()],
    "parameters": lambda net: [(name, tuple(p.shape)) for name, p in net.named_parameters()],
    "own parameters": lambda net: [name for name, _ in net.named_parameters(recurse=False)],
    "parameters with prefix": lambda net: [name for name, _ in net.named_parameters("net")],
    "number of own parameters": lambda net: len(list(net.parameters(recurse=False))),
    "buffers": lambda net: [name for name, _ in net.named_buffers()],
    "number of buffers": lambda net: len(list(net.buffers())),
    "state": lambda net: [(name, tuple(x.shape)) for name, x in net.state_dict().items()],
    "state with prefix": lambda net: list(net.features.state_dict(prefix="features.")),
    "state of variables": lambda net: [x.requires_grad for x in net.state_dict(keep_vars=True).values()],
    "keys": lambda net: (list(net.head.keys()), list(net.head), len(net.head), "a" in net.head),
    "lists": lambda net: (len(net.scales), [tuple(p.shape) for p in net.scales], len(net.weights)),
    "submodule": lambda net: type(net.get_submodule("features.2")).__name__,
    "itself": lambda net: net.get_submodule("") is net,
    "parameter": lambda net: net.get_parameter("head.b.weight") is net.head["b"].weight,
    "buffer": lambda net: net.get_buffer("kept") is net.kept,
}


@pytest.mark.parametrize("name", LISTINGS)
def test_what_is_found_is_what_pytorch_finds(name: str) -> None:
    torch = pytest.importorskip("torch")
    assert LISTINGS[name](build(tc)) == LISTINGS[name](build(torch))


def test_lists_change_as_in_pytorch() -> None:
    torch = pytest.importorskip("torch")
    listings = []
    for lib in (tc, torch):
        net = lib.nn.Sequential(lib.nn.ReLU(), lib.nn.Tanh(), lib.nn.Sigmoid(), lib.nn.ELU())
        tail = net[1:3]
        del net[1]
        net.insert(1, lib.nn.Identity())
        net[0] = lib.nn.Softmax(1)
        net.extend([lib.nn.Flatten()])
        modules = lib.nn.ModuleList([lib.nn.ReLU()])
        modules.insert(0, lib.nn.Tanh())
        modules.extend([lib.nn.ELU(), lib.nn.Sigmoid()])
        del modules[-2]
        kinds = [
            [(n, type(m).__name__) for n, m in x.named_children()] for x in (net, tail, modules, modules[1:])
        ]
        listings.append(kinds)
    assert listings[0] == listings[1]


def test_dictionaries_change() -> None:
    net = nn.ModuleDict([("a", nn.Linear(1, 1)), ("b", nn.ReLU())])
    net["c"] = nn.Tanh()
    assert isinstance(net.pop("b"), nn.ReLU) and list(net) == ["a", "c"]
    del net["a"]
    net.update({"d": nn.ELU()})
    assert [(key, repr(value)) for key, value in net.items()] == [("c", "Tanh()"), ("d", "ELU(alpha=1.0)")]
    net.clear()
    assert len(net) == 0 and list(net.parameters()) == []
    with pytest.raises(KeyError, match="key is 'a', expected one of"):
        _ = net["a"]
    weights = nn.ParameterList([tc.ones(1), tc.ones(2)])
    weights[-1] = tc.zeros(4)
    assert weights[1].shape == (4,) and isinstance(weights[1], nn.Parameter)
    assert [p.shape for p in weights[1:]] == [(4,)]
    with pytest.raises(IndexError, match="index is 2, expected -2 to 1"):
        _ = weights[2]


def test_buffers_that_are_not_kept_are_still_converted() -> None:
    net = build(tc).double()
    assert net.not_kept.dtype == tc.float64 and net.own.dtype == tc.float64
    assert net.float().not_kept.dtype == tc.float32
    net.load_state_dict(build(tc).state_dict())
    net.register_buffer("not_kept", tc.ones(2))
    assert "not_kept" in net.state_dict()
    del net.kept
    net.register_buffer("kept", tc.ones(2), persistent=False)
    assert "kept" not in copy.deepcopy(net).state_dict()


def test_all_ways_to_convert() -> None:
    net = nn.BatchNorm2d(2)
    for arguments, options in ((("cpu", tc.float64), {}), ((), {"device": "cpu", "dtype": "float64"})):
        assert net.float().to(*arguments, **options) is net
        assert net.weight.dtype == tc.float64 and net.running_mean.dtype == tc.float64
        assert net.num_batches_tracked.dtype == tc.int64
    with pytest.raises(DtypeError, match=r"BatchNorm2d.to: dtype is 'int64'"):
        net.to(dtype="int64")


def test_keyword_arguments_reach_forward() -> None:
    net = Scaled()
    x = tc.ones(1, 2)
    np.testing.assert_allclose(net(x, scale=3.0).tolist(), (net(x) * 3).tolist(), rtol=1e-6)
    np.testing.assert_allclose(net(x=x).tolist(), net(x).tolist())


def test_hooks_with_keyword_arguments() -> None:
    net, seen = Scaled(), []
    x = tc.ones(1, 2)
    expected = (net(x) * 6).tolist()

    def before(module: Any, inputs: tuple, options: dict[str, Any]) -> Any:
        seen.append(("before", dict(options)))
        return inputs, {"scale": 2 * options["scale"]}

    def after(module: Any, inputs: tuple, options: dict[str, Any], output: tc.Tensor) -> None:
        seen.append(("after", dict(options)))

    with (
        net.register_forward_pre_hook(before, with_kwargs=True),
        net.register_forward_hook(after, with_kwargs=True),
    ):
        np.testing.assert_allclose(net(x, scale=3.0).tolist(), expected, rtol=1e-6)
    assert seen == [("before", {"scale": 3.0}), ("after", {"scale": 6.0})]
    net(x, scale=3.0)
    assert len(seen) == 2


def test_hooks_can_be_put_first() -> None:
    net, seen = nn.ReLU(), []
    net.register_forward_hook(lambda *told: seen.append("second"))
    net.register_forward_hook(lambda *told: seen.append("first"), prepend=True)
    net(tc.ones(1))
    assert seen == ["first", "second"]


def test_gradients_can_be_set_to_zero() -> None:
    net = Scaled()
    net(tc.ones(1, 2)).sum().backward()
    net.zero_grad(set_to_none=False)
    assert all(p.grad.tolist() == (p.detach() * 0).tolist() for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


def result_of_an_op() -> tc.Tensor:
    return tc.ones(1, requires_grad=True) * 2


WRONG: list[tuple[str, Callable[[], Any], type[TinyconvError], str]] = [
    (
        "get_submodule",
        lambda: build(tc).get_submodule("features.7"),
        ArgumentError,
        "'features.7'.*'3'.*in feat",
    ),
    ("get_submodule", lambda: build(tc).get_submodule("feature"), ArgumentError, "did you mean 'features'"),
    ("get_parameter", lambda: build(tc).get_parameter("shared.wieght"), ArgumentError, "mean 'weight'"),
    ("get_buffer", lambda: build(tc).get_buffer("own"), ArgumentError, "'kept', 'not_kept'.* in Module"),
    ("ReLU.add_module", lambda: nn.ReLU().add_module("a.b", None), ArgumentError, "name is 'a.b'"),
    ("ReLU.add_module", lambda: nn.ReLU().add_module("forward", None), ArgumentError, "not an attribute yet"),
    (
        "ReLU.add_module",
        lambda: nn.ReLU().add_module("a", "b"),
        DtypeError,
        "module is a str, expected a Module",
    ),
    ("ReLU.register_buffer", lambda: nn.ReLU().register_buffer("", None), ArgumentError, "name is ''"),
    ("ReLU.register_buffer", lambda: nn.ReLU().register_buffer("a", 3), DtypeError, "tensor is a int"),
    (
        "ReLU.register_parameter",
        lambda: nn.ReLU().register_parameter("a", tc.ones(1)),
        DtypeError,
        "Parameter",
    ),
    ("ModuleDict.add_module", lambda: nn.ModuleDict({"a": 3}), DtypeError, "module is a int"),
    ("ModuleDict.add_module", lambda: nn.ModuleDict({"keys": nn.ReLU()}), ArgumentError, "name is 'keys'"),
    ("ParameterList", lambda: nn.ParameterList([3]), DtypeError, "parameter 0 is a int"),
    (
        "ParameterDict",
        lambda: nn.ParameterDict({"a": result_of_an_op()}),
        ArgumentError,
        "the result of an op",
    ),
    ("ReLU.load_state_dict", lambda: nn.ReLU().load_state_dict([1]), DtypeError, "state_dict is a list"),
]


@pytest.mark.parametrize(("where", "call", "error", "says"), WRONG)
def test_wrong_arguments(where: str, call: Callable[[], Any], error: type[TinyconvError], says: str) -> None:
    with pytest.raises(error, match=says) as caught:
        call()
    assert caught.value.where == where
