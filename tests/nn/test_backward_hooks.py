"""Backward hooks of modules against PyTorch: what they see, what they may change; hooks after errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tinyconv import nn
from tinyconv.errors import ArgumentError, GraphError

X = np.random.default_rng(0).standard_normal((2, 3))
W = np.random.default_rng(1).standard_normal((4, 3))


class Pair(nn.Module):
    def forward(self, a: Any, n: int, b: Any) -> Any:
        return a * n + b, a - b


def twin(torch: Any) -> Any:
    class TorchPair(torch.nn.Module):
        forward = Pair.forward

    return TorchPair()


def linear(lib: Any) -> Any:
    layer = lib.nn.Linear(3, 4, dtype=lib.float64)
    for p in layer.parameters():
        p.requires_grad_(False)
    layer.weight.copy_(lib.tensor(W))
    layer.bias.fill_(0.5)
    return layer.requires_grad_()


def record(lib: Any, needs: bool = True, **hooks: Any) -> list[Any]:
    """All gradients that the hooks see and that arrive, of a linear layer between two factors."""
    layer, seen = linear(lib), []
    x = lib.tensor(X, requires_grad=needs)

    def watch(name: str) -> Any:
        def call(module: Any, *told: Any) -> Any:
            assert module is layer
            seen.append((name, *(None if g is None else g.tolist() for grads in told for g in grads)))
            return hooks[name](*told) if hooks.get(name) else None

        return call

    layer.register_full_backward_hook(watch("after"))
    layer.register_full_backward_pre_hook(watch("before"))
    (layer(x * 2) * 3).sum().backward()
    return [*seen, x.grad.tolist() if needs else None, layer.weight.grad.tolist()]


CHANGES: dict[str, dict[str, Any]] = {
    "only seen": {},
    "the inputs' changed": {"after": lambda inputs, outputs: (inputs[0] * 10 + outputs[0].sum(),)},
    "the outputs' changed": {"before": lambda outputs: (outputs[0] * 0.25,)},
    "not in a tuple": {"after": lambda inputs, outputs: (inputs[0] * 10,), "before": lambda o: (o[0] + 1,)},
}


@pytest.mark.parametrize("name", CHANGES)
def test_hooks_see_and_change_what_pytorchs_do(name: str) -> None:
    torch = pytest.importorskip("torch")
    mine, other = record(tc, **CHANGES[name]), record(torch, **CHANGES[name])
    assert [len(entry) for entry in mine] == [len(entry) for entry in other]
    assert [entry[0] for entry in mine[:2]] == ["before", "after"]
    for got, expected in zip(mine, other, strict=True):
        start = 1 if isinstance(got[0], str) else 0
        for a, b in zip(got[start:], expected[start:], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.filterwarnings("ignore:Full backward hook is firing")
def test_inputs_that_need_no_gradient_are_none() -> None:
    torch = pytest.importorskip("torch")
    mine, other = record(tc, needs=False), record(torch, needs=False)
    assert [entry[0] for entry in mine[:2]] == ["before", "after"]
    assert mine[1][1] is None and other[1][1] is None
    np.testing.assert_allclose(mine[1][2], other[1][2], rtol=1e-12)


def test_several_inputs_and_outputs() -> None:
    torch = pytest.importorskip("torch")
    results = []
    for lib, module in ((tc, Pair()), (torch, twin(torch))):
        seen: list[Any] = []
        module.register_full_backward_hook(
            lambda m, i, o, seen=seen: seen.extend([None if g is None else g.tolist() for g in (*i, *o)])
        )
        a, b = (lib.tensor(X, requires_grad=True) for _ in range(2))
        first, second = module(a, 3, b)
        (first * 2 + second * second).sum().backward()
        assert seen[1] is None
        results.append([x for x in seen if x is not None] + [a.grad.tolist(), b.grad.tolist()])
    np.testing.assert_allclose(*results, rtol=1e-12)


def test_hooks_can_be_put_first_and_taken_away() -> None:
    layer, called = linear(tc), []
    second = layer.register_full_backward_hook(lambda *_: called.append("second"))
    layer.register_full_backward_hook(lambda *_: called.append("first"), prepend=True)
    x = tc.tensor(X, requires_grad=True)
    layer(x).sum().backward()
    assert called == ["first", "second"]
    second.remove()
    layer(x).sum().backward()
    assert called == ["first", "second", "first"]
    with tc.no_grad():
        assert layer(x).grad_fn is None


def test_gradients_of_gradients_pass() -> None:
    layer = linear(tc)
    layer.register_full_backward_hook(lambda m, i, o: (i[0] * 2,))
    x = tc.tensor(X, requires_grad=True)
    (grad,) = tc.autograd.grad((layer(x) ** 2).sum(), x, create_graph=True)
    np.testing.assert_allclose(grad.detach().numpy(), 4 * (X @ W.T + 0.5) @ W, rtol=1e-12)
    grad.sum().backward()
    assert x.grad is not None and np.abs(x.grad.data.numpy()).max() > 0


def test_results_that_do_not_fit_are_refused() -> None:
    x = tc.tensor(X, requires_grad=True)
    for result, says in (
        ((), r"is \(\), expected \(a gradient\)"),
        ((None,), r"is \(None\), expected"),
        (tc.ones(2), r"\(2,\) of float32, expected \(2, 3\) of float64"),
    ):
        layer = linear(tc)
        layer.register_full_backward_hook(lambda m, i, o, result=result: result)
        with pytest.raises(GraphError, match=says):
            layer(x).sum().backward()
    with pytest.raises(ArgumentError, match="hook is 3, expected a function"):
        linear(tc).register_full_backward_hook(3)


def test_an_output_that_cannot_be_watched_warns() -> None:
    class Dict(nn.Module):
        def forward(self, x: Any) -> Any:
            return {"y": x * 2}

    module = Dict()
    module.register_full_backward_hook(lambda *_: None)
    with pytest.warns(UserWarning, match="Dict: backward hooks need a Tensor or a tuple"):
        module(tc.tensor(X, requires_grad=True))


def test_hooks_that_are_always_called() -> None:
    class Broken(nn.Module):
        def forward(self, x: Any) -> Any:
            raise KeyError("broken")

    module, called = Broken(), []
    module.register_forward_hook(lambda m, i, o: called.append("never"))
    module.register_forward_hook(lambda m, i, o: called.append(o), always_call=True)
    module.register_forward_hook(lambda m, i, k, o: called.append(k), always_call=True, with_kwargs=True)
    with pytest.raises(KeyError, match="broken"):
        module(x=1)
    assert called == [None, {"x": 1}]
    module.register_forward_hook(lambda m, i, o: 1 / 0, always_call=True)
    with pytest.warns(UserWarning, match="division by zero"), pytest.raises(KeyError):
        module(1)
