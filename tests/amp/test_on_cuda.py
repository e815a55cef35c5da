"""Mixed precision on a GPU, or on the emulator: the numbers that the CPU gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
import tinyconv.nn.functional as F
from tests.amp.test_rounding import assert_same_bits, many_numbers
from tests.gpu import gpu
from tinyconv import nn
from tinyconv.device import matmul_precision
from tinyconv.kernels import elementwise
from tinyconv.kernels.reference.elementwise import rounded


@pytest.fixture(autouse=True)
def cuda() -> Iterator[Any]:
    with gpu() as cupy:
        yield cupy


@pytest.mark.parametrize("precision", ["bfloat16", "tf32"])
def test_rounding_is_the_cpus(precision: str, cuda: Any) -> None:
    x = many_numbers()[:5000]
    assert_same_bits(elementwise.rounded(cuda.asarray(x), precision).get(), rounded(x, precision))


CALLS: dict[str, tuple[tuple[tuple[int, ...], ...], Any]] = {
    "conv2d": (((2, 4, 9, 8), (6, 4, 3, 3), (6,)), lambda x, w, b: F.conv2d(x, w, b, padding=1)),
    "strided": (((1, 8, 9, 9), (16, 8, 3, 3)), lambda x, w: F.conv2d(x, w, stride=2)),
    "grouped": (((2, 4, 7, 7), (6, 2, 3, 3)), lambda x, w: F.conv2d(x, w, groups=2)),
    "conv3d": (((1, 2, 5, 5, 5), (3, 2, 2, 2, 2)), lambda x, w: F.conv3d(x, w)),
    "transposed": (((2, 5, 4, 4), (5, 3, 2, 2)), lambda x, w: F.conv_transpose2d(x, w, stride=2)),
    "linear": (((7, 20), (5, 20), (5,)), F.linear),
    "matmul": (((3, 4, 6), (3, 6, 5)), tc.matmul),
    "einsum": (((4, 6), (6, 5)), lambda a, b: tc.einsum("ij,jk->ik", a, b)),
}


def results(device: str, call: str, precision: str) -> list[Any]:
    """The output and the gradients of one call."""
    shapes, function = CALLS[call]
    rng = np.random.default_rng(7)
    inputs = [tc.tensor(rng.standard_normal(shape).astype(np.float32)) for shape in shapes]
    moved = [x.to(device).requires_grad_() for x in inputs]
    with matmul_precision(precision):
        y = function(*moved)
    start = rng.standard_normal(y.shape).astype(np.float32)
    gradients = tc.autograd.grad(y, moved, tc.tensor(start).to(device))
    return [tensor.detach().cpu().numpy() for tensor in (y, *gradients)]


@pytest.mark.parametrize("precision", ["float32", "tf32", "bfloat16"])
@pytest.mark.parametrize("call", CALLS)
def test_products_are_the_cpus(call: str, precision: str) -> None:
    """All factors are rounded alike, so that what is left to differ is the order of the sums."""
    for on_gpu, on_cpu in zip(results("cuda", call, precision), results("cpu", call, precision), strict=True):
        np.testing.assert_allclose(on_gpu, on_cpu, rtol=2e-5, atol=2e-5)


def test_a_scaled_step_is_left_out_if_a_gradient_is_infinite() -> None:
    model = nn.Linear(3, 2).to("cuda")
    optimizer = tc.optim.SGD(model.parameters(), lr=0.1)
    scaler = tc.amp.GradScaler("cuda", init_scale=8.0)
    for factor, moves in ((1.0, True), (float("inf"), False), (2.0, True)):
        before = model.weight.detach().cpu().numpy().copy()
        optimizer.zero_grad()
        with tc.autocast("cuda"):
            output = model(tc.ones(4, 3).to("cuda"))
        scaler.scale((output * factor).sum()).backward()
        scaler.step(optimizer)
        scaler.update()
        assert (not np.array_equal(model.weight.detach().cpu().numpy(), before)) is moves
    assert scaler.get_scale() == 4.0
