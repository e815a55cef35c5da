"""Optimisers, clipping, initialisers, averages and summary on a GPU, or in the emulator of one."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tests.gpu import gpu
from tinyconv import nn, optim
from tinyconv.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

OPTIMIZERS: dict[str, dict[str, Any]] = {
    "SGD": {"lr": 0.1, "momentum": 0.9, "nesterov": True},
    "Adam": {"weight_decay": 0.1},
    "AdamW": {"lr": 0.05},
    "RMSprop": {"momentum": 0.5, "centered": True, "eps": 1e-3},
    "Adagrad": {"initial_accumulator_value": 0.1},
    "Adadelta": {"eps": 1e-3},
}


@pytest.fixture(autouse=True)
def _gpu() -> Iterator[None]:
    with gpu():
        yield


def train(device: str, kind: str) -> list[np.ndarray]:
    """Five steps of a small model, with all that is done between them; the weights and an average."""
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ELU(), nn.Flatten(), nn.Linear(27, 2)).double()
    for parameter in model.parameters():
        parameter.array[...] = rng.standard_normal(parameter.shape)
    x = tc.tensor(rng.standard_normal((4, 2, 5, 5))).to(device)
    model.to(device)
    optimizer = getattr(optim, kind)(model.parameters(), **OPTIMIZERS[kind])
    scheduler = optim.lr_scheduler.StepLR(optimizer, 2, 0.5)
    teacher = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.8))
    norms = []
    for _ in range(5):
        optimizer.zero_grad()
        (model(x) ** 2).mean().backward()
        norms.append(nn.utils.clip_grad_norm_(model.parameters(), 1.0).item())
        nn.utils.clip_grad_value_(model.parameters(), 0.3)
        optimizer.step()
        scheduler.step()
        teacher.update_parameters(model)
    vectors = [nn.utils.parameters_to_vector(m.parameters()).detach().cpu() for m in (model, teacher)]
    assert next(teacher.parameters()).device.startswith(device)
    return [np.array(norms), *(vector.numpy() for vector in vectors)]


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_training_on_the_gpu_is_training_on_the_cpu(kind: str) -> None:
    for ours, expected in zip(train("cuda", kind), train("cpu", kind), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("norm_type", (2.0, 1, 3.5, inf))
def test_norms_of_gradients_on_the_gpu(norm_type: float) -> None:
    """Also of one without elements, and of no elements at all."""
    rng, found = np.random.default_rng(0), []
    grads = [rng.standard_normal(shape) for shape in ((3, 4), (0, 2), (5,))]
    for device in ("cpu", "cuda"):
        parameters = [nn.Parameter(tc.zeros(*grad.shape, dtype="float64").to(device)) for grad in grads]
        for parameter, grad in zip(parameters, grads, strict=True):
            parameter.grad = tc.tensor(grad).to(device)
        norm = nn.utils.clip_grad_norm_(parameters, 0.5, norm_type)
        assert norm.device.startswith(device)
        assert nn.utils.clip_grad_norm_(parameters[1], 0.5, norm_type).item() == 0
        found.append([norm.item(), *(p.grad.cpu().numpy() for p in parameters if p.grad is not None)])
    assert found[0][0] == pytest.approx(np.linalg.norm(np.concatenate([g.ravel() for g in grads]), norm_type))
    for ours, expected in zip(found[1], found[0], strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-12)


@pytest.mark.parametrize("name", ("orthogonal_", "dirac_", "he_normal_", "trunc_normal_", "ones_"))
def test_initialisers_fill_arrays_on_the_gpu(name: str) -> None:
    filled = []
    for device in ("cpu", "cuda"):
        tc.manual_seed(3)
        filled.append(getattr(nn.init, name)(tc.zeros(4, 2, 3, 3).to(device)).cpu().numpy())
    np.testing.assert_array_equal(*filled)


def test_a_model_on_the_gpu_can_be_summed_up() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.MaxPool2d(2), nn.Conv2d(2, 2, 3))
    expected = str(nn.summary(model, (1, 16, 16)))
    assert str(nn.summary(model.to("cuda"), (1, 16, 16))) == expected
