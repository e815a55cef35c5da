"""The whole comparison: its cases, goals, choice of contenders, report, and a tiny run from end to end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer

import tinyconv as tc
import tinyconv.nn.functional as F
from benchmarks import cases
from benchmarks.__main__ import chosen, matching
from benchmarks.contenders import ALL, PYTORCH
from benchmarks.contenders.walk import walk
from benchmarks.goals import TRAINING_GOALS, goals, layer_ratios
from benchmarks.memory import MemoryRow, memory_rows
from benchmarks.report import Report, write
from tinyconv.benchmark import Entry, Layer, Network, Row
from tinyconv.benchmark.case import TRAINING, tasks_of
from tinyconv.benchmark.networks import NETWORKS, weights

ROOT = Path(__file__).parents[2]


def row(case, task, ours, theirs, status="ok"):
    entries = {
        "pytorch nchw": Entry(seconds=[theirs]),
        "pytorch channels_last": Entry(status=status, note="off by far", seconds=[theirs / 2]),
        "tinyconv": Entry(seconds=[ours]),
    }
    return Row(case, task, entries)


def test_every_case_has_a_name_of_its_own():
    names = [case.name for case in (*cases.LAYERS, *cases.NETWORKS)]
    assert len(set(names)) == len(names)
    assert {case.network for case in cases.NETWORKS if TRAINING in case.tasks} == set(TRAINING_GOALS)
    assert sum(map(cases.is_plain_3x3, cases.LAYERS)) == 7
    assert not cases.is_plain_3x3(Layer(1, 32, 32, (8, 8, 8)))


def test_goals_by_hand():
    plain, other = Layer(1, 32, 32, (8, 8)), Layer(1, 32, 32, (8, 8), stride=2)
    rows = [
        row(plain, "forward", ours=1.0, theirs=4.0),  # PyTorch's best: 2
        row(plain, "backward", ours=3.0, theirs=4.0, status="wrong"),  # PyTorch's best: 4
        row(other, "forward", ours=1.0, theirs=2.0),
        row(other, "backward", ours=2.0, theirs=1.0),
        row(Network("unet", 4, (3, 256, 256)), "training step", ours=1.0, theirs=3.0),
        row(Network("unet", 4, (3, 256, 256)), "inference", ours=2.0, theirs=3.0),
    ]
    memory = MemoryRow(cases.NETWORKS[0], "training step", {"tinyconv": (10, 30), "pytorch nchw": (5, 15)})
    assert layer_ratios(rows, lambda layer: True) == {plain: 6 / 4, other: 1.5 / 3}
    found = {goal.name: (goal.value, goal.reached) for goal in goals(rows, [memory])}
    assert found == {
        "3x3 stride-1 layers with 32 or more channels, geometric mean of 1": (1.5, True),
        "all layers, geometric mean of 2": (pytest.approx((1.5 * 0.5) ** 0.5), False),
        "unet, 4x256x256: training step": (1.5, True),
        "unet, 4x256x256: inference": (0.75, False),
        "memory of mlp, 64x784: training step": (2.0, False),
    }
    assert layer_ratios(rows[:1], lambda layer: True) == {}, "forward alone is no layer"
    assert goals([], []) == []


def test_contenders_are_chosen_by_how_they_begin():
    assert list(chosen(None)) == list(ALL)
    assert list(chosen("tinyconv, pytorch")) == [*PYTORCH, "tinyconv", "tinyconv compiled"]
    assert list(chosen("pytorch nchw,jax")) == ["pytorch nchw", "pytorch nchw compiled", "jax"]
    with pytest.raises(typer.BadParameter, match="caffe"):
        chosen("tinyconv,caffe")
    jobs = tasks_of(cases.LAYERS)
    assert {layer.stride for layer, _ in matching(jobs, "stride 2")} == {2}
    assert {task for _, task in matching(jobs, ": forward")} == {"forward"}


def test_the_report_has_all_numbers_and_figures(tmp_path):
    rows = [
        row(Layer(1, 32, 32, (8, 8)), "forward", 1e-3, 4e-3),
        row(Layer(1, 32, 32, (8, 8)), "backward", 2e-3, 4e-3, status="wrong"),
    ]
    rows[0].entries["jax"] = Entry("missing", "ImportError: no jax")
    report = Report({"threads": 2, "processor": "one", "date": "2030-01-01T00:00"}, {"rounds": 3})
    report.rows, report.versions = rows, {"tinyconv": "0"}
    report.ceiling = {"peak": 10.0, "peak_1_thread": 5.0, "copy": 8.0, "copy_1_thread": 4.0}
    written = write(report, tmp_path)
    assert [path.name for path in written] == ["results.json", "results.md", "layers.png"]
    saved = json.loads((tmp_path / "results.json").read_text())
    first = saved["rows"][0]
    assert (first["pytorch_best"], first["ratio"]) == ("pytorch channels_last", 2.0)
    assert first["gflop"] == pytest.approx(2e-9 * 8 * 8 * 32 * 32 * 9)
    assert first["entries"]["jax"] == {"status": "missing", "note": "ImportError: no jax", "calls": 0}
    page = (tmp_path / "results.md").read_text()
    share = f"{100 * first['gflop'] / 1e-3 / 10:.0f} %"
    assert f"| channels_last | 2.00 | {share} |" in page
    assert "WRONG (off by far)" in page and "jax: missing (ImportError: no jax)" in page


def test_memory_of_planted_contenders():
    names = {name: f"tests.benchmark.planted:{name}" for name in ("right", "missing")}
    ((case, task),) = [(Layer(1, 2, 2, (4, 4)), "forward")]
    (result,) = memory_rows([(case, task)], names, threads=1)
    assert list(result.numbers) == ["right"] and list(result.notes) == ["missing"]
    rest, peak = result.numbers["right"]
    assert 2**20 < rest and 2**20 < peak


class Own:
    """tinyconv's own functions, to test the walk."""

    relu, elu, sigmoid = staticmethod(F.relu), staticmethod(F.elu), staticmethod(tc.sigmoid)

    def conv(self, x, weight, bias, padding):
        return F.conv2d(x, weight, bias, padding=padding)

    def up(self, x, weight, bias):
        return F.conv_transpose2d(x, weight, bias, stride=2)

    def linear(self, x, weight, bias):
        return F.linear(x, weight, bias)

    def max_pool(self, x):
        return F.max_pool2d(x, 2)

    def dropout(self, x, p):
        return x

    def flatten(self, x):
        return x.flatten(1)

    def cat(self, a, b):
        return tc.cat([a, b], dim=1)


