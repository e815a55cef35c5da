"""What an op needs for backward, changed before it: an error, or the right gradient all the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinyconv as tc
from tests.gpu import tensor
from tests.ops.cases import Case
from tests.ops.table import OPS, Op
from tinyconv.errors import GraphError
from tinyconv.memory import is_writable


def gradients(op: Op, case: Case, changed: int | None) -> list[Any]:
    """Gradients of the inputs, with one argument or output turned around between forward and backward."""
    inputs, constants = case.arrays(np.float64)
    xs = [tensor(x, requires_grad=True) for x in inputs]
    arguments = [*xs, *map(tensor, constants)]
    result = op.call(*arguments, **case.options)
    outputs = result if isinstance(result, tuple) else (result,)
    floats = [y for y in outputs if y.dtype.kind == "f"]
    rng = np.random.default_rng(case.seed + 100)
    starts = [tensor(np.asarray(rng.uniform(0.5, 1.5, y.shape)).astype(y.dtype)) for y in floats]
    if changed is not None:
        target = [*arguments, *outputs][changed % (len(arguments) + len(outputs))].detach()
        if is_writable(target.array):
            target.copy_(target.numpy().reshape(-1)[::-1].reshape(target.shape).copy())
    return [g.numpy() for g in tc.autograd.grad(floats, xs, starts)]


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
@settings(max_examples=15)
@given(data=st.data())
def test_a_change_of_what_was_saved_is_an_error_and_any_other_does_no_harm(op: Op, data: Any) -> None:
    case, changed = data.draw(op.cases), data.draw(st.integers(0, 5))
    expected = gradients(op, case, None)
    try:
        found = gradients(op, case, changed)
    except GraphError as error:
        assert "changed in place" in str(error)
    else:
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other)
