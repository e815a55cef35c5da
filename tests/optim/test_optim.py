"""Optimisers against PyTorch's over many steps, their state, and their wrong arguments."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tests.backends import BACKENDS, kernels
from tests.gpu import tensor, to_host
from tinyconv import optim
from tinyconv.device import array_module
from tinyconv.errors import ArgumentError, CheckpointError, DtypeError, TinyconvError

OPTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "SGD": ("SGD", {"lr": 0.1}),
    "momentum": ("SGD", {"lr": 0.1, "momentum": 0.9}),
    "dampening": ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.4}),
    "nesterov": ("SGD", {"lr": 0.05, "momentum": 0.8, "nesterov": True}),
    "SGD with weight decay": ("SGD", {"lr": 0.1, "momentum": 0.5, "weight_decay": 0.3}),
    "Adam": ("Adam", {"lr": 0.05}),
    "Adam with all": ("Adam", {"lr": 0.05, "betas": (0.7, 0.95), "eps": 1e-3, "weight_decay": 0.2}),
    "AdamW": ("AdamW", {"lr": 0.05}),
    "AdamW with all": ("AdamW", {"lr": 0.05, "betas": (0.7, 0.95), "eps": 1e-3, "weight_decay": 0.5}),
    "RMSprop": ("RMSprop", {}),
    "RMSprop, centered": ("RMSprop", {"lr": 0.02, "alpha": 0.9, "eps": 1e-3, "centered": True}),
    "RMSprop with all": (
        "RMSprop",
        {"lr": 0.02, "alpha": 0.8, "eps": 1e-2, "weight_decay": 0.3, "momentum": 0.7, "centered": True},
    ),
    "RMSprop with momentum": ("RMSprop", {"lr": 0.02, "momentum": 0.9}),
    "Adagrad": ("Adagrad", {}),
    "Adagrad with all": (
        "Adagrad",
        {
            "lr": 0.3,
            "lr_decay": 0.1,
            "weight_decay": 0.2,
            "initial_accumulator_value": 0.5,
            "eps": 1e-3,
        },
    ),
    "amsgrad": ("Adam", {"lr": 0.05, "betas": (0.5, 0.6), "weight_decay": 0.1, "amsgrad": True}),
    "AdamW, amsgrad": ("AdamW", {"lr": 0.05, "betas": (0.5, 0.6), "weight_decay": 0.3, "amsgrad": True}),
    "Adam, decoupled": ("Adam", {"lr": 0.05, "weight_decay": 0.3, "decoupled_weight_decay": True}),
    "SGD, maximize": ("SGD", {"lr": 0.01, "momentum": 0.9, "weight_decay": 0.1, "maximize": True}),
    "Adam, maximize": ("Adam", {"lr": 0.01, "weight_decay": 0.1, "maximize": True}),
    "amsgrad, maximize": ("Adam", {"lr": 0.01, "amsgrad": True, "maximize": True}),
    "AdamW, maximize": ("AdamW", {"lr": 0.01, "maximize": True}),
    "RMSprop, maximize": ("RMSprop", {"lr": 0.01, "centered": True, "maximize": True}),
    "Adagrad, maximize": ("Adagrad", {"lr": 0.1, "weight_decay": 0.1, "maximize": True}),
    "Adadelta, maximize": ("Adadelta", {"weight_decay": 0.1, "maximize": True}),
    "Adadelta": ("Adadelta", {}),
    "Adadelta with all": ("Adadelta", {"lr": 0.7, "rho": 0.7, "eps": 1e-3, "weight_decay": 0.2}),
}
SHAPES = ((7, 5), (3, 2, 3, 3), ())
STEPS = 20


def start(dtype: str = "float64") -> list[Any]:
    rng = np.random.default_rng(0)
    return [np.asarray(rng.standard_normal(shape)).astype(dtype) for shape in SHAPES]


def loss(parameters: list[Any], step: int) -> Any:
    """Something with a different gradient for each element and step."""
    return sum((p * p * 0.3 + p * float(np.cos(step))).sum() for p in parameters)


def run(optimizer: Any, parameters: list[Any], steps: range, skip: int | None = None) -> None:
    for step in steps:
        optimizer.zero_grad()
        loss([p for i, p in enumerate(parameters) if i != skip or step % 2], step).backward()
        optimizer.step()


def leaves(arrays: list[Any]) -> list[tc.Tensor]:
    return [tc.tensor(x, requires_grad=True) for x in arrays]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("dtype", "within"), (("float64", 1e-12), ("float32", 2e-5)))
@pytest.mark.parametrize("name", OPTIONS)
def test_twenty_steps_are_pytorchs(name: str, dtype: str, within: float, backend: str) -> None:
    torch = pytest.importorskip("torch")
    kind, options = OPTIONS[name]
    ours, theirs = leaves(start(dtype)), [torch.tensor(x, requires_grad=True) for x in start(dtype)]
    with kernels(backend, threads=1):
        run(getattr(optim, kind)(ours, **options), ours, range(STEPS))
    run(getattr(torch.optim, kind)(theirs, **options), theirs, range(STEPS))
    for p, q in zip(ours, theirs, strict=True):
        assert p.dtype == dtype and p.is_leaf
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=within, atol=within)


@pytest.mark.parametrize("name", OPTIONS)
def test_a_parameter_without_gradient_is_left_alone_as_in_pytorch(name: str) -> None:
    torch = pytest.importorskip("torch")
    kind, options = OPTIONS[name]
    ours, theirs = leaves(start()), [torch.tensor(x, requires_grad=True) for x in start()]
    run(getattr(optim, kind)(ours, **options), ours, range(6), skip=1)
    run(getattr(torch.optim, kind)(theirs, **options), theirs, range(6), skip=1)
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-12)


@pytest.mark.parametrize("name", OPTIONS)
def test_a_saved_state_goes_on_exactly(name: str) -> None:
    kind, options = OPTIONS[name]
    straight = leaves(start("float32"))
    run(getattr(optim, kind)(straight, **options), straight, range(STEPS))

    first = leaves(start("float32"))
    before = getattr(optim, kind)(first, **options)
    run(before, first, range(8))
    saved = before.state_dict()
    numbers = json.loads(json.dumps(saved["param_groups"]))
    state = {str(i): {k: to_host(v) for k, v in entry.items()} for i, entry in saved["state"].items()}

    second = leaves([p.data.numpy() for p in first])
    after = getattr(optim, kind)(second, lr=123.0)
    after.load_state_dict({"state": state, "param_groups": numbers})
    run(after, second, range(8, STEPS))
    for p, q in zip(second, straight, strict=True):
        np.testing.assert_array_equal(p.data.numpy(), q.data.numpy())


def test_loading_copies_the_state() -> None:
    parameters = leaves(start())
    optimizer = optim.Adam(parameters)
    run(optimizer, parameters, range(2))
    other = optim.Adam(leaves(start()))
    other.load_state_dict(optimizer.state_dict())
    copied, kept = (o.state_dict()["state"][0]["exp_avg"] for o in (other, optimizer))
    np.testing.assert_array_equal(to_host(copied), to_host(kept))
    assert not array_module(kept).shares_memory(copied, kept)


def test_groups_have_their_own_options() -> None:
    a, b = leaves([np.ones(2), np.ones(2)])
    optimizer = optim.SGD([{"params": [a]}, {"params": b, "lr": 0.5}], lr=0.1)
    (a + b).sum().backward()
    optimizer.step()
    assert a.tolist() == [0.9, 0.9] and b.tolist() == [0.5, 0.5]
    optimizer.param_groups[0]["lr"] = 0.0
    optimizer.step()
    assert a.tolist() == [0.9, 0.9] and b.tolist() == [0.0, 0.0]
    assert [group["params"] for group in optimizer.state_dict()["param_groups"]] == [[0], [1]]


def test_groups_can_be_added_between_steps() -> None:
    torch = pytest.importorskip("torch")

    def train(library: Any, parameters: list[Any]) -> None:
        optimizer = library.optim.Adam(parameters[:1], lr=0.05)
        run(optimizer, parameters, range(4))
        optimizer.add_param_group({"params": parameters[1:], "lr": 0.01, "weight_decay": 0.3})
        run(optimizer, parameters, range(4, 9))
        assert [group["lr"] for group in optimizer.param_groups] == [0.05, 0.01]

    ours, theirs = leaves(start()), [torch.tensor(x, requires_grad=True) for x in start()]
    train(tc, ours)
    train(torch, theirs)
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-12)


def test_a_closure_computes_the_loss_before_the_step() -> None:
    (a,) = leaves([np.array([3.0])])
    optimizer = optim.SGD([a], lr=0.5)

    def closure() -> tc.Tensor:
        optimizer.zero_grad()
        value = (a * a).sum()
        value.backward()
        return value

    assert optimizer.step(closure).item() == 9.0
    assert a.tolist() == [0.0]
    assert optimizer.step() is None


def test_rounding_does_not_make_the_variance_of_a_constant_gradient_negative() -> None:
    slopes = np.linspace(0.1, 3, 100, dtype=np.float32)
    (a,) = leaves([np.ones(100, np.float32)])
    optimizer = optim.RMSprop([a], centered=True, alpha=0.5, eps=0.1)
    for _ in range(60):
        optimizer.zero_grad()
        (a * tc.tensor(slopes)).sum().backward()
        optimizer.step()
    state = optimizer.state[a]
    assert (state["square_avg"] < state["grad_avg"] ** 2).any()  # else this test shows nothing
    assert np.isfinite(a.data.numpy()).all()


def test_zero_grad() -> None:
    (a,) = leaves([np.ones(2)])
    optimizer = optim.SGD([a])
    a.sum().backward()
    kept = a.grad
    optimizer.zero_grad(set_to_none=False)
    assert kept.tolist() == [0.0, 0.0] and a.grad is kept
    optimizer.zero_grad()
    assert a.grad is None


def test_the_gradient_is_not_changed_and_no_graph_is_made() -> None:
    (a,) = leaves([np.ones(2)])
    optimizer = optim.SGD([a], lr=0.1, momentum=0.9, weight_decay=0.1)
    (a * 2).sum().backward()
    optimizer.step()
    assert a.grad.tolist() == [2.0, 2.0]
    assert a.grad_fn is None and a.requires_grad
    optimizer.step()
    assert a.grad.tolist() == [2.0, 2.0]  # it shares no memory with the momentum


def test_parameters_in_any_memory_order() -> None:
    x = np.asfortranarray(np.ones((4, 3), np.float32))
    (a,), (b,) = leaves([x]), leaves([np.ones((4, 3))])
    a = tensor(x, requires_grad=True)
    for p in (a, b):
        optimizer = optim.Adam([p], lr=0.1)
        run(optimizer, [p], range(3))
    np.testing.assert_allclose(a.data.numpy(), b.data.numpy(), rtol=1e-5)


SHARED = tc.ones(1)
WRONG: list[tuple[str, Callable[[], Any], type[TinyconvError], str]] = [
    ("SGD", lambda: optim.SGD([]), ArgumentError, "params is empty"),
    ("SGD", lambda: optim.SGD(tc.ones(1)), DtypeError, r"model\.parameters\(\)"),
    ("SGD", lambda: optim.SGD([3.0]), DtypeError, r"params\[0\] is a float"),
    ("SGD", lambda: optim.SGD([tc.ones(1, requires_grad=True) * 2]), DtypeError, "a leaf Tensor"),
    ("SGD", lambda: optim.SGD([tc.ones(1)], lr=-0.1), ArgumentError, "lr is -0.1"),
    ("SGD", lambda: optim.SGD([tc.ones(1)], lr=float("nan")), ArgumentError, "lr is nan"),
    ("SGD", lambda: optim.SGD([tc.ones(1)], lr="fast"), ArgumentError, "lr is 'fast'"),
    ("SGD", lambda: optim.SGD([tc.ones(1)], momentum=-1), ArgumentError, "momentum is -1"),
    ("SGD", lambda: optim.SGD([tc.ones(1)], nesterov=True), ArgumentError, "nesterov is True.*momentum > 0"),
    ("SGD", lambda: optim.SGD([tc.ones(1)], weight_decay=-1), ArgumentError, "weight_decay is -1"),
    ("SGD", lambda: optim.SGD([{"lr": 0.1}]), ArgumentError, r"params\[0\] is .*key 'params'"),
    ("Adam", lambda: optim.Adam([tc.ones(1)], betas=(0.9, 1.0)), ArgumentError, r"betas is \(0.9, 1.0\)"),
    ("Adam", lambda: optim.Adam([tc.ones(1)], betas=(0.9,)), ArgumentError, "betas"),
    ("Adam", lambda: optim.Adam([tc.ones(1)], betas=0.9), ArgumentError, "betas is 0.9"),
    ("Adam", lambda: optim.Adam([tc.ones(1)], eps=-1e-8), ArgumentError, "eps is -1e-08"),
    ("AdamW", lambda: optim.AdamW([tc.ones(1)], betas=(1.0, 0.9)), ArgumentError, r"betas is \(1.0, 0.9\)"),
    ("RMSprop", lambda: optim.RMSprop([tc.ones(1)], alpha=-0.1), ArgumentError, "alpha is -0.1"),
    ("RMSprop", lambda: optim.RMSprop([tc.ones(1)], momentum="much"), ArgumentError, "momentum is 'much'"),
    ("Adagrad", lambda: optim.Adagrad([tc.ones(1)], lr_decay=-1), ArgumentError, "lr_decay is -1"),
    ("Adadelta", lambda: optim.Adadelta([tc.ones(1)], rho=1.5), ArgumentError, "rho is 1.5"),
    ("SGD", lambda: optim.SGD([SHARED, SHARED]), ArgumentError, r"params\[1\] is there twice"),
    (
        "SGD",
        lambda: optim.SGD([SHARED]).add_param_group({"params": SHARED}),
        ArgumentError,
        r"params\[1\] is there twice",
    ),
    (
        "SGD",
        lambda: optim.SGD([SHARED]).add_param_group([SHARED]),
        ArgumentError,
        "param_group is .*'params'",
    ),
    (
        "SGD",
        lambda: optim.SGD([SHARED]).add_param_group({"params": [3]}),
        DtypeError,
        r"params\[1\] is a int",
    ),
]


@pytest.mark.parametrize(("where", "call", "error", "says"), WRONG)
def test_wrong_arguments(where: str, call: Callable[[], Any], error: type[TinyconvError], says: str) -> None:
    with pytest.raises(error, match=says) as caught:
        call()
    assert caught.value.where == where


def test_a_state_that_does_not_fit_is_refused_and_changes_nothing() -> None:
    parameters = leaves(start())
    optimizer = optim.Adam(parameters)
    run(optimizer, parameters, range(2))
    before = optimizer.state_dict()["state"][0]["exp_avg"].copy()
    other = leaves([np.ones(2), np.ones(3), np.ones(())])
    stranger = optim.Adam(other)
    run(stranger, other, range(1))
    with pytest.raises(CheckpointError, match=r"Adam.load_state_dict: .*\(2,\).*\(7, 5\)"):
        optimizer.load_state_dict(stranger.state_dict())
    with pytest.raises(CheckpointError, match=r"parameters per group is \[1\], expected \[3\]"):
        optimizer.load_state_dict(optim.Adam(leaves([np.ones(2)])).state_dict())
    with pytest.raises(CheckpointError, match="of parameter 9, expected 3"):
        saved = optimizer.state_dict()
        optimizer.load_state_dict({**saved, "state": {9: saved["state"][0]}})
    assert (optimizer.state_dict()["state"][0]["exp_avg"] == before).all()


def test_an_optimiser_is_shown_with_the_options_of_its_groups() -> None:
    groups = [{"params": [tc.nn.Parameter(tc.ones(2))]}, {"params": [tc.nn.Parameter(tc.ones(2))], "lr": 0.5}]
    lines = repr(tc.optim.SGD(groups, lr=0.1)).split("\n")
    assert lines[0] == "SGD (" and lines[-1] == ")"
    assert [line.strip() for line in lines if "lr" in line or "Group" in line] == [
        "Parameter Group 0", "lr: 0.1", "Parameter Group 1", "lr: 0.5",
    ]  # fmt: skip
