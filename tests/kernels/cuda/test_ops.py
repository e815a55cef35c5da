"""Ops of pooling, normalisation, softmax, sums and moves: on the GPU they are what they are on the CPU."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinyconv as tc
from tests.ops.cases import Case
from tests.ops.table import OPS, Op

NAMES = {
    *(f"{kind}_pool{d}d" for kind in ("max", "avg", "adaptive_max", "adaptive_avg") for d in (1, 2, 3)),
    *("max_unpool2d", "lp_pool2d", "roi_align", "interpolate", "pad", "embedding", "grid_sample"),
    *("batch_norm", "instance_norm", "group_norm", "layer_norm", "local_response_norm"),
    *("softmax", "log_softmax", "cross_entropy", "nll_loss", "binary_cross_entropy_with_logits"),
    *("sum", "mean", "max", "min", "var", "cat", "stack", "index", "gather", "scatter_add", "sort"),
}


def values_and_gradients(device: str, op: Op, case: Case) -> list[Any]:
    """What the op returns, then the gradients of its inputs for random gradients of the results."""
    inputs, constants = case.arrays(np.float32)
    xs = [tc.tensor(x).to(device).detach().requires_grad_(x.dtype.kind == "f") for x in inputs]
    results = op.call(*xs, *(tc.tensor(x).to(device) for x in constants), **case.options)
    results = results if isinstance(results, list | tuple) else (results,)
    rng = np.random.default_rng(0)
    for result in results:
        grad = tc.tensor(np.asarray(rng.normal(size=result.shape), np.float32)).to(device)
        if result.requires_grad:
            result.backward(grad, retain_graph=True)
    return [part for part in (*results, *(x.grad for x in xs)) if part is not None]


@pytest.mark.parametrize("op", [op for op in OPS if op.name in NAMES], ids=lambda op: op.name)
@settings(max_examples=2, derandomize=True, deadline=None)
@given(data=st.data())
def test_the_gpu_computes_what_the_cpu_does(cuda: Any, op: Op, data: Any) -> None:
    case = data.draw(op.cases)
    right, found = (values_and_gradients(device, op, case) for device in ("cpu", "cuda"))
    for expected, got in zip(right, found, strict=True):
        assert got.device == "cuda:0"
        assert (got.shape, got.dtype) == (expected.shape, expected.dtype)
        numbers, computed = expected.detach().numpy(), got.detach().cpu().numpy()
        largest = np.abs(numbers[np.isfinite(numbers)]).max(initial=1)
        np.testing.assert_allclose(computed, numbers, rtol=2e-5, atol=2e-5 * largest)


def test_every_name_is_in_the_table() -> None:
    assert {op.name for op in OPS} >= NAMES
