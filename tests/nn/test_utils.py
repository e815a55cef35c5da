"""Clipped gradients against PyTorch's, and parameters as one vector."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tinyconv import nn
from tinyconv.errors import ArgumentError, DtypeError, ShapeError, TinyconvError, TrainingError
from tinyconv.nn import utils

SHAPES = ((3, 4), (2, 3, 2, 2), (), (0, 3))


def parameters(lib: Any, dtype: str = "float64", scale: float = 1.0) -> list[Any]:
    """Leaves with gradients; the last has none."""
    rng = np.random.default_rng(3)
    tensors = []
    for shape in SHAPES:
        leaf = lib.tensor(np.ones(shape, dtype), requires_grad=True)
        slopes = np.asarray(scale * rng.standard_normal(shape)).astype(dtype)
        (leaf * lib.tensor(slopes)).sum().backward()
        tensors.append(leaf)
    return [*tensors, lib.tensor(np.ones(2, dtype), requires_grad=True)]


def check_equal(ours: list[Any], theirs: list[Any], within: float) -> None:
    for p, q in zip(ours[:-1], theirs[:-1], strict=True):
        assert p.grad.dtype == p.dtype
        np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=within)
    assert ours[-1].grad is None


@pytest.mark.parametrize(("dtype", "within"), (("float64", 1e-12), ("float32", 1e-5)))
@pytest.mark.parametrize("norm_type", (2, 2.0, 1, 3.5, inf))
@pytest.mark.parametrize("max_norm", (0.0, 0.5, 1000.0))
def test_clip_grad_norm_is_pytorchs(max_norm: float, norm_type: float, dtype: str, within: float) -> None:
    torch = pytest.importorskip("torch")
    ours, theirs = parameters(tc, dtype), parameters(torch, dtype)
    if norm_type == inf:  # PyTorch has no largest element of nothing
        ours.pop(3), theirs.pop(3)
    got = utils.clip_grad_norm_(ours, max_norm, norm_type)
    wanted = torch.nn.utils.clip_grad_norm_(theirs, max_norm, norm_type)
    assert got.shape == () and got.dtype == dtype
    assert got.item() == pytest.approx(wanted.item(), rel=within)
    check_equal(ours, theirs, within)


def test_clip_grad_value_is_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    ours, theirs = parameters(tc), parameters(torch)
    kept = ours[0].grad
    assert utils.clip_grad_value_(ours, 0.7) is None
    torch.nn.utils.clip_grad_value_(theirs, 0.7)
    check_equal(ours, theirs, 0)
    assert ours[0].grad is kept and abs(kept.data.numpy()).max() == 0.7


def test_large_float32_gradients_do_not_overflow_the_norm() -> None:
    x = tc.ones(4, requires_grad=True)
    (x * 1e30).sum().backward()
    assert utils.clip_grad_norm_(x, 1.0).item() == pytest.approx(2e30, rel=1e-6)
    np.testing.assert_allclose(x.grad.numpy(), 0.5, rtol=1e-6)


@pytest.mark.parametrize("bad", (inf, np.nan))
@pytest.mark.parametrize("norm_type", (2.0, inf))
def test_gradients_that_are_not_finite(bad: float, norm_type: float) -> None:
    x, y = tc.ones(2, requires_grad=True), tc.ones(2, requires_grad=True)
    (x * bad + y * 3).sum().backward()
    with pytest.raises(TrainingError, match=f"norm of the gradients is {bad}"):
        utils.clip_grad_norm_([x, y], 1.0, norm_type, error_if_nonfinite=True)
    assert y.grad.tolist() == [3.0, 3.0]
    np.testing.assert_equal(utils.clip_grad_norm_([x, y], 1.0, norm_type).item(), bad)


def test_no_gradients_have_norm_0() -> None:
    assert utils.clip_grad_norm_([tc.ones(2)], 1.0).item() == 0


def test_parameters_as_a_vector_and_back() -> None:
    torch = pytest.importorskip("torch")
    model, other = (nn.Sequential(nn.Conv2d(2, 3, 2), nn.Linear(3, 4)) for _ in range(2))
    vector = utils.parameters_to_vector(model.parameters())
    theirs = torch.nn.utils.parameters_to_vector(
        [torch.tensor(np.ascontiguousarray(p.data.numpy())) for p in model.parameters()]
    )
    np.testing.assert_array_equal(vector.detach().numpy(), theirs.numpy())
    utils.vector_to_parameters(vector, other.parameters())
    for p, q in zip(model.parameters(), other.parameters(), strict=True):
        np.testing.assert_array_equal(p.data.numpy(), q.data.numpy())
        assert q.is_leaf and q.requires_grad and not np.shares_memory(p.data.numpy(), q.data.numpy())
    (vector * tc.arange(vector.numel())).sum().backward()
    gradients = np.concatenate([p.grad.data.numpy().ravel() for p in model.parameters()])
    np.testing.assert_array_equal(gradients, np.arange(vector.numel()))


WRONG: list[tuple[str, Callable[[], Any], type[TinyconvError], str]] = [
    ("clip_grad_norm_", lambda: utils.clip_grad_norm_([tc.ones(1)], -1), ArgumentError, "max_norm is -1"),
    ("clip_grad_norm_", lambda: utils.clip_grad_norm_([tc.ones(1)], "1"), ArgumentError, "max_norm is '1'"),
    ("clip_grad_norm_", lambda: utils.clip_grad_norm_([tc.ones(1)], 1, 0), ArgumentError, "norm_type is 0"),
    ("clip_grad_norm_", lambda: utils.clip_grad_norm_([3], 1), DtypeError, r"parameters\[0\] is a int"),
    (
        "clip_grad_norm_",
        lambda: utils.clip_grad_norm_(3, 1),
        DtypeError,
        "parameters is a int, expected an iter",
    ),
    ("clip_grad_value_", lambda: utils.clip_grad_value_([tc.ones(1)], None), ArgumentError, "clip_value"),
    ("parameters_to_vector", lambda: utils.parameters_to_vector([]), ArgumentError, "parameters is empty"),
    (
        "vector_to_parameters",
        lambda: utils.vector_to_parameters(tc.ones(3), [tc.ones(4)]),
        ShapeError,
        r"vec is of shape \(3,\), expected \(4,\)",
    ),
    ("vector_to_parameters", lambda: utils.vector_to_parameters([1], []), DtypeError, "vec is a list"),
]


@pytest.mark.parametrize(("where", "call", "error", "says"), WRONG)
def test_wrong_arguments(where: str, call: Callable[[], Any], error: type[TinyconvError], says: str) -> None:
    with pytest.raises(error, match=says) as caught:
        call()
    assert caught.value.where == where
