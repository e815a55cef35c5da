"""Schedulers: PyTorch's learning rates over 50 steps, their state, and their wrong arguments."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tinyconv.errors import ArgumentError, CheckpointError, DtypeError, TinyconvError
from tinyconv.optim import SGD, Adagrad, Adam, Optimizer
from tinyconv.optim import lr_scheduler as ours

STEPS = 50
Build = Callable[[Any, Any], Any]


def warm_up_then_fall(lib: Any, optimizer: Any) -> Any:
    parts = [lib.LinearLR(optimizer, 0.1, total_iters=8), lib.CosineAnnealingLR(optimizer, 30, eta_min=1e-3)]
    return lib.SequentialLR(optimizer, parts, milestones=[8])


def four_after_each_other(lib: Any, optimizer: Any) -> Any:
    parts = [
        lib.LambdaLR(optimizer, lambda step: 1 / (1 + step)),
        lib.ExponentialLR(optimizer, 0.9),
        lib.StepLR(optimizer, 3),
        lib.MultiStepLR(optimizer, [2, 5], 0.5),
    ]
    return lib.SequentialLR(optimizer, parts, milestones=[5, 20, 31])


SCHEDULES: dict[str, Build] = {
    "step": lambda lib, o: lib.StepLR(o, 7, gamma=0.3),
    "step with gamma 0": lambda lib, o: lib.StepLR(o, 7, gamma=0.0),
    "multistep": lambda lib, o: lib.MultiStepLR(o, [30, 4, 4, 17]),
    "exponential": lambda lib, o: lib.ExponentialLR(o, 0.93),
    "cosine": lambda lib, o: lib.CosineAnnealingLR(o, 50),
    "cosine that rises again": lambda lib, o: lib.CosineAnnealingLR(o, T_max=11, eta_min=0.02),
    "cosine of one step": lambda lib, o: lib.CosineAnnealingLR(o, T_max=1),
    "linear": lambda lib, o: lib.LinearLR(o),
    "linear down": lambda lib, o: lib.LinearLR(o, start_factor=1.0, end_factor=0.0, total_iters=20),
    "lambda": lambda lib, o: lib.LambdaLR(o, lambda step: 0.95**step),
    "lambdas": lambda lib, o: lib.LambdaLR(o, [lambda step: 0.95**step, lambda step: step]),
    "one cycle": lambda lib, o: lib.OneCycleLR(o, 0.5, total_steps=STEPS),
    "one cycle, linear, three phases": lambda lib, o: lib.OneCycleLR(
        o,
        [0.5, 2.0],
        epochs=6,
        steps_per_epoch=9,
        pct_start=0.4,
        anneal_strategy="linear",
        three_phase=True,
        div_factor=10.0,
        final_div_factor=50.0,
    ),
    "one cycle without momentum": lambda lib, o: lib.OneCycleLR(o, 0.5, STEPS, cycle_momentum=False),
    "one cycle with other momenta": lambda lib, o: lib.OneCycleLR(
        o, 0.5, STEPS, base_momentum=[0.1, 0.2], max_momentum=[0.5, 0.9]
    ),
    "sequential": warm_up_then_fall,
    "four after each other": four_after_each_other,
}


def make(kind: str = "SGD", lib: Any = tc) -> Any:
    """An optimiser with two groups of different learning rates."""
    a, b = (lib.ones(1, requires_grad=True) for _ in range(2))
    options = {"momentum": 0.9} if kind == "SGD" else {}
    return getattr(lib.optim, kind)([{"params": [a], "lr": 0.4}, {"params": [b]}], lr=0.1, **options)


def settings(optimizer: Any) -> list[float]:
    """Learning rate and momentum of both groups."""
    groups = optimizer.param_groups
    return [x for g in groups for x in (g["lr"], g["momentum"] if "momentum" in g else g["betas"][0])]


def follow(optimizer: Any, schedulers: list[Any], steps: int) -> Iterator[list[float]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch wants the optimiser's step first
        for _ in range(steps):
            yield settings(optimizer)
            for scheduler in schedulers:
                scheduler.step()
        yield settings(optimizer)


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
    assert first.get_last_lr() == pytest.approx(second.get_last_lr(), rel=1e-10, abs=1e-15)
    assert first.last_epoch == second.last_epoch == STEPS


def test_schedulers_of_one_optimizer_multiply_as_in_pytorch() -> None:
    torch = pytest.importorskip("torch")
    both = []
    for lib, optimizer in ((ours, make()), (torch.optim.lr_scheduler, make(lib=torch))):
        parts = [lib.LinearLR(optimizer, 0.1), lib.ExponentialLR(optimizer, 0.9), lib.StepLR(optimizer, 9)]
        both.append(np.array(list(follow(optimizer, parts, 30))))
    np.testing.assert_allclose(both[0], both[1], rtol=1e-12)


PLATEAUS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "largest, relative": {"mode": "max", "patience": 2, "factor": 0.5},
    "smallest, absolute": {"threshold_mode": "abs", "threshold": 0.3, "patience": 0, "factor": 0.7},
    "largest, absolute": {"mode": "max", "threshold_mode": "abs", "threshold": 0.1, "patience": 1},
    "cooldown": {"patience": 1, "cooldown": 4, "factor": 0.5},
    "lowest rates": {"patience": 0, "min_lr": [0.05, 0.001]},
    "eps": {"patience": 0, "eps": 0.01},
}


@pytest.mark.parametrize("name", PLATEAUS)
def test_the_plateau_is_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(4)
    scores = 1 + np.exp(-np.arange(STEPS) / 5) + 0.05 * rng.standard_normal(STEPS)
    scores[7] = np.nan
    mine, theirs = make(), make(lib=torch)
    first = ours.ReduceLROnPlateau(mine, **PLATEAUS[name])
    second = torch.optim.lr_scheduler.ReduceLROnPlateau(theirs, **PLATEAUS[name])
    seen = set()
    for score in scores:
        first.step(tc.tensor(score))
        second.step(float(score))
        assert settings(mine) == pytest.approx(settings(theirs), rel=1e-12)
        assert first.num_bad_epochs == second.num_bad_epochs
        seen.add(mine.param_groups[0]["lr"])
    assert len(seen) > 1


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


def test_a_saved_plateau_goes_on_exactly() -> None:
    runs = []
    for stops in (False, True):
        optimizer, rates = make(), []
        scheduler = ours.ReduceLROnPlateau(optimizer, patience=3, factor=0.5)
        for step in range(30):
            if stops and step == 9:
                saved = json.loads(json.dumps([scheduler.state_dict(), optimizer.state_dict()]))
                optimizer = make()
                scheduler = ours.ReduceLROnPlateau(optimizer)
                scheduler.load_state_dict(saved[0])
                optimizer.load_state_dict(saved[1])
            scheduler.step(1.0 if step > 4 else 2.0)
            rates.append(settings(optimizer))
        runs.append(rates)
    assert runs[0] == runs[1] and runs[0][-1][0] < 0.4 * 0.5**3


def test_last_epoch_goes_on_with_a_new_scheduler() -> None:
    optimizer = make()
    list(follow(optimizer, [ours.ExponentialLR(optimizer, 0.5)], 3))
    with pytest.raises(ArgumentError, match=r"last_epoch is 3.*initial_lr"):
        ours.ExponentialLR(make(), 0.5, last_epoch=3)
    scheduler = ours.ExponentialLR(optimizer, 0.5, last_epoch=3)
    assert scheduler.last_epoch == 4 and scheduler.base_lrs == [0.4, 0.1]
    assert scheduler.get_last_lr() == pytest.approx([0.4 / 16, 0.1 / 16])


def sgd() -> Optimizer:
    return SGD([tc.ones(1)], lr=0.1, momentum=0.5)


def stepped(scheduler: Any, times: int) -> None:
    for _ in range(times):
        scheduler.step()


def grown() -> None:
    optimizer = sgd()
    scheduler = ours.StepLR(optimizer, 2)
    optimizer.add_param_group({"params": tc.ones(2)})
    scheduler.step()


WRONG: list[tuple[str, Callable[[], Any], type[TinyconvError], str]] = [
    ("StepLR", lambda: ours.StepLR(0.1, 3), DtypeError, "optimizer is a float"),
    ("StepLR", lambda: ours.StepLR(sgd(), 0), ArgumentError, "step_size is 0"),
    ("StepLR", lambda: ours.StepLR(sgd(), 2.5), ArgumentError, "step_size is 2.5"),
    ("StepLR", lambda: ours.StepLR(sgd(), 2, gamma=-1), ArgumentError, "gamma is -1"),
    ("StepLR", grown, ArgumentError, "number of groups is 2, expected 1"),
    ("MultiStepLR", lambda: ours.MultiStepLR(sgd(), [3, "x"]), ArgumentError, "milestones is 'x'"),
    ("ExponentialLR", lambda: ours.ExponentialLR(sgd(), None), ArgumentError, "gamma is None"),
    ("LinearLR", lambda: ours.LinearLR(sgd(), 0), ArgumentError, "start_factor is 0"),
    ("LinearLR", lambda: ours.LinearLR(sgd(), 2.0), ArgumentError, "start_factor is 2.0"),
    ("LinearLR", lambda: ours.LinearLR(sgd(), end_factor=-0.1), ArgumentError, "end_factor is -0.1"),
    ("LinearLR", lambda: ours.LinearLR(sgd(), total_iters=0), ArgumentError, "total_iters is 0"),
    ("CosineAnnealingLR", lambda: ours.CosineAnnealingLR(sgd(), 0), ArgumentError, "T_max is 0"),
    ("CosineAnnealingLR", lambda: ours.CosineAnnealingLR(sgd(), 5, -1), ArgumentError, "eta_min is -1"),
    ("LambdaLR", lambda: ours.LambdaLR(sgd(), 0.9), DtypeError, "lr_lambda is 0.9"),
    ("LambdaLR", lambda: ours.LambdaLR(sgd(), [abs, abs]), ArgumentError, "one for each of the 1"),
    ("OneCycleLR", lambda: ours.OneCycleLR(sgd(), 0.1), ArgumentError, "total_steps is None"),
    ("OneCycleLR", lambda: ours.OneCycleLR(sgd(), 0.1, epochs=3), ArgumentError, "total_steps is None"),
    ("OneCycleLR", lambda: ours.OneCycleLR(sgd(), [1, 2], 9), ArgumentError, r"max_lr is \[1, 2\]"),
    ("OneCycleLR", lambda: ours.OneCycleLR(sgd(), 0.1, 9, pct_start=2), ArgumentError, "pct_start is 2"),
    (
        "OneCycleLR",
        lambda: ours.OneCycleLR(sgd(), 0.1, 9, anneal_strategy="step"),
        ArgumentError,
        "anneal_strategy is 'step'",
    ),
    (
        "OneCycleLR",
        lambda: ours.OneCycleLR(Adagrad([tc.ones(1)]), 0.1, 9),
        ArgumentError,
        "Adagrad has neither momentum",
    ),
    ("OneCycleLR.step", lambda: stepped(ours.OneCycleLR(sgd(), 0.1, 3), 4), ArgumentError, "total_steps = 3"),
    ("ReduceLROnPlateau", lambda: ours.ReduceLROnPlateau(sgd(), "least"), ArgumentError, "mode is 'least'"),
    ("ReduceLROnPlateau", lambda: ours.ReduceLROnPlateau(sgd(), factor=1.0), ArgumentError, "factor is 1.0"),
    (
        "ReduceLROnPlateau",
        lambda: ours.ReduceLROnPlateau(sgd(), patience=-1),
        ArgumentError,
        "patience is -1",
    ),
    ("ReduceLROnPlateau.step", lambda: ours.ReduceLROnPlateau(sgd()).step("low"), DtypeError, "'low'"),
    ("SequentialLR", lambda: ours.SequentialLR(sgd(), [], []), ArgumentError, "schedulers is empty"),
    (
        "SequentialLR",
        lambda: ours.SequentialLR(sgd(), [ours.StepLR(sgd(), 2)], []),
        ArgumentError,
        r"schedulers\[0\] is of another optimizer",
    ),
    (
        "SequentialLR",
        lambda: ours.SequentialLR(OWN, [ours.StepLR(OWN, 2)], [3]),
        ArgumentError,
        r"milestones is \[3\], expected 0 rising",
    ),
    (
        "SequentialLR",
        lambda: ours.SequentialLR(OWN, [ours.ReduceLROnPlateau(OWN)], []),
        DtypeError,
        "a ReduceLROnPlateau",
    ),
    (
        "StepLR.load_state_dict",
        lambda: ours.StepLR(OWN, 2).load_state_dict(ours.ExponentialLR(OWN, 0.9).state_dict()),
        CheckpointError,
        "step_size",
    ),
    (
        "SequentialLR.load_state_dict",
        lambda: warm_up_then_fall(ours, OWN).load_state_dict({"_schedulers": []}),
        CheckpointError,
        "of 0 schedulers, expected 2",
    ),
]
OWN = Adam([tc.ones(1)])


@pytest.mark.parametrize(("where", "call", "error", "says"), WRONG)
def test_wrong_arguments(where: str, call: Callable[[], Any], error: type[TinyconvError], says: str) -> None:
    with pytest.raises(error, match=says) as caught:
        call()
    assert caught.value.where == where
