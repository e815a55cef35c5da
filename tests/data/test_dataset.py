from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyconv.data import Dataset, RandomSampler, SequentialSampler, Subset, SyntheticNuclei, split
from tinyconv.data.seeding import AUGMENTATION, ORDER, generator
from tinyconv.errors import ArgumentError, DataError


class Letters(Dataset):
    def __init__(self, epoch: int = 0) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> str:
        return "abcde"[index] * (self.epoch + 1)

    def name(self, index: int) -> str:
        return f"letter {index}"

    def at_epoch(self, epoch: int) -> Letters:
        return Letters(epoch)


def test_a_dataset_iterates_over_its_items() -> None:
    assert list(Letters()) == ["a", "b", "c", "d", "e"]


def test_a_dataset_without_methods_says_which() -> None:
    with pytest.raises(NotImplementedError, match="Dataset defines no __len__"):
        len(Dataset())
    with pytest.raises(NotImplementedError, match="Dataset defines no __getitem__"):
        Dataset()[0]


def test_a_subset_picks_items_names_and_epochs() -> None:
    subset = Subset(Letters(), [3, 0, 3])
    assert list(subset) == ["d", "a", "d"]
    assert subset.name(0) == "letter 3"
    assert list(subset.at_epoch(1)) == ["dd", "aa", "dd"]
    assert Subset([7, 8], [1]).name(0) == "item 1"


@pytest.mark.parametrize("indices", [[0, 5], [-1]])
def test_a_subset_refuses_indices_outside(indices: list[int]) -> None:
    with pytest.raises(ArgumentError, match=rf"indices is {indices[-1]}, expected indices from 0 to 4"):
        Subset(Letters(), indices)


@given(count=st.integers(2, 60), held_out=st.floats(0.01, 0.99), seed=st.integers(0, 2**64 - 1))
def test_split_divides_the_items_in_two(count: int, held_out: float, seed: int) -> None:
    train, held = split(range(count), held_out, seed)
    assert sorted([*train, *held]) == list(range(count))
    assert len(train) >= 1 and len(held) >= 1
    assert abs(len(held) - count * held_out) < 1
    again = split(range(count), held_out, seed)
    assert (again[0].indices, again[1].indices) == (train.indices, held.indices)


def test_split_depends_on_the_seed_and_is_shuffled() -> None:
    held = [split(range(100), seed=seed)[1].indices for seed in range(80)]
    assert len({tuple(indices) for indices in held}) == 80
    assert all(len(indices) == 20 for indices in held)
    assert {index for indices in held for index in indices} == set(range(100))


def test_split_refuses_what_cannot_be_split() -> None:
    for fraction in (0, 1, -0.5, 1.5, float("nan")):
        with pytest.raises(ArgumentError, match="held_out"):
            split(range(10), fraction)
    for count in (0, 1):
        with pytest.raises(DataError, match=f"the number of items is {count}, expected at least 2"):
            split(range(count))
    with pytest.raises(ArgumentError, match="seed is -1"):
        split(range(10), seed=-1)


def test_generators_differ_by_seed_purpose_and_place() -> None:
    draws = [
        generator(*key).integers(2**63)
        for key in [(0, ORDER, 0), (0, ORDER, 1), (1, ORDER, 0), (0, AUGMENTATION, 0), (0, ORDER, 0, 0)]
    ]
    assert len(set(draws)) == 5
    assert generator(0, ORDER, 1).integers(2**63) == draws[1]


def test_samplers_visit_every_item_once() -> None:
    data = SyntheticNuclei(50, size=16)
    assert SequentialSampler(data).order(3).tolist() == list(range(50))
    orders = [RandomSampler(data, seed=1).order(epoch) for epoch in range(3)]
    for order in orders:
        assert sorted(order) == list(range(50))
    assert not np.array_equal(orders[0], orders[1]) and not np.array_equal(orders[1], orders[2])
    np.testing.assert_array_equal(orders[2], RandomSampler(data, seed=1).order(2))