@pytest.mark.parametrize(("name", "size"), [("mlp", (784,)), ("vgg16", (3, 32, 32)), ("unet", (3, 16, 16))])
def test_a_walk_computes_what_the_network_does(name, size):
    model, state = NETWORKS[name](tc), weights(name)
    parameters = {key: tc.from_numpy(value.copy()) for key, value in state.items()}
    model.load_state_dict(parameters)
    images = tc.from_numpy(Network(name, 1, size).images())
    with tc.kernel_backend("reference"), tc.no_grad():
        expected = model.eval()(images).numpy()
        assert np.array_equal(walk(model, Own(), parameters, images).numpy(), expected)


@pytest.mark.parametrize("name", ["jax", "mygrad"])
def test_the_others_agree_with_tinyconv(name):
    pytest.importorskip(name)
    from tinyconv.benchmark import Settings, race

    names = {other: ALL[other] for other in ("reference", name)}
    tiny = [Layer(1, 4, 6, (8, 8), stride=2, kernel=2, padding=0), Layer(1, 2, 4, (4, 5, 6))]
    jobs = tasks_of([*tiny, Network("lenet5", 2, (1, 28, 28))])
    for result in race(jobs, names, Settings(threads=1, rounds=1, turn_seconds=0.001)):
        assert result.entries[name].status == "ok", (result.label, result.entries[name].note)


def test_a_run_from_end_to_end(tmp_path):
    command = [
        sys.executable,
        "-m",
        "benchmarks",
        "--quick",
        "--rounds",
        "1",
        "--only",
        "layers",
        "--threads",
        "1",
    ]
    command += ["--filter", "transposed", "--contenders", "reference,tinyconv", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    saved = json.loads((tmp_path / "results.json").read_text())
    assert [line["task"] for line in saved["rows"]] == ["forward", "backward"]
    assert all(line["entries"]["tinyconv"]["status"] == "ok" for line in saved["rows"])
    assert saved["facts"]["threads"] == 1 and "tinyconv" in saved["versions"]
