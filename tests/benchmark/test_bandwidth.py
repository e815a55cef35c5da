"""What has to be moved at least, by hand; each op of the list runs; the page and its numbers."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("numba")

from benchmarks import bandwidth, traffic
from benchmarks.__main__ import Part, main
from benchmarks.bandwidth import Rate

CASES = {case.name: case for case in traffic.CASES}
NUMBERS = 4 * 64 * 16 * 16  # of an image of a quick run


def bytes_of(name):
    return {job.task: job.bytes for job in traffic.prepared(CASES[name], quick=True)}


def test_bytes_by_hand():
    n = NUMBERS
    assert bytes_of("relu") == {"forward": 8 * n, "backward": 12 * n}
    assert bytes_of("batch_norm") == {"forward": 12 * n, "backward": 16 * n}
    assert bytes_of("avg_pool2d 2") == {"forward": 5 * n, "backward": 5 * n}
    # The smaller image, an int64 index for each of its numbers, and the larger one: read, read, written.
    assert bytes_of("max_unpool2d 2") == {"forward": n + 2 * n + 4 * n, "backward": 4 * n + 2 * n + n}
    assert bytes_of("cat of two") == {"forward": 8 * n}  # the gradients are parts of the whole
    # Two factors read and one product written; then the gradient and both factors read, two written.
    assert bytes_of("mul") == {"forward": 12 * n, "backward": 20 * n}
    adam = traffic.optimiser("Adam", quick=True)
    assert adam.bytes == 7 * 4 * 4 * 2**12


@pytest.mark.parametrize("name", CASES)
def test_each_op_runs_in_both_directions(name):
    case = CASES[name]
    forward, *backward = traffic.prepared(case, quick=True)
    y = forward.run()
    assert np.isfinite(y.array).all() and y.array.nbytes < forward.bytes
    if not case.moves_back:
        return
    gradients = backward[0].run()
    assert [g.shape for g in gradients] == [
        traffic.numbers(shape, 0, quick=True).shape for shape in case.shapes
    ]


def test_optimisers_move_their_parameters():
    for name in traffic.OPTIMISERS:
        job = traffic.optimiser(name, quick=True)
        job.run()
        (parameters,) = [group["params"] for group in job.run.__self__.param_groups]
        assert all((parameter.array < 0).all() for parameter in parameters), name


def test_a_share_is_relative_to_the_copy_beside_it(monkeypatch):
    clock = iter(np.cumsum([0, 0, 2, 0, 1, 0, 2, 0, 1, 0, 2, 0, 1, 0]).tolist() + [99] * 9)
    monkeypatch.setattr(bandwidth.time, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(bandwidth, "TRIES", 3)
    monkeypatch.setattr(bandwidth, "LONGEST_TRIES", 0)
    job = traffic.Timed("half", "forward", 4e9, lambda: None)
    found = bandwidth.rate(job, lambda: None, 4e9)
    assert (found.rate, found.copy, found.share) == (2, 4, 0.5)


def test_names_are_chosen_by_what_they_contain():
    assert bandwidth.tasks("max_pool2d 2: back") == [("max_pool2d 2", "backward")]
    assert ("Adam", "step") in bandwidth.tasks(None)
    assert len(set(bandwidth.tasks(None))) == len(bandwidth.tasks(None))


def test_the_page_and_its_numbers(tmp_path):
    rates = [
        Rate("relu", "forward", 134.0, 20.0, 20.0, 1.0),
        Rate("relu", "backward", 201.0, 5.0, 20.0, 0.25),
        Rate("Adam", "step", 470.0, 18.0, 20.0, 0.9),
    ]
    facts = {"processor": "abacus", "threads": 2, "date": "2026-11-20T12:00"}
    paths = bandwidth.write(rates, facts, {"load before": 0.1}, tmp_path)
    assert [path.name for path in paths] == ["bandwidth.json", "bandwidth.md", "bandwidth.png"]
    found = json.loads(paths[0].read_text())
    assert found["copy"] == 20.0 and found["ops"][1]["share"] == 0.25
    page = paths[1].read_text()
    assert "| relu | backward | 201.0 | 5.00 | **25%** |" in page
    assert "Of 3 passes 2 reach 50% of a copy's speed or more" in page
    assert paths[2].stat().st_size > 10_000


def test_from_the_command_line_nothing_else_is_overwritten(tmp_path, capsys):
    (tmp_path / "results.md").write_text("of yesterday")
    main(only=[Part.BANDWIDTH], filter="relu: ", rounds=1, quick=True, out=tmp_path, threads=1)
    assert (tmp_path / "results.md").read_text() == "of yesterday"
    assert {path.name for path in tmp_path.iterdir()} == {
        "results.md", "bandwidth.json", "bandwidth.md", "bandwidth.png",
    }  # fmt: skip
    named = {op["name"] for op in json.loads((tmp_path / "bandwidth.json").read_text())["ops"]}
    assert {"relu", "leaky_relu"} <= named and "tanh" not in named
    assert "leaky_relu: backward" in capsys.readouterr().out
