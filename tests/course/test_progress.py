"""A student's record: read as it was written, and whole whatever happens."""

from __future__ import annotations

import os

import pytest

from tinyconv.course.exercises.progress import FILE, Attempts, Progress
from tinyconv.errors import StorageError


def test_what_was_saved_is_read(tmp_path):
    progress = Progress(tmp_path)
    assert not progress.is_started("01_neuron")
    record = progress.of("01_neuron")
    record.tries, record.hints = 3, 2
    progress.of("02_unbroadcast").passed = True
    progress.save()
    again = Progress(tmp_path)
    assert again.of("01_neuron") == Attempts(tries=3, hints=2)
    assert again.of("02_unbroadcast") == Attempts(passed=True) and not again.is_started("03_topological_sort")
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_a_record_that_could_not_be_written_is_the_one_before(tmp_path, monkeypatch):
    progress = Progress(tmp_path)
    progress.of("01_neuron").tries = 1
    progress.save()
    before = (tmp_path / FILE).read_bytes()
    progress.of("01_neuron").tries = 2

    def fail(source, target):
        raise OSError("no space")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(StorageError, match="no space"):
        progress.save()
    assert (tmp_path / FILE).read_bytes() == before
