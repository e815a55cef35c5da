"""Averaged models: PyTorch's averages, a teacher by hand, state, and wrong arguments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tinyconv import nn
from tinyconv.errors import ArgumentError, DtypeError, ShapeError
from tinyconv.optim.swa_utils import AveragedModel, get_ema_avg_fn, get_ema_multi_avg_fn

WEIGHTS = np.random.default_rng(1).standard_normal((7, 3, 2))


def build(lib: Any) -> Any:
    model = lib.nn.Linear(2, 3, bias=False)
    model.register_buffer("mean", lib.ones(2))
    return model


def fill(model: Any, step: int, lib: Any) -> None:
    with lib.no_grad():
        model.weight.copy_(lib.tensor(WEIGHTS[step]))
        model.mean.fill_(float(step))


OPTIONS: dict[str, Any] = {
    "mean": lambda lib: {},
    "mean of buffers too": lambda lib: {"use_buffers": True},
    "exponential": lambda lib: {"avg_fn": lib.get_ema_avg_fn(0.8)},
    "exponential, all at once": lambda lib: {"multi_avg_fn": lib.get_ema_multi_avg_fn(), "use_buffers": True},
    "own": lambda lib: {"avg_fn": lambda averaged, current, count: averaged * 0.5 + current * (count + 1)},
}


@pytest.mark.parametrize("name", OPTIONS)
def test_averages_are_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch")
    results = []
    for lib in (tc, torch):
        model = build(lib)
        averaged = lib.optim.swa_utils.AveragedModel(model, **OPTIONS[name](lib.optim.swa_utils))
        for step in range(len(WEIGHTS)):
            fill(model, step, lib)
            averaged.update_parameters(model)
        results.append({key: np.asarray(value.tolist()) for key, value in averaged.state_dict().items()})
    ours, theirs = results
    assert ours.keys() == theirs.keys() == {"n_averaged", "module.weight", "module.mean"}
    for key, value in ours.items():
        np.testing.assert_allclose(value, theirs[key], rtol=1e-5, atol=1e-6)


def test_the_teacher_is_an_exponential_average_of_the_student() -> None:
    student = build(tc)
    teacher = AveragedModel(student, multi_avg_fn=get_ema_multi_avg_fn(0.75))
    expected = WEIGHTS[0]
    for step, weight in enumerate(WEIGHTS):
        fill(student, step, tc)
        teacher.update_parameters(student)
        expected = 0.75 * expected + 0.25 * weight
    np.testing.assert_allclose(teacher.module.weight.data.numpy(), expected, rtol=1e-6)
    np.testing.assert_allclose(student.weight.data.numpy(), WEIGHTS[-1], rtol=1e-6)
    x = tc.ones(1, 2)
    assert teacher(x).tolist() == teacher.module(x).tolist()
    assert teacher.n_averaged.item() == len(WEIGHTS)
    assert teacher.module.mean.tolist() == [6.0, 6.0]


def test_averaging_goes_on_from_a_state_dict() -> None:
    student, runs = build(tc), []
    for stop in (None, 3):
        teacher = AveragedModel(student, avg_fn=get_ema_avg_fn(0.5))
        for step in range(6):
            if step == stop:
                saved = {key: value.clone() for key, value in teacher.state_dict().items()}
                teacher = AveragedModel(student, avg_fn=get_ema_avg_fn(0.5))
                teacher.load_state_dict(saved)
            fill(student, step, tc)
            teacher.update_parameters(student)
        runs.append(teacher.module.weight.data.numpy())
    np.testing.assert_array_equal(*runs)


def test_wrong_arguments() -> None:
    with pytest.raises(DtypeError, match="AveragedModel: model is a Tensor"):
        AveragedModel(tc.ones(1))
    with pytest.raises(ArgumentError, match="multi_avg_fn is given next to avg_fn"):
        AveragedModel(nn.ReLU(), avg_fn=get_ema_avg_fn(), multi_avg_fn=get_ema_multi_avg_fn())
    with pytest.raises(ArgumentError, match=r"decay is 1.5, expected a number from 0 to 1"):
        get_ema_avg_fn(1.5)
    averaged = AveragedModel(nn.Linear(2, 3))
    with pytest.raises(ShapeError, match=r"update_parameters: model is of shapes \[\(3, 4\), \(3,\)\]"):
        averaged.update_parameters(nn.Linear(4, 3))
    assert averaged.n_averaged.item() == 0
