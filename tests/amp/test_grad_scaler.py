"""`GradScaler` beside PyTorch's: the same scales, the same steps left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tinyconv.errors import ArgumentError, DtypeError, GraphError

torch: Any = pytest.importorskip("torch")

OPTIONS: dict[str, Any] = {
    "init_scale": 512.0,
    "growth_factor": 3.0,
    "backoff_factor": 0.3,
    "growth_interval": 3,
}


def run(library: Any, factors: list[float], **options: Any) -> tuple[list[float], list[list[float]], Any]:
    """Steps whose gradients are multiplied by these factors: the scales, the weights, the last state."""
    w = library.nn.Parameter(library.tensor([1.0, -2.0, 3.0]))
    optimizer = library.optim.SGD([w], lr=0.1, momentum=0.9)
    scaler = library.amp.GradScaler("cpu", **{**OPTIONS, **options})
    scales, weights = [], []
    for factor in factors:
        optimizer.zero_grad()
        scaler.scale((w * w).sum() * factor).backward()
        scaler.step(optimizer)
        scaler.update()
        scales.append(scaler.get_scale())
        weights.append(w.tolist())
    return scales, weights, scaler.state_dict()


SEQUENCES = {
    "grows": [1.0] * 8,
    "shrinks and grows again": [1.0, np.inf, 1.0, 1.0, 1.0, np.nan, -np.inf, 1.0],
    "an interval begins anew": [1.0, 1.0, np.inf, 1.0, 1.0, np.nan, 1.0, 1.0, 1.0, 1.0],
}


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_scales_and_steps_are_pytorchs(sequence: str) -> None:
    ours, theirs = (run(library, SEQUENCES[sequence]) for library in (tc, torch))
    assert ours[0] == theirs[0]
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-6)
    assert ours[2] == theirs[2]
    assert len(set(ours[0])) > 1


def test_a_scale_that_would_be_infinite_does_not_grow() -> None:
    options = {"init_scale": 2.0**126, "growth_factor": 8.0, "growth_interval": 1}
    factors = [2.0**-100] * 3
    ours, theirs = (run(library, factors, **options) for library in (tc, torch))
    assert ours[0] == theirs[0] == [2.0**126] * 3


def clipped(library: Any) -> list[float]:
    """Gradients that are brought back and clipped before the step."""
    w = library.nn.Parameter(library.tensor([3.0, 4.0]))
    optimizer = library.optim.SGD([w], lr=1.0)
    scaler = library.amp.GradScaler("cpu", init_scale=1024.0)
    scaler.scale((w * w).sum()).backward()
    scaler.unscale_(optimizer)
    norm = library.nn.utils.clip_grad_norm_([w], 1.0)
    scaler.step(optimizer)
    scaler.update()
    return [float(norm), *w.tolist()]


def test_gradients_may_be_clipped_between() -> None:
    np.testing.assert_allclose(clipped(tc), clipped(torch), rtol=1e-5)
    assert clipped(tc)[0] == 10.0


def test_two_optimisers_share_a_scale() -> None:
    for library in (tc, torch):
        one, two = (library.nn.Parameter(library.tensor([1.0])) for _ in range(2))
        optimizers = [library.optim.SGD([w], lr=0.5) for w in (one, two)]
        scaler = library.amp.GradScaler("cpu", init_scale=8.0)
        losses = scaler.scale([(one * 1.0).sum(), (two * float("inf")).sum()])
        assert isinstance(losses, list)
        for loss, optimizer in zip(losses, optimizers, strict=True):
            loss.backward()
            scaler.step(optimizer)
        scaler.update()
        assert (one.item(), two.item(), scaler.get_scale()) == (0.5, 1.0, 4.0)


def test_the_state_goes_on_elsewhere() -> None:
    first = tc.amp.GradScaler(init_scale=64.0, growth_interval=2)
    w = tc.nn.Parameter(tc.tensor([1.0]))
    optimizer = tc.optim.SGD([w], lr=0.1)
    second = tc.amp.GradScaler()
    for scaler in (first, second):
        if scaler is second:
            scaler.load_state_dict(first.state_dict())
        optimizer.zero_grad()
        scaler.scale(w.sum()).backward()
        scaler.step(optimizer)
        scaler.update()
    assert second.get_scale() == 128.0  # the second step in a row
    with pytest.raises(ArgumentError, match="without growth_factor"):
        second.load_state_dict({"scale": 1.0})


def test_a_scaler_that_is_not_enabled_does_nothing() -> None:
    w = tc.nn.Parameter(tc.tensor([1.0]))
    optimizer = tc.optim.SGD([w], lr=0.5)
    scaler = tc.amp.GradScaler(enabled=False)
    loss = w.sum()
    assert scaler.scale(loss) is loss
    loss.backward()
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
    assert w.item() == 0.5 and scaler.get_scale() == 1 and scaler.state_dict() == {}


def test_calls_in_the_wrong_order_are_refused() -> None:
    w = tc.nn.Parameter(tc.tensor([1.0]))
    optimizer = tc.optim.SGD([w], lr=0.5)
    scaler = tc.amp.GradScaler()
    with pytest.raises(GraphError, match=r"step\(\) before update\(\)"):
        scaler.update()
    with pytest.raises(GraphError, match=r"backward\(\) before"):
        scaler.step(optimizer)
    scaler.scale(w.sum()).backward()
    scaler.unscale_(optimizer)
    with pytest.raises(GraphError, match="already unscaled"):
        scaler.unscale_(optimizer)
    scaler.step(optimizer)
    with pytest.raises(GraphError, match="already done"):
        scaler.step(optimizer)
    with pytest.raises(GraphError, match=r"already used by step\(\)"):
        scaler.unscale_(optimizer)
    with pytest.raises(ArgumentError, match="closure"):
        scaler.step(optimizer, closure=lambda: None)
    with pytest.raises(ArgumentError, match="growth_factor"):
        tc.amp.GradScaler(growth_factor=1.0)
    with pytest.raises(ArgumentError, match="backoff_factor"):
        tc.amp.GradScaler(backoff_factor=1.0)
    with pytest.raises(DtypeError, match="a Tensor, or several"):
        scaler.scale(3.0)
