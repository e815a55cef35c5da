"""A race with planted contenders: wrong results are found, and a bad contender spoils no other."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from tinyconv.benchmark import Layer, Network, Settings, engines, race
from tinyconv.benchmark.case import tasks_of, to_json
from tinyconv.benchmark.process import Failed, Process
from tinyconv.benchmark.race import Entry, Row, turns
from tinyconv.benchmark.table import all_right, cell, failures, notes

SMALL = Layer(1, 2, 2, (4, 4))
QUICK = Settings(threads=1, rounds=3, turn_seconds=0.001, pause=0.0)


def address(name):
    return f"tests.benchmark.planted:{name}"


RIGHT = address("right")


def planted(*names):
    return {name: address(name) for name in names}


@pytest.fixture(scope="module")
def row():
    names = ("right", "slightly_different", "wrong", "not_a_number", "missing", "crashing", "failing")
    versions = {}
    (row,) = race([(SMALL, "forward")], planted(*names), QUICK, versions=versions, standard=RIGHT)
    assert versions["right"] == "1.0" and "missing" not in versions
    return row


def test_wrong_results_are_found_and_not_timed(row):
    assert {name: entry.status for name, entry in row.entries.items()} == {
        "right": "ok", "slightly_different": "ok", "wrong": "wrong", "not_a_number": "wrong",
        "missing": "missing", "crashing": "failed", "failing": "failed",
    }  # fmt: skip
    assert row.entries["wrong"].note == "output is off by 1.0e-03 (allowed: 1e-04)"
    assert "nan" in row.entries["not_a_number"].note
    assert not row.entries["wrong"].seconds and not row.entries["failing"].seconds
    assert not all_right([row], "right") and cell(row, "wrong") == "wrong"


def test_without_a_standard_nothing_is_right():
    (row,) = race([(SMALL, "forward")], planted("right"), QUICK, standard=address("failing"))
    entry = row.entries["right"]
    assert (entry.status, entry.note) == ("failed", "nothing to compare with: ValueError: a bad day")
    assert not entry.seconds


def test_a_slow_contender_gets_one_round():
    settings = Settings(threads=1, rounds=3, turn_seconds=0.005, pause=0.0)
    (row,) = race([(SMALL, "forward")], planted("right", "slow"), settings, standard=RIGHT)
    assert len(row.entries["slow"].seconds) == 1 and len(row.entries["right"].seconds) >= 3


def test_the_standard_is_in_float64():
    case = Layer(16, 8, 4, (56, 56), kernel=1, padding=0)
    x, weight, bias, gradient = case.arrays()
    job = engines.exact(1).prepare(case, "backward")
    right = gradient.sum((0, 2, 3), dtype=np.float64)
    found = job.results()
    assert {array.dtype for array in found.values()} == {np.dtype("float64")}
    np.testing.assert_allclose(found["gradient of bias"], right, rtol=1e-12, atol=1e-10)
    np.testing.assert_allclose(
        found["gradient of weight"][:, :, 0, 0],
        np.einsum("nohw,nchw->oc", gradient.astype(np.float64), x.astype(np.float64)),
        rtol=1e-10,
        atol=1e-8,
    )
    loss = engines.exact(1).prepare(Network("mlp", 4, (784,)), "training step").results()["loss"]
    assert abs(loss / np.float32(loss) - 1) < 1e-6


def test_the_reasons_are_told(row):
    assert row.entries["missing"].note == "ImportError: No module named 'planted_engine'"
    assert "status 7" in row.entries["crashing"].note
    assert row.entries["failing"].note == "ValueError: a bad day"
    lines = notes([row])
    assert "missing: missing (ImportError: No module named 'planted_engine')" in lines
    assert any(line.startswith(f"wrong, {row.label}: WRONG (output is off") for line in lines)
    assert {line.partition(",")[0] for line in failures([row])} >= {"wrong", "crashing", "failing"}
    assert not [line for line in failures([row]) if line.startswith("missing")]


def test_the_others_are_timed_in_each_round(row):
    for name in ("right", "slightly_different"):
        assert len(row.entries[name].seconds) >= QUICK.rounds
        assert all(seconds >= 0 for seconds in row.entries[name].seconds)


def test_a_task_that_one_cannot_do_and_a_process_that_starts_again():
    jobs = [*tasks_of([SMALL]), (SMALL, "forward")]
    rows = list(race(jobs, planted("right", "crashing"), QUICK, standard=RIGHT))
    assert [r.entries["right"].status for r in rows] == ["ok", "not done", "ok"]
    assert rows[1].entries["right"].note == "it only goes forward"
    assert [r.entries["crashing"].status for r in rows] == ["failed", "not done", "failed"]
    assert not all_right(rows, "right"), "a task that ours cannot do is not right"


def test_threads_are_pinned():
    with Process(address("told_threads"), 1) as process:
        assert process.version == "1 1 1 1 1"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere an earlier peak cannot be forgotten")
def test_peak_memory_counts_what_a_step_holds_for_a_moment():
    with Process(address("greedy"), 1) as process:
        answer = process.ask("peak", case=to_json(SMALL), task="forward")
    held = answer["peak"] - answer["rest"]
    assert 63 * 2**20 <= held < 96 * 2**20, "64 MiB; Linux counts pages in small batches"


def test_no_answer_in_time_ends_the_process():
    with Process(address("sleeping"), 1) as process:
        process._answer_seconds = 0.5
        with pytest.raises(Failed, match="no answer within 0 s"):
            process.ask("peak", case=to_json(SMALL), task="forward")
        assert not process.is_alive


def test_every_contender_has_one_turn_in_each_round_in_varying_order():
    orders = list(turns("ABCD", 40, seed=3))
    assert all(sorted(order) == list("ABCD") for order in orders)
    assert all(a != b for a, b in zip(orders[1:], orders[:-1], strict=True))
    assert {order[0] for order in orders} == set("ABCD")
    assert orders == list(turns("ABCD", 40, seed=3)) != list(turns("ABCD", 40, seed=4))
    assert list(turns("A", 3, seed=0)) == [["A"]] * 3
    assert list(turns("", 2, seed=0)) == [[], []]


def test_median_and_quartiles_by_hand():
    entry = Entry(seconds=[5.0, 1.0, 3.0, 2.0, 4.0])
    assert (entry.median, entry.quartiles) == (3.0, (2.0, 4.0))
    assert Entry(seconds=[2.0]).quartiles == (2.0, 2.0)


def test_the_ratio_is_of_medians_and_takes_the_best_of_a_prefix():
    entries = {
        "pytorch nchw": Entry(seconds=[4.0, 4.0, 100.0]),
        "pytorch channels_last": Entry(seconds=[3.0, 3.0, 1.0]),
        "pytorch compiled": Entry(status="wrong", note="off"),
        "tinyconv": Entry(seconds=[2.0, 1.5, 1.5]),
    }
    row = Row(SMALL, "forward", entries)
    assert row.best("pytorch") == "pytorch channels_last"
    assert row.ratio("tinyconv", "pytorch") == 2.0
    assert row.ratio("tinyconv", "jax") is None
    assert cell(row, "pytorch") == "3.00 s (2.00 to 3.00)"


@pytest.mark.parametrize("case", [Layer(2, 3, 4, (6, 5)), Network("mlp", 4, (784,))], ids=lambda c: c.name)
def test_the_fast_kernels_race_the_reference(case):
    contenders = {name: f"tinyconv.benchmark.engines:{name}" for name in ("reference", "tinyconv")}
    rows = list(race(tasks_of([case]), contenders, QUICK))
    assert [row.task for row in rows] == list(case.tasks)
    assert all_right(rows), notes(rows)
    assert all(row.ratio("tinyconv", "reference") > 0 for row in rows)
