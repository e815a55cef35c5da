"""Datasets made of tensors and of other datasets, samplers and loaders by PyTorch's path."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinyconv as tc
import tinyconv.utils.data
from tinyconv.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    RandomSampler,
    Sampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    random_split,
)
from tinyconv.errors import ArgumentError, DtypeError, ShapeError


def test_a_dataset_of_tensors() -> None:
    images, labels = tc.randn(5, 1, 3, 3), tc.arange(5)
    dataset = TensorDataset(images, labels)
    image, label = dataset[-2]
    assert len(dataset) == 5 and label.item() == 3
    np.testing.assert_array_equal(image.numpy(), images.numpy()[3])
    batch, numbers = next(iter(DataLoader(dataset, 4)))
    np.testing.assert_array_equal(batch.numpy(), images.numpy()[:4])
    assert numbers.tolist() == [0, 1, 2, 3] and numbers.dtype == tc.int64
    with pytest.raises(ShapeError, match=r"tensors\[1\] is of shape \(4,\), expected \(5, ...\)"):
        TensorDataset(images, labels[:4])
    with pytest.raises(DtypeError, match=r"tensors\[0\] is a list"):
        TensorDataset([1, 2])
    with pytest.raises(ArgumentError, match="at least one Tensor"):
        TensorDataset()


def test_datasets_one_after_the_other() -> None:
    joined = ConcatDataset(["ab", "c", "", "def"])
    assert len(joined) == 6 and [joined[i] for i in range(6)] == list("abcdef")
    assert joined[-1] == "f" and joined.cumulative_sizes == [2, 3, 3, 6]
    with pytest.raises(IndexError):
        joined[6]
    with pytest.raises(ArgumentError, match="datasets is empty"):
        ConcatDataset([])


LENGTHS = [([6, 4], [6, 4]), ([0.5, 0.25, 0.25], [6, 2, 2]), ([10], [10])]


@pytest.mark.parametrize(("lengths", "sizes"), LENGTHS)
def test_random_parts_are_those_of_pytorch_in_size_and_cover_all(lengths: Any, sizes: list[int]) -> None:
    torch = pytest.importorskip("torch")
    parts = random_split(range(10), lengths, generator=tc.Generator().manual_seed(3))
    assert [len(part) for part in parts] == sizes
    assert [len(part) for part in torch.utils.data.random_split(range(10), lengths)] == sizes
    assert sorted(item for part in parts for item in part) == list(range(10))
    again = random_split(range(10), lengths, generator=tc.Generator().manual_seed(3))
    assert [part.indices for part in parts] == [part.indices for part in again]
    assert [i for part in parts for i in part.indices] != list(range(10))


@pytest.mark.parametrize("lengths", ([6, 5], [-1, 11], [0.5, 0.6], []))
def test_parts_that_do_not_add_up(lengths: Any) -> None:
    with pytest.raises(ArgumentError, match="random_split: lengths"):
        random_split(range(10), lengths)


def test_samplers_differ_by_epoch_and_iterate() -> None:
    for sampler in (RandomSampler(range(30)), SubsetRandomSampler(range(10, 40))):
        first, second = list(sampler), list(sampler)
        assert first == sampler.order(0).tolist() and second == sampler.order(1).tolist()
        assert first != second and sorted(first) == sorted(second) and len(sampler) == 30
    assert sorted(SubsetRandomSampler([7, 3]).order(5)) == [3, 7]
    assert list(SequentialSampler("abc")) == [0, 1, 2]


def test_weights_decide_how_often_an_item_comes() -> None:
    drawn = WeightedRandomSampler([0, 1, 3], 4000, generator=tc.Generator().manual_seed(1)).order(0)
    shares = np.bincount(drawn, minlength=3) / 4000
    assert shares[0] == 0
    np.testing.assert_allclose(shares[1:], [0.25, 0.75], atol=5 * np.sqrt(0.25 * 0.75 / 4000))
    assert sorted(WeightedRandomSampler(tc.tensor([1.0, 2.0, 0.0]), 2, replacement=False)) == [0, 1]
    for arguments in (([1, -1], 2), ([0, 0], 2), ([1, 2], 0), ([1, 0, 2], 3, False), ([1, float("nan")], 1)):
        with pytest.raises(ArgumentError, match="WeightedRandomSampler"):
            WeightedRandomSampler(*arguments)


def test_batches_of_a_sampler() -> None:
    assert list(BatchSampler(SequentialSampler(range(5)), 2)) == [[0, 1], [2, 3], [4]]
    full = BatchSampler(SequentialSampler(range(5)), 2, drop_last=True)
    assert list(full) == [[0, 1], [2, 3]] and len(full) == 2
    loader = DataLoader(tc.arange(5), batch_sampler=[[4, 0], [1]])
    assert [batch.tolist() for batch in loader] == [[4, 0], [1]] and len(loader) == 2
    with pytest.raises(ArgumentError, match="batch_sampler is one of several"):
        DataLoader(range(5), shuffle=True, batch_sampler=[[1]])
    with pytest.raises(ArgumentError, match="batch_size is 0"):
        BatchSampler(range(3), 0)


def test_a_sampler_as_pytorchs_users_write_it() -> None:
    class Backwards(Sampler):
        def __init__(self, data_source: Any) -> None:
            super().__init__(data_source)
            self.count = len(data_source)

        def __iter__(self) -> Any:
            return iter(range(self.count - 1, -1, -1))

        def __len__(self) -> int:
            return self.count

    for sampler in (Backwards(range(5)), [4, 3, 2, 1, 0]):
        loader = DataLoader(tc.arange(5), batch_size=2, sampler=sampler, pin_memory=True)
        assert [batch.tolist() for batch in loader] == [[4, 3], [2, 1], [0]]
    with pytest.raises(NotImplementedError, match="Sampler defines no order"):
        list(Sampler())


def test_a_generator_is_the_seed_of_the_shuffle() -> None:
    sources = [tc.Generator().manual_seed(seed) for seed in (4, 4, 5)]
    loaders = [DataLoader(tc.arange(20), 20, shuffle=True, generator=source) for source in sources]
    first, same, other = (next(iter(loader)).tolist() for loader in loaders)
    assert first == same != other


def test_pytorchs_path() -> None:
    assert tc.utils.data.DataLoader is DataLoader and tinyconv.utils.data.Subset is Subset
    with pytest.raises(AttributeError, match="nearest: 'TensorDataset'"):
        tc.utils.data.TensorDatasets  # noqa: B018 - the access is the test
