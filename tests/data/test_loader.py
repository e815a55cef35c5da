from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinyconv as tc
from tinyconv.data import (
    DataLoader,
    Dataset,
    Kept,
    Sampler,
    SegmentationData,
    Subset,
    SyntheticNuclei,
    collate_arrays,
    default_collate,
)
from tinyconv.errors import ArgumentError, DataError, DtypeError, ShapeError


def _indices(loader: DataLoader, epoch: int = 0, start_batch: int = 0) -> list[list[int]]:
    return [batch.tolist() for batch in loader.iterate(epoch, start_batch)]


def _loader(count: int, batch_size: int, **options: Any) -> DataLoader:
    return DataLoader(range(count), batch_size, collate_fn=collate_arrays, **options)


@settings(max_examples=40, deadline=None)
@given(
    count=st.integers(1, 30),
    batch_size=st.integers(1, 12),
    shuffle=st.booleans(),
    drop_last=st.booleans(),
    workers=st.integers(0, 3),
    epoch=st.integers(0, 1000),
    data=st.data(),
)
def test_batches_are_a_pure_function_of_seed_and_epoch(
    count: int, batch_size: int, shuffle: bool, drop_last: bool, workers: int, epoch: int, data: st.DataObject
) -> None:
    plain = _loader(count, batch_size, shuffle=shuffle, drop_last=drop_last, seed=5)
    expected = _indices(plain, epoch)
    assert len(expected) == len(plain) == (count // batch_size if drop_last else -(-count // batch_size))
    visited = sorted(index for batch in expected for index in batch)
    if not drop_last:
        assert visited == list(range(count))
    assert len(set(visited)) == len(visited)
    assert all(len(batch) == batch_size for batch in expected[:-1])
    threaded = _loader(count, batch_size, shuffle=shuffle, drop_last=drop_last, seed=5, num_workers=workers)
    start = data.draw(st.integers(0, len(plain)))
    assert _indices(threaded, epoch, start) == expected[start:]


def test_each_loop_is_one_epoch_further_on() -> None:
    loader = _loader(40, 40, shuffle=True, seed=1)
    first, second = ([batch.tolist() for batch in loader] for _ in range(2))
    assert first == _indices(loader, 0) and second == _indices(loader, 1) and first != second
    loader.set_epoch(1)
    assert [batch.tolist() for batch in loader] == second
    assert loader.epoch == 2


def test_the_default_seed_is_that_of_manual_seed() -> None:
    with tc.device.seed(11):
        chosen = _indices(_loader(40, 40, shuffle=True))
    assert chosen == _indices(_loader(40, 40, shuffle=True, seed=11))
    assert chosen != _indices(_loader(40, 40, shuffle=True, seed=12))


def test_a_sampler_chooses_the_order() -> None:
    class Twice(Sampler):
        def __len__(self) -> int:
            return 4

        def order(self, epoch: int) -> np.ndarray:
            return np.array([2, 2, 0, epoch])

    assert _indices(_loader(3, 3, sampler=Twice()), epoch=1) == [[2, 2, 0], [1]]
    with pytest.raises(ArgumentError, match="shuffle is True, expected False next to a sampler"):
        _loader(3, 3, sampler=Twice(), shuffle=True)


def test_augmented_samples_are_the_same_whatever_the_workers_and_the_start() -> None:
    data = SegmentationData.training(SyntheticNuclei(7, size=32), size=24, seed=3)
    plain = DataLoader(data, 2, shuffle=True, seed=3, collate_fn=collate_arrays)
    threaded = DataLoader(data, 2, shuffle=True, seed=3, collate_fn=collate_arrays, num_workers=3)
    for epoch in (0, 5):
        expected = list(plain.iterate(epoch))
        for start in (0, 2):
            got = list(threaded.iterate(epoch, start))
            assert len(got) == 4 - start
            for ours, theirs in zip(got, expected[start:], strict=True):
                np.testing.assert_array_equal(ours[0], theirs[0])
                np.testing.assert_array_equal(ours[1], theirs[1])


@pytest.mark.parametrize("workers", [0, 2])
def test_an_epoch_sees_its_own_samples(workers: int) -> None:
    data = SegmentationData.training(SyntheticNuclei(3, size=32), size=24, seed=3)
    loader = DataLoader(data, 3, collate_fn=collate_arrays, num_workers=workers)
    for epoch, (images, _) in zip(range(3), (batch for _ in range(3) for batch in loader), strict=True):
        np.testing.assert_array_equal(images, np.stack([image for image, _ in data.at_epoch(epoch)]))


def test_two_epochs_at_once_do_not_disturb_each_other() -> None:
    data = SegmentationData.training(SyntheticNuclei(4, size=32), size=24)
    loader = DataLoader(data, 1, collate_fn=collate_arrays, num_workers=2)
    expected = [[image for image, _ in loader.iterate(epoch)] for epoch in (0, 1)]
    both = zip(loader.iterate(0), loader.iterate(1), strict=True)
    for number, ((first, _), (second, _)) in enumerate(both):
        np.testing.assert_array_equal(first, expected[0][number])
        np.testing.assert_array_equal(second, expected[1][number])


class Broken(Dataset):
    def __init__(self, error: Exception, bad: int = 5) -> None:
        self.error, self.bad = error, bad

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> int:
        if index == self.bad:
            raise self.error
        return index

    def name(self, index: int) -> str:
        return f"file{index}.png"


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_an_error_surfaces_in_its_place_and_names_the_item(workers: int) -> None:
    loader = DataLoader(Broken(KeyError("mask")), 2, collate_fn=collate_arrays, num_workers=workers)
    batches = iter(loader)
    assert next(batches).tolist() == [0, 1]
    assert next(batches).tolist() == [2, 3]
    message = r"item 5 of Broken \(file5.png\) is KeyError: 'mask', expected a sample that can be read"
    with pytest.raises(DataError, match=message) as caught:
        next(batches)
    assert isinstance(caught.value.__cause__, KeyError)


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_of_tinyconv_keeps_its_type_and_text(workers: int) -> None:
    error = ShapeError("crop", "image", (1, 2), "(C, H, W)")
    loader = DataLoader(Broken(error, 0), 2, num_workers=workers)
    message = r"item 0 of Broken \(file0.png\): crop: image is \(1, 2\), expected \(C, H, W\)"
    with pytest.raises(ShapeError, match=message):
        next(iter(loader))


class Counted(Dataset):
    def __init__(self) -> None:
        self.read: list[int] = []

    def __len__(self) -> int:
        return 100

    def __getitem__(self, index: int) -> int:
        self.read.append(index)
        return index


def test_without_workers_nothing_is_read_ahead_and_skipped_batches_not_at_all() -> None:
    data = Counted()
    next(DataLoader(data, 2, collate_fn=collate_arrays).iterate(0, start_batch=3))
    assert data.read == [6, 7]


def test_workers_read_ahead_a_little_and_end_with_the_loop() -> None:
    data = Counted()
    before = threading.active_count()
    batches = DataLoader(data, 1, collate_fn=collate_arrays, num_workers=2).iterate(0)
    next(batches)
    deadline = time.monotonic() + 5
    while len(data.read) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert sorted(data.read) == [0, 1, 2, 3]
    batches.close()
    assert threading.active_count() == before


def _eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


class Numbers(Counted):
    def __getitem__(self, index: int) -> Any:
        if super().__getitem__(index) == 40:
            raise KeyError("mask")
        return (np.full(4, index, np.int64),)


def test_workers_with_nothing_else_to_do_read_what_is_kept() -> None:
    data = Numbers()
    before = threading.active_count()
    kept = Kept(Subset(data, range(99, -1, -1)))
    batches = DataLoader(kept, 3, collate_fn=collate_arrays, num_workers=1).iterate(0)
    assert next(batches)[0][:, 0].tolist() == [99, 98, 97]
    assert _eventually(lambda: len(data.read) == 100)
    assert data.read == list(range(99, -1, -1))
    for first in range(96, 47, -3):
        assert next(batches)[0][:, 0].tolist() == [first, first - 1, first - 2]
    assert len(data.read) == 100
    assert next(batches)[0][0, 0] == 45
    with pytest.raises(DataError, match=r"item 59 of Kept \(item 40\) is KeyError: 'mask'"):
        next(batches)
    assert threading.active_count() == before


def test_what_would_not_be_kept_is_not_read_ahead() -> None:
    data = Numbers()
    kept = Kept(data, memory=5 * 32)
    batches = DataLoader(Subset(kept, range(30)), 1, collate_fn=collate_arrays, num_workers=1).iterate(0)
    next(batches)
    assert _eventually(lambda: len(data.read) == 6)
    time.sleep(0.05)
    assert sorted(data.read) == list(range(6))
    assert [int(batch[0][0, 0]) for batch in batches] == list(range(1, 30))
    assert sorted(data.read) == [*range(5), 5, *range(5, 30)]


def test_a_loop_that_ends_early_stops_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    data = Numbers()
    release, reading, ending = threading.Event(), threading.Event(), threading.Event()

    class Pool(ThreadPoolExecutor):
        def shutdown(self, *args: Any, **options: Any) -> None:
            ending.set()
            super().shutdown(*args, **options)

    monkeypatch.setattr("tinyconv.data.loader.ThreadPoolExecutor", Pool)

    class Slow(Kept):
        def prepare(self, index: int) -> None:
            reading.set()
            release.wait(5)
            super().prepare(index)

    batches = DataLoader(Slow(data), 1, collate_fn=collate_arrays, num_workers=1).iterate(0)
    next(batches)
    assert reading.wait(5)
    closing = threading.Thread(target=batches.close)
    closing.start()
    assert ending.wait(5)
    release.set()
    closing.join(5)
    assert not closing.is_alive() and len(data.read) <= 3


def test_arguments_that_make_no_sense() -> None:
    cases: list[tuple[str, dict[str, Any]]] = [
        ("batch_size is 0", {"batch_size": 0}),
        ("batch_size is 2.5", {"batch_size": 2.5}),
        ("batch_size is True", {"batch_size": True}),
        ("num_workers is -1", {"batch_size": 1, "num_workers": -1}),
        ("seed is 'x'", {"batch_size": 1, "shuffle": True, "seed": "x"}),
    ]
    for message, options in cases:
        with pytest.raises(ArgumentError, match=message):
            DataLoader(range(3), **options)
    with pytest.raises(ArgumentError, match="dataset is empty"):
        DataLoader([])
    loader = _loader(3, 2)
    for start in (-1, 3):
        with pytest.raises(ArgumentError, match=f"start_batch is {start}, expected 0 to 2"):
            loader.iterate(0, start)
    with pytest.raises(ArgumentError, match="epoch is -1"):
        loader.set_epoch(-1)


def test_default_collate_makes_tensors_of_nested_samples() -> None:
    samples = [(np.full((1, 2, 2), i, np.float32), i, {"weight": i / 2, "name": f"n{i}"}) for i in range(3)]
    image, label, rest = default_collate(samples)
    assert isinstance(image, tc.Tensor) and isinstance(label, tc.Tensor)
    assert image.shape == (3, 1, 2, 2) and image.dtype == np.float32
    assert image.numpy()[:, 0, 0, 0].tolist() == [0, 1, 2]
    assert label.dtype == np.int64 and label.numpy().tolist() == [0, 1, 2]
    assert rest["weight"].dtype == np.float32 and rest["weight"].numpy().tolist() == [0, 0.5, 1]
    assert rest["name"] == ["n0", "n1", "n2"]
    assert default_collate([True, False]).dtype == np.bool_
    assert default_collate([tc.tensor([1.0, 2.0])] * 2).shape == (2, 2)


def test_samples_that_do_not_fit_together() -> None:
    with pytest.raises(ShapeError, match=r"shape of sample 1 of the batch is \(3,\), expected \(2,\)"):
        default_collate([np.zeros(2), np.zeros(3)])
    with pytest.raises(ShapeError, match="number of entries of sample 1 of the batch is 1, expected 2"):
        default_collate([(1, 2), (1,)])
    with pytest.raises(DtypeError, match="a sample is NoneType"):
        default_collate([None, None])
