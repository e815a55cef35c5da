from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from tinyconv.data import Dataset, Kept, Repeated, Slices
from tinyconv.errors import ArgumentError, DataError


class Volumes(Dataset):
    """Two volumes of 3 and 5 slices; each voxel says where it is. Counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        self.asked.append(index)
        depth = (3, 5)[index]
        volume = 1000.0 * index + np.arange(2 * depth * 4 * 6).reshape(2, depth, 4, 6)
        return volume, -volume[:1]

    def name(self, index: int) -> str:
        return f"case {index}"


def test_each_slice_of_each_volume_once() -> None:
    volumes = Volumes()
    slices = Slices(volumes)
    expected = [(volume[:, d], mask[:, d]) for volume, mask in volumes for d in range(volume.shape[1])]
    assert len(slices) == len(expected) == 8
    for (image, mask), (right_image, right_mask) in zip(slices, expected, strict=True):
        np.testing.assert_array_equal(image, right_image)
        np.testing.assert_array_equal(mask, right_mask)
    assert [slices.name(index) for index in (0, 2, 3, 7)] == [
        "case 0, slice 0", "case 0, slice 2", "case 1, slice 0", "case 1, slice 4",
    ]  # fmt: skip
    np.testing.assert_array_equal(slices[-1][0], expected[7][0])
    with pytest.raises(IndexError):
        slices[8]


def test_depths_that_are_given_are_not_read() -> None:
    volumes = Volumes()
    slices = Slices(volumes, depths=[3, 5])
    assert volumes.asked == [] and len(slices) == 8
    wrong = Slices(Volumes(), depths=[4, 5])
    with pytest.raises(DataError, match="case 0 is of 3 slices, expected more than 3"):
        wrong[3]


def test_what_is_kept_is_read_once_while_there_is_room() -> None:
    volumes = Volumes()
    size = [sum(array.nbytes for array in volumes[index]) for index in range(2)]
    rooms = ((sum(size), [0, 1]), (sum(size) - 1, [0, 1, 1, 1]), (size[0] - 1, [0, 1, 0, 1, 0, 1]))
    for memory, wanted in rooms:
        volumes.asked.clear()
        kept = Kept(volumes, memory)
        for _ in range(3):
            for index in range(2):
                np.testing.assert_array_equal(kept[index][0], Volumes()[index][0])
        assert volumes.asked == wanted
    assert len(kept) == 2 and kept.name(1) == "case 1"
    volumes.asked.clear()
    kept = Kept(volumes)
    assert kept[-1] is kept[1] and volumes.asked == [1]


def test_two_threads_do_not_keep_more_than_there_is_room_for() -> None:
    meet = threading.Barrier(2)

    class Together(Volumes):
        def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
            meet.wait(10)
            return np.zeros(10, np.uint8), np.zeros(10, np.uint8)

    class Slow(int):
        def __lt__(self, other: int) -> bool:  # memory < bytes, asked before these are counted
            time.sleep(0.02)
            return int(self) < other

    kept = Kept(Together(), Slow(30))
    threads = [threading.Thread(target=kept.prepare, args=(index,)) for index in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(kept._kept) == 1 and kept._bytes == 20 and kept._full


def test_repeated_items_come_in_turns() -> None:
    repeated = Repeated(["a", "b", "c"], 2)
    assert list(repeated) == list("abcabc") and repeated[-1] == "c"
    assert Repeated(Volumes(), 3).name(5) == "case 1"
    for times in (0, 1.5, True):
        with pytest.raises(ArgumentError, match="Repeated: times"):
            Repeated([1], times)  # type: ignore[arg-type]


def test_repeated_items_know_the_epoch() -> None:
    class Epochs(list[int]):
        def at_epoch(self, epoch: int) -> list[int]:
            return [epoch]

    assert list(Repeated(Epochs([0]), 2).at_epoch(7)) == [7, 7]


def test_slices_know_the_epoch() -> None:
    class Drawn(Volumes):
        def at_epoch(self, epoch: int) -> list[tuple[np.ndarray, np.ndarray]]:
            return [(volume + epoch, mask) for volume, mask in Volumes()]

    slices = Slices(Drawn(), depths=[3, 5])
    drawn = slices.at_epoch(9)
    np.testing.assert_array_equal(drawn[4][0], slices[4][0] + 9)
    assert len(drawn) == 8 and slices.at_epoch(9)[4][0][0, 0, 0] == drawn[4][0][0, 0, 0]
    fixed = Slices(Volumes(), depths=[3, 5])
    assert fixed.at_epoch(9) is fixed
