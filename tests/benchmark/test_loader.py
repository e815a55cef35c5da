"""What is timed is the step with the wait for its batch; the files are read, not remembered."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from itertools import pairwise
from random import Random

import numpy as np
import pytest

pytest.importorskip("numba")

from benchmarks import loader
from tinyconv.data import MaskFolder, NucleiFolder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("images")
    loader.write_images(path, 5)
    return path


def test_both_layouts_hold_the_same_images(folder):
    pairs, nuclei = MaskFolder(folder / loader.PAIRS), NucleiFolder(folder / loader.NUCLEI)
    assert len(pairs) == len(nuclei) == 5
    for (image, mask), (same_image, same_mask) in zip(pairs, nuclei, strict=True):
        np.testing.assert_array_equal(image, same_image)
        np.testing.assert_array_equal(mask, same_mask)


@pytest.mark.parametrize("way", loader.WAYS)
def test_each_way_gives_whole_batches(folder, way):
    batches = loader.WAYS[way](folder)
    for _ in range(3):
        images, masks = next(batches)
        assert images.shape == (4, 3, 256, 256)
        assert masks.shape == (4, 1, 256, 256)
    if hasattr(batches, "close"):
        batches.close()


def test_the_wait_counts(monkeypatch):
    monkeypatch.setattr(loader, "STEPS", 2)
    monkeypatch.setattr(loader.models, "create", lambda name: loader.tc.nn.Conv2d(3, 1, 1))
    monkeypatch.setattr(loader, "bce_dice_loss", lambda output, masks: output.mean())
    batch = (loader.tc.zeros(1, 3, 8, 8), loader.tc.zeros(1, 1, 8, 8))

    def slow():
        while True:
            time.sleep(0.05)
            yield batch

    turns = loader.step_seconds(slow())
    assert next(turns) == []
    for _ in range(3):
        began = time.perf_counter()
        seconds = next(turns)
        assert len(seconds) == 2 and min(seconds) >= 0.05
        assert sum(seconds) <= time.perf_counter() - began


PLAYER = """
import threading, time
from benchmarks.loader import answer
ticks = []
def tick():
    while True:
        ticks.append(time.monotonic())
        time.sleep(0.001)
threading.Thread(target=tick, daemon=True).start()
def play():
    yield "ready"
    while True:
        began, count = time.monotonic(), len(ticks)
        while len(ticks) < count + 3:
            time.sleep(0.02)
        yield began, time.monotonic(), ticks
answer(play())
"""
needs_stops = pytest.mark.skipif(not hasattr(os, "waitid"), reason="processes cannot be stopped here")


@needs_stops
def test_one_process_works_at_a_time_and_its_threads_too():
    command = [sys.executable, "-c", PLAYER]
    found = loader.in_turns({"a": command, "b": command}, 3, Random(0))
    turns = sorted((began, ended, name) for name, turns in found.items() for began, ended, _ in turns)
    order = "".join(name for *_, name in turns)
    laps = {order[begin : begin + 2] for begin in range(0, 6, 2)}
    assert laps == {"ab", "ba"}, "each lap has both, and not always in the same order"
    for (_, ended, _), (began, _, _) in pairwise(turns):
        assert ended <= began
    for began, ended, name in turns:
        mine, others = (
            [tick for tick in found[which][-1][2] if began <= tick <= ended]
            for which in (name, "b" if name == "a" else "a")
        )
        assert mine and not others


@needs_stops
def test_a_process_that_dies_ends_all(tmp_path):
    write = f"import os, time; open({str(tmp_path)!r} + '/pid', 'w').write(str(os.getpid()))"
    stands = [sys.executable, "-c", f"{write}; print(1, flush=True); time.sleep(60)"]
    dies = [sys.executable, "-c", "raise SystemExit(3)"]
    with pytest.raises(subprocess.CalledProcessError) as caught:
        loader.in_turns({"stands": stands, "dies": dies}, 1, Random(0))
    assert caught.value.returncode == 3
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_turns_are_compared_with_those_of_the_same_lap():
    """All become slower and slower, one turn was disturbed, and the start is that of a first epoch alone."""
    ready = np.array([[9.0] * 4, [9.0] * 4, [1.0, 1, 1, 1], [2.0, 2, 2, 2], [4.0, 4, 4, 4]])
    turned, first = 1.1 * ready, ready.copy()
    turned[2] *= 5
    turned[:2] *= 3
    first[0] += 5
    name = "1 worker, first epoch"
    rounds = [{"ready batches": ready, "1 worker": turned, name: first}] * 3
    found = loader.summary([{way: turns.tolist() for way, turns in each.items()} for each in rounds])
    assert found["ready batches"]["slower"] == 0
    assert found["ready batches"]["median_ms"] == 2000 and found["ready batches"]["with_start_s"] == 100
    assert found["1 worker"]["slower"] == 0.1 and found["1 worker"]["interval"] == [0.1, 0.1]
    assert found[name]["slower"] == 0.2


def test_the_interval_is_that_of_medians_of_rounds_drawn_anew():
    """Of two rounds, 1 and 3 times as slow: both are drawn, or the first twice, or the second twice."""
    ready = [[1.0] * 4] * 3
    rounds = [{"ready batches": ready, "1 worker": [[slow] * 4] * 3} for slow in (2.0, 4.0)]
    found = loader.summary(rounds)["1 worker"]
    assert found["slower"] == 2 and found["interval"] == [1, 3]
