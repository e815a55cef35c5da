"""Every op at the edges of its cases: nothing in the batch, sizes of 1, broadcasting, every memory order."""

from __future__ import annotations

import numpy as np
import pytest

from tests.backends import BACKENDS, kernels
from tests.ops.cases import ORDERS, Case
from tests.ops.comparison import (
    Result,
    check_first_derivative,
    check_second_derivative,
    compare_with_pytorch,
    compare_with_reference,
    torch_outputs,
)
from tests.ops.edges import (
    CANNOT,
    DIFFERENT,
    EDGES,
    STRICTER,
    WIDER,
    candidates,
    drawn,
    in_order,
    largest,
    tensors,
)
from tests.ops.op import Op
from tests.ops.table import OPS
from tinyconv.errors import TinyconvError

ENOUGH = 2
"""Right calls to try of each op at each edge."""

every_op = pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
every_backend = pytest.mark.parametrize("backend", BACKENDS)


def is_right(op: Op, case: Case) -> bool:
    """Whether tinyconv accepts the call; it may refuse it in no other way than by a tinyconv error."""
    try:
        with kernels("reference"):
            Result(op, case, np.float64)
    except TinyconvError:
        return False
    return True


def has_edge(op: Op, edge: str) -> bool:
    """Whether the edge means something for the op: what broadcasts are two tensors."""
    return edge != "broadcast" or any(len(tensors(case)) > 1 for case in drawn(op))


def right_cases(op: Op, edge: str) -> list[Case]:
    """The first right calls at an edge."""
    found: list[Case] = []
    for case in candidates(op, edge):
        if len(found) < ENOUGH and is_right(op, case):
            found.append(case)
    return found


@pytest.mark.parametrize("edge", EDGES)
@every_op
def test_values_and_derivatives_at_an_edge(op: Op, edge: str) -> None:
    cases = right_cases(op, edge)
    assert cases or (op.name, edge) in CANNOT or not has_edge(op, edge), "no right call at this edge"
    for case in cases:
        for backend in BACKENDS:
            compare_with_reference(op, case, backend)
    for case in cases[:1]:
        finite = all(np.isfinite(y).all() for y in Result(op, case, np.float64).outputs)
        if finite and (op.name, edge) != ("embedding", "ones"):  # its only row is the padding
            check_first_derivative(op, case, "auto")
            check_second_derivative(op, case, "auto")


@pytest.mark.parametrize("edge", EDGES)
@every_op
def test_at_an_edge_pytorch_says_the_same(op: Op, edge: str) -> None:
    torch = pytest.importorskip("torch")
    if op.twin is None:
        return
    for case in candidates(op, edge, 24):
        ours = is_right(op, case)
        try:
            torch_outputs(torch, op, case)
        except Exception:
            assert not ours or (op.name, edge) in WIDER, f"PyTorch refuses {case}"
            continue
        assert ours or (op.name, edge) in STRICTER, f"PyTorch accepts {case}"
        if ours and (op.name, edge) not in DIFFERENT:
            compare_with_pytorch(torch, op, case)


@pytest.mark.parametrize("order", ORDERS)
@every_op
def test_every_memory_order_gives_the_same(op: Op, order: str) -> None:
    case = in_order(largest(op), order)
    for backend in BACKENDS:
        compare_with_reference(op, case, backend)


@pytest.mark.parametrize(("name", "edge"), CANNOT)
def test_what_is_said_not_to_work_does_not(name: str, edge: str) -> None:
    rows = [op for op in OPS if op.name == name]
    assert any(has_edge(op, edge) and not right_cases(op, edge) for op in rows)


def test_how_many_ops_are_tried_at_each_edge(capsys: pytest.CaptureFixture[str]) -> None:
    assert {name for name, _ in (*STRICTER, *WIDER, *DIFFERENT)} <= {op.name for op in OPS}
    for edge in EDGES:
        tried = [op for op in OPS if has_edge(op, edge) and (op.name, edge) not in CANNOT]
        assert len(tried) > (len(OPS) - 20 if edge != "broadcast" else 60)
        with capsys.disabled():
            print(f"\n{edge}: {len(tried)} of {len(OPS)} rows of the table", end="")
