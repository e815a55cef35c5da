"""Schedules that restart, cycle, or are made of others: PyTorch's rates, their state, wrong arguments."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tests.optim.test_lr_scheduler import STEPS, follow, make, settings, sgd, stepped
from tinyconv.errors import ArgumentError, CheckpointError, DtypeError, TinyconvError
from tinyconv.optim import Adagrad
from tinyconv.optim import lr_scheduler as ours


def chained(lib: Any, optimizer: Any) -> Any:
    return lib.ChainedScheduler([lib.ConstantLR(optimizer, 0.1, 7), lib.ExponentialLR(optimizer, 0.9)])


def sequence(lib: Any, optimizer: Any) -> Any:
    parts = [
        lib.ConstantLR(optimizer, 0.25, 4),
        lib.CosineAnnealingWarmRestarts(optimizer, 6),
        lib.PolynomialLR(optimizer, 20, 2.0),
    ]
    return lib.SequentialLR(optimizer, parts, milestones=[5, 21])


SCHEDULES: dict[str, Callable[[Any, Any], Any]] = {
    "constant": lambda lib, o: lib.ConstantLR(o),
    "constant, longer": lambda lib, o: lib.ConstantLR(o, factor=0.7, total_iters=30),
    "polynomial": lambda lib, o: lib.PolynomialLR(o),
    "polynomial, steep": lambda lib, o: lib.PolynomialLR(o, total_iters=40, power=0.9),
    "multiplicative": lambda lib, o: lib.MultiplicativeLR(o, lambda step: 0.9 + step / 1000),
    "multiplicative, two": lambda lib, o: lib.MultiplicativeLR(o, [lambda step: 0.9, lambda step: 1.01]),
    "restarts": lambda lib, o: lib.CosineAnnealingWarmRestarts(o, 7),
    "restarts, longer and longer": lambda lib, o: lib.CosineAnnealingWarmRestarts(o, 3, 2, eta_min=0.01),
    "cyclic": lambda lib, o: lib.CyclicLR(o, 0.1, 0.9, 7),
    "cyclic, halved": lambda lib, o: lib.CyclicLR(o, [0.1, 0.2], [0.9, 0.5], 4, 9, mode="triangular2"),
    "cyclic, exponential": lambda lib, o: lib.CyclicLR(
        o, 0.1, 0.9, 5, mode="exp_range", gamma=0.95, base_momentum=0.2, max_momentum=[0.4, 0.8]
    ),
    "cyclic, own": lambda lib, o: lib.CyclicLR(
        o, 0.1, 0.9, 5, scale_fn=lambda x: 1 / (1 + x), scale_mode="iterations", cycle_momentum=False
    ),
    "chained": chained,
    "sequence": sequence,
}


@pytest.mark.parametrize("kind", ("SGD", "Adam"))
@pytest.mark.parametrize("name", SCHEDULES)
def test_fifty_steps_are_pytorchs(name: str, kind: str) -> None:
    torch = pytest.importorskip("torch")
    mine, theirs = make(kind), make(kind, torch)
    first = SCHEDULES[name](ours, mine)
    second = SCHEDULES[name](torch.optim.lr_scheduler, theirs)
    got = np.array(list(follow(mine, [first], STEPS)))
    wanted = np.array(list(follow(theirs, [second], STEPS)))
    np.testing.assert_allclose(got, wanted, rtol=1e-10, atol=1e-15)
    assert len(set(got[:, 0])) > 1
    assert first.get_last_lr() == pytest.approx(second.get_last_lr(), rel=1e-10, abs=1e-15)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_saved_state_goes_on_exactly(name: str) -> None:
    straight = make()
    expected = list(follow(straight, [SCHEDULES[name](ours, straight)], 40))
    optimizer = make()
    scheduler = SCHEDULES[name](ours, optimizer)
    list(follow(optimizer, [scheduler], 19))
    saved = json.loads(json.dumps([scheduler.state_dict(), optimizer.state_dict()["param_groups"]]))

    again = make()
    resumed = SCHEDULES[name](ours, again)
    resumed.load_state_dict(saved[0])
    again.load_state_dict({"state": {}, "param_groups": saved[1]})
    assert list(follow(again, [resumed], 21)) == expected[19:]


def test_restarts_within_an_epoch_are_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    mine, theirs = make(), make(lib=torch)
    first = ours.CosineAnnealingWarmRestarts(mine, 4, 2)
    second = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(theirs, 4, 2)
    for moment in (0.0, 0.5, 3.75, 4.0, 5.25, 11.9, 12.5, None, 30.0, None):
        first.step(moment)
        second.step(moment)
        assert settings(mine) == pytest.approx(settings(theirs), rel=1e-10)
        assert first.last_epoch == second.last_epoch


def test_a_product_at_a_given_step() -> None:
    optimizer = make()
    scheduler = ours.MultiplicativeLR(optimizer, lambda step: 1 / step)
    scheduler.step(4)
    assert scheduler.get_last_lr() == pytest.approx([0.4 / 24, 0.1 / 24])


OWN = sgd()
WRONG: list[tuple[str, Callable[[], Any], type[TinyconvError], str]] = [
    ("ConstantLR", lambda: ours.ConstantLR(sgd(), 0), ArgumentError, "factor is 0, expected above 0"),
    ("ConstantLR", lambda: ours.ConstantLR(sgd(), 1.5), ArgumentError, "factor is 1.5"),
    ("ConstantLR", lambda: ours.ConstantLR(sgd(), 0.5, 0), ArgumentError, "total_iters is 0"),
    ("PolynomialLR", lambda: ours.PolynomialLR(sgd(), 2.5), ArgumentError, "total_iters is 2.5"),
    ("PolynomialLR", lambda: ours.PolynomialLR(sgd(), 3, "2"), ArgumentError, "power is '2'"),
    (
        "CosineAnnealingWarmRestarts",
        lambda: ours.CosineAnnealingWarmRestarts(sgd(), 0),
        ArgumentError,
        "T_0 is 0",
    ),
    (
        "CosineAnnealingWarmRestarts",
        lambda: ours.CosineAnnealingWarmRestarts(sgd(), 3, 1.5),
        ArgumentError,
        "T_mult is 1.5",
    ),
    (
        "CosineAnnealingWarmRestarts.step",
        lambda: ours.CosineAnnealingWarmRestarts(sgd(), 3).step(-1),
        ArgumentError,
        "epoch is -1",
    ),
    ("CyclicLR", lambda: ours.CyclicLR(sgd(), 0.1, [1, 2]), ArgumentError, "max_lr is"),
    ("CyclicLR", lambda: ours.CyclicLR(sgd(), "low", 1), ArgumentError, "base_lr is 'low'"),
    ("CyclicLR", lambda: ours.CyclicLR(sgd(), 0.1, 1, 0), ArgumentError, "step_size_up is 0"),
    ("CyclicLR", lambda: ours.CyclicLR(sgd(), 0.1, 1, mode="saw"), ArgumentError, "mode is 'saw'"),
    ("CyclicLR", lambda: ours.CyclicLR(sgd(), 0.1, 1, scale_mode="no"), ArgumentError, "scale_mode is 'no'"),
    ("CyclicLR", lambda: ours.CyclicLR(sgd(), 0.1, 1, scale_fn=2), DtypeError, "scale_fn is 2"),
    (
        "CyclicLR",
        lambda: ours.CyclicLR(Adagrad([tc.ones(1)]), 0.1, 1),
        ArgumentError,
        "Adagrad has neither momentum",
    ),
    ("ChainedScheduler", lambda: ours.ChainedScheduler([]), ArgumentError, "schedulers is empty"),
    ("ChainedScheduler", lambda: ours.ChainedScheduler([3]), DtypeError, "a int, expected a scheduler"),
    (
        "ChainedScheduler",
        lambda: ours.ChainedScheduler([ours.ReduceLROnPlateau(OWN)]),
        DtypeError,
        "a ReduceLROnPlateau",
    ),
    (
        "ChainedScheduler",
        lambda: ours.ChainedScheduler([ours.StepLR(OWN, 2), ours.StepLR(sgd(), 2)]),
        ArgumentError,
        r"schedulers\[1\] is of another optimizer",
    ),
    ("ChainedScheduler.step", lambda: chained(ours, sgd()).step(3), ArgumentError, "epoch is 3"),
    (
        "ChainedScheduler.load_state_dict",
        lambda: chained(ours, sgd()).load_state_dict({}),
        CheckpointError,
        "of 0 schedulers, expected 2",
    ),
    ("MultiplicativeLR", lambda: ours.MultiplicativeLR(sgd(), 0.9), DtypeError, "lr_lambda is 0.9"),
]


@pytest.mark.parametrize(("where", "call", "error", "says"), WRONG)
def test_wrong_arguments(where: str, call: Callable[[], Any], error: type[TinyconvError], says: str) -> None:
    with pytest.raises(error, match=says) as caught:
        call()
    assert caught.value.where == where


def test_sequences_go_on_after_their_parts() -> None:
    scheduler = sequence(ours, sgd())
    stepped(scheduler, 60)
    assert scheduler.get_last_lr() == [0.0]
