"""A card without room gives one clear error, wherever an array was to be made."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinyconv as tc
import tinyconv.nn.functional as F
from tests.ops.table import OPS, Op
from tinyconv import nn
from tinyconv.errors import OutOfMemoryError
from tinyconv.kernels.cuda.emulator import build
from tinyconv.kernels.cuda.emulator.card import MemoryHook
from tinyconv.kernels.cuda.emulator.cards import room_for
from tinyconv.kernels.cuda.emulator.cupy_stand_in import emulated_cuda

pytestmark = pytest.mark.skipif(build.why_not() is not None, reason=f"kernels: {build.why_not()}")
SAMPLE = (
    *("add", "where", "exp", "sum", "amax", "index", "cat", "linear", "conv2d", "max_pool2d", "batch_norm"),
    *("cross_entropy", "dice_loss", "focal_loss", "embedding", "grid_sample", "sort", "dropout", "diag"),
)


@pytest.fixture(autouse=True)
def _cuda() -> Iterator[Any]:
    with emulated_cuda() as module:
        yield module


@pytest.mark.parametrize("op", [op for op in OPS if op.name in SAMPLE], ids=lambda op: op.name)
@settings(max_examples=2, deadline=None)
@given(data=st.data())
def test_ops_and_the_way_back(op: Op, data: Any) -> None:
    """Whatever they compute with: a kernel, or CuPy's own functions."""
    case = data.draw(op.cases)
    inputs, constants = ([tc.tensor(x).to("cuda") for x in part] for part in case.arrays(np.float32))
    xs = [x.requires_grad_() for x in inputs]
    explained(lambda: op.call(*xs, *constants, **case.options))
    outputs = op.call(*xs, *constants, **case.options)
    floats = [y for y in (outputs if isinstance(outputs, tuple) else (outputs,)) if y.dtype.kind == "f"]
    starts = [tc.ones_like(y) for y in floats]
    explained(lambda: tc.autograd.grad(floats, xs, starts, retain_graph=True))


class Sizes(MemoryHook):
    """The bytes of each array that is made."""

    def __init__(self) -> None:
        self.made: list[int] = []

    def malloc_postprocess(self, **told: int) -> None:
        self.made.append(told["size"])


def explained(compute: Callable[[], Any]) -> None:
    """What makes arrays says that there is no room for them, and what to do; a view needs none."""
    with Sizes() as sizes:
        compute()
    with room_for(0):
        if not any(sizes.made):
            compute()
            return
        with pytest.raises(OutOfMemoryError) as caught:
            compute()
    assert "the GPU's memory is full (Out of memory allocating" in str(caught.value)
    assert "a smaller batch or network" in str(caught.value)


CALLS: dict[str, Callable[[tc.Tensor], Any]] = {
    "zeros": lambda x: tc.zeros(3, device="cuda"),
    "to": lambda x: tc.ones(3).to("cuda"),
    "clone": lambda x: x.clone(),
    "compare": lambda x: x > 0,
    "in place": lambda x: x.mul_(x + 1),
    "index": lambda x: x[x > 0],
    "one_hot": lambda x: F.one_hot(x.long(), 9),
    "nonzero": tc.nonzero,
    "random": lambda x: x.normal_(),
    "deepcopy": copy.deepcopy,
    "loss": lambda x: F.multi_margin_loss(x[None], tc.tensor([1]).to("cuda")),
    "float64": lambda x: nn.Linear(3, 3).to("cuda").double(),
}


@pytest.mark.parametrize("name", CALLS)
def test_calls(name: str) -> None:
    x = tc.tensor([1.0, 2.0, 3.0]).to("cuda")
    with room_for(0), pytest.raises(tc.cuda.OutOfMemoryError, match=r"memory is full .*a smaller batch"):
        CALLS[name](x)


def test_what_an_optimizer_keeps() -> None:
    parameter = nn.Parameter(tc.ones(3).to("cuda"))
    parameter.grad = tc.ones(3).to("cuda")
    with room_for(0), pytest.raises(OutOfMemoryError, match="memory is full"):
        tc.optim.Adam([parameter]).step()
