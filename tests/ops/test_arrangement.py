"""Cutting up and putting together: worked examples, and that views share memory."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import tinyconv as tc
from tinyconv.errors import ShapeError

GRID = tc.arange(12).reshape(3, 4)


def test_split_and_chunk() -> None:
    assert [part.shape for part in GRID.split(3, dim=1)] == [(3, 3), (3, 1)]
    assert [part.shape for part in GRID.split([1, 0, 2])] == [(1, 4), (0, 4), (2, 4)]
    assert [part.tolist() for part in tc.arange(7).chunk(3)] == [[0, 1, 2], [3, 4, 5], [6]]
    assert len(tc.arange(6).chunk(4)) == 3  # PyTorch's too: parts of ceil(6 / 4) = 2
    assert len(tc.zeros(0, 2).split(3)) == 1
    assert all(np.shares_memory(part.array, GRID.array) for part in (*GRID.split(2), *GRID.unbind(1)))


def test_stack_unbind_and_narrow() -> None:
    assert tc.stack(GRID.unbind(1), 1).tolist() == GRID.tolist()
    assert GRID.narrow(1, -2, 2).tolist() == GRID[:, 2:].tolist()
    assert tc.stack([tc.tensor(1), tc.tensor(2)]).tolist() == [1, 2]


DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float32", "float64")


@pytest.mark.parametrize("name", ["cat", "stack", "hstack", "vstack", "column_stack"])
def test_several_dtypes_become_one_as_in_pytorch(name: str) -> None:
    torch = pytest.importorskip("torch")
    for kinds in [
        *itertools.product(DTYPES, DTYPES),
        ("int8", "uint8", "float32"),
        ("bool", "uint8", "int16"),
    ]:
        found, expected = (
            getattr(module, name)(
                [module.tensor([[0, 1], [i, 1]], dtype=getattr(module, kind)) for i, kind in enumerate(kinds)]
            )
            for module in (tc, torch)
        )
        assert str(expected.dtype) == f"torch.{found.dtype}", kinds
        assert found.tolist() == expected.tolist(), kinds


def test_each_of_several_dtypes_has_a_gradient_of_its_own() -> None:
    single, double = tc.ones(2, requires_grad=True), tc.ones(3, dtype=tc.float64, requires_grad=True)
    joined = tc.cat([single, tc.arange(4), double])
    assert joined.dtype == tc.float64
    (joined * tc.arange(9)).sum().backward()
    assert single.grad.dtype == tc.float32 and double.grad.dtype == tc.float64
    assert single.grad.tolist() == [0, 1] and double.grad.tolist() == [6, 7, 8]


def test_flip_roll_and_triangles() -> None:
    assert GRID.flip(0, 1).tolist() == GRID.array[::-1, ::-1].tolist()
    assert GRID.roll((1, -1), (0, 1)).tolist() == np.roll(GRID.array, (1, -1), (0, 1)).tolist()
    assert tc.zeros(0).roll(3).shape == (0,)
    assert GRID.tril(-1).tolist() == np.tril(GRID.array, -1).tolist()
    assert tc.triu(GRID > 3).tolist() == np.triu(GRID.array > 3).tolist()


def test_repeat_and_tile() -> None:
    assert GRID.repeat(2, 1, 3).shape == (2, 3, 12)
    assert GRID.tile(2).tolist() == np.tile(GRID.array, 2).tolist()


def test_transposes() -> None:
    x = tc.zeros(2, 3, 4)
    assert x.mT.shape == (2, 4, 3) and x.T.shape == (4, 3, 2)
    assert x.movedim((0, 1), (-1, 0)).shape == (3, 4, 2)
    with pytest.raises(ShapeError, match=r"mT: .*\(3,\)"):
        tc.zeros(3).mT  # noqa: B018


def test_meshgrid_takes_a_list_too() -> None:
    x, y = tc.meshgrid([tc.arange(2), tc.arange(3)], indexing="xy")
    assert x.tolist() == [[0, 1]] * 3 and y.tolist() == [[0, 0], [1, 1], [2, 2]]


def test_repeats_one_after_the_other() -> None:
    x = tc.tensor([[1, 2], [3, 4]])
    assert x.repeat_interleave(2).tolist() == [1, 1, 2, 2, 3, 3, 4, 4]
    assert x.repeat_interleave(2, 1).tolist() == [[1, 1, 2, 2], [3, 3, 4, 4]]
    assert tc.tensor(5).repeat_interleave(2).tolist() == [5, 5]
