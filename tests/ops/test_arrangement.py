"""Cutting up and putting together: worked examples, and that views share memory."""

from __future__ import annotations

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
