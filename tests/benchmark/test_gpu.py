"""The benchmark on a card: its report from numbers that are made up, and what it says without a card."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks import traffic
from benchmarks.bandwidth import Rate
from benchmarks.gpu import bandwidth, card, ceiling, report
from benchmarks.gpu.goals import goals
from benchmarks.gpu.report import Report, as_json, best, ratio, write
from benchmarks.memory import MemoryRow
from tests.gpu import gpu
from tinyconv.benchmark import Entry, Layer, Network, Row
from tinyconv.benchmark.agreement import disagreement
from tinyconv.benchmark.case import BACKWARD, FORWARD, INFERENCE, TRAINING
from tinyconv.benchmark.contender import Job
from tinyconv.benchmark.gpu import CONTENDERS, WAYS, GpuEngine, rounding
from tinyconv.benchmark.worker import Worker

ROOT = Path(__file__).parents[2]
LAYER = Layer(2, 8, 16, (10, 10))
MADE_UP = {
    "tinyconv float32 eager": 4e-3,
    "tinyconv float32 graphs": 2e-3,
    "tinyconv bfloat16 graphs": 1e-3,
    "pytorch nchw float32 eager": 8e-3,
    "pytorch channels_last float32 graphs": 3e-3,
    "pytorch channels_last bfloat16 graphs": 0.5e-3,
    "processor: tinyconv": 50e-3,
}


def made_up(case: Any, task: str) -> Row:
    """A row of numbers that nobody measured; one contender is faster than all, and wrong."""
    row = Row(case, task, {name: Entry(seconds=[seconds]) for name, seconds in MADE_UP.items()})
    row.entries["pytorch nchw float32 graphs"] = Entry("wrong", "off by far", [1e-6])
    row.entries["tinyconv tf32 eager"] = Entry("failed", "no mma")
    return row


def made_up_report() -> Report:
    facts = {"card": "made up", "date": "2030-01-01T00:00"}
    limits = {"float32": 10.0, "tf32": 20.0, "bfloat16": 40.0, "copy": 100.0}
    rows = [made_up(LAYER, FORWARD), made_up(LAYER, BACKWARD), made_up(Network("mlp", 64, (784,)), TRAINING)]
    needed = {"tinyconv float32 eager": (2**20, 5 * 2**20), "pytorch nchw float32 eager": (0, 8 * 2**20)}
    memory = MemoryRow(rows[2].case, TRAINING, needed, {"tinyconv float32 graphs": "out of memory"})
    return Report(facts, limits, rows, [memory], {"tinyconv float32 eager": "0"})


def test_the_best_ways_in_one_precision_are_compared() -> None:
    row = made_up(LAYER, FORWARD)
    assert best(row, "tinyconv", "float32") == "tinyconv float32 graphs"
    assert best(row, "pytorch", "float32") == "pytorch channels_last float32 graphs"
    assert ratio(row, "float32") == pytest.approx(1.5) and ratio(row, "bfloat16") == pytest.approx(0.5)
    assert ratio(row, "tf32") is None and best(row, "tinyconv", "tf32") is None
    assert report.on_processor(row) == "processor: tinyconv"


def test_rates_count_the_definition_and_each_array_once() -> None:
    forward, backward = made_up(LAYER, FORWARD), made_up(LAYER, BACKWARD)
    name, flops = "tinyconv float32 graphs", 2 * 2 * 100 * 8 * 16 * 9
    assert report.tflops(forward, name) == pytest.approx(flops / 2e-3 / 1e12)
    assert report.tflops(backward, name) == pytest.approx(2 * flops / 2e-3 / 1e12)
    x, weight, bias, y = 2 * 8 * 100 * 4, 16 * 8 * 9 * 4, 16 * 4, 2 * 16 * 100 * 4
    assert report.bandwidth(forward, name) == pytest.approx((x + weight + bias + y) / 2e-3 / 1e9)
    moved = (x + weight + y) + (x + weight + bias)
    assert report.bandwidth(backward, name) == pytest.approx(moved / 2e-3 / 1e9)


def test_goals_compare_with_eager_and_with_the_best_of_each_layer_of_many_channels() -> None:
    """A mean does not hide a slow layer."""
    wide, other, narrow = (Layer(2, *channels, (10, 10)) for channels in ((64, 128), (128, 64), (64, 8)))
    lenet, small = Network("lenet5", 64, (1, 28, 28)), Network("unet", 4, (3, 256, 256))
    rows = [made_up(layer, task) for layer in (wide, other, narrow) for task in (FORWARD, BACKWARD)]
    rows += [made_up(lenet, TRAINING), made_up(lenet, INFERENCE), made_up(small, TRAINING)]
    rows[1].entries["tinyconv float32 graphs"].seconds[0] = rows[1].entries["tinyconv float32 eager"].seconds[
        0
    ] = 10e-3
    found = {goal.name: (goal.value, goal.goal, goal.reached) for goal in goals(rows)}
    assert found == {
        f"2 layers with 64 or more channels, float32, the slowest ({wide.name})": (
            *(pytest.approx(6 / 12), 0.6, False),
        ),
        "2 layers with 64 or more channels, float32, geometric mean": (
            *(pytest.approx((6 / 12 * 6 / 4) ** 0.5), 0.6, True),
        ),
        "lenet5, 64x28x28: training step, float32, PyTorch eager": (pytest.approx(8 / 2), 3.0, True),
        f"2 layers with 64 or more channels, bfloat16, the slowest ({wide.name})": (0.5, 0.6, False),
        "2 layers with 64 or more channels, bfloat16, geometric mean": (pytest.approx(0.5), 0.6, False),
    }
    assert goals(rows[:1]) == []


def test_the_slowest_of_each_family_counts() -> None:
    shares = {("relu", "forward"): 0.9, ("relu", "backward"): 0.8, ("max_pool2d 2", "forward"): 0.9}
    shares |= {("Adam", "step"): 0.95, ("cat of two", "forward"): 0.1}
    rates = [Rate(name, task, 1, 1, 1, share) for (name, task), share in shares.items()]
    assert [(goal.name, goal.value, goal.reached) for goal in bandwidth.goals(rates)] == [
        ("pooling, the slowest (max_pool2d 2: forward) / a copy", 0.9, True),
        ("optimisers, the slowest (Adam: step) / a copy", 0.95, True),
        ("activations, the slowest (relu: backward) / a copy", 0.8, False),
    ]


def test_kernels_that_move_numbers_are_timed_on_the_card_with_channels_innermost() -> None:
    def seconds(run: Any, calls: int) -> float:
        run()
        return 1.0

    with gpu():
        found = list(bandwidth.rates("max_pool3d 2", True, seconds, 2**12))
        (forward, *_) = traffic.prepared(traffic.Case("pool", traffic.op("relu")), True, "cuda")
        strides = forward.run().array.strides
    assert [rate.label for rate in found] == ["max_pool3d 2: forward", "max_pool3d 2: backward"]
    assert strides[1] == 4


def test_the_page_has_all_numbers_and_two_figures(tmp_path: Path) -> None:
    written = write(made_up_report(), tmp_path)
    assert [path.name for path in written] == ["gpu.json", "gpu.md", "gpu_layers.png", "gpu_networks.png"]
    assert all(path.stat().st_size > 0 for path in written)
    page = (tmp_path / "gpu.md").read_text()
    label = "3x3 8>16, 2x10x10: forward"
    assert f"| {label} | float32 | 2.00 ms (2.00 to 2.00) | graphs | 3.00 ms (3.00 to 3.00) | " in page
    assert "channels_last graphs | 1.50 |" in page and f"| {label} | tf32 | - | - | - | - | - |" in page
    assert "50.0 ms" in page and "WRONG (off by far)" in page and "FAILED (no mma)" in page
    assert "| mlp, 64x784: training step | 4 | 8 |" in page
    assert "float32 10.0, tf32 20.0, bfloat16 40.0" in page and "copy: 100 GB/s" in page
    saved = json.loads((tmp_path / "gpu.json").read_text())
    assert saved == json.loads(json.dumps(as_json(made_up_report())))
    assert saved["rows"][0]["ratios"]["float32"] == pytest.approx(1.5)


def test_shares_are_of_the_limit_of_the_precision() -> None:
    fast = made_up(LAYER, FORWARD)
    flops = 2 * 2 * 100 * 8 * 16 * 9
    fast.entries["tinyconv bfloat16 graphs"].seconds = [flops / 20e12]
    text = report.table(made_up_report(), [fast])
    (line,) = [line for line in text.splitlines() if "| bfloat16 |" in line]
    assert "| 50 % |" in line


def test_every_way_can_be_made_by_its_address() -> None:
    from importlib import import_module

    assert len(WAYS) == 24
    for name, address in CONTENDERS.items():
        module, _, function = address.partition(":")
        assert callable(getattr(import_module(module), function)), name
    assert rounding("tinyconv tf32 eager") == 2**-11 and rounding("processor: tinyconv") == 0
    assert rounding("pytorch nchw bfloat16 graphs") == 2**-8


def test_products_of_fewer_bits_may_differ_by_their_rounding_and_no_more() -> None:
    right = {"output": np.array([1.0, 2.0])}
    off = {"output": np.array([1.0, 2.0 + 2 * 2.0**-10])}
    assert "off by" in disagreement(off, right, FORWARD)
    assert disagreement(off, right, FORWARD, 2.0**-11) == ""
    assert "off by" in disagreement({"output": np.array([1.0, 2.02])}, right, FORWARD, 2.0**-11)


class Card:
    """Stands for ``cuda`` of an engine: a clock that goes on by 3 ms with each call, and a count of bytes."""

    def __init__(self) -> None:
        self.now, self.used, self.most = 0.0, 100, 100

    def Event(self, enable_timing: bool) -> Any:  # noqa: N802
        assert enable_timing
        event = SimpleNamespace(at=0.0, synchronize=lambda: None)
        event.record = lambda: setattr(event, "at", self.now)
        event.elapsed_time = lambda end: end.at - event.at
        return event

    def synchronize(self) -> None:
        pass

    def memory_allocated(self) -> int:
        return self.used

    def max_memory_allocated(self) -> int:
        return self.most

    def reset_peak_memory_stats(self) -> None:
        self.most = self.used

    def work(self) -> None:
        self.now += 3.0
        self.most = max(self.most, self.used + 50)


def engine(monkeypatch: pytest.MonkeyPatch) -> tuple[GpuEngine, Card]:
    card = Card()
    made = GpuEngine(SimpleNamespace(cuda=card, __version__="1"), *[None] * 3)  # type: ignore[arg-type]
    monkeypatch.setattr("tinyconv.benchmark.gpu.Engine.prepare", lambda *_: Job(card.work, dict))
    return made, card


def test_the_card_has_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = engine(monkeypatch)
    for case, task in ((LAYER, FORWARD), (Network("mlp", 64, (784,)), TRAINING)):
        worker = Worker(made)
        worker.job = made.prepare(case, task)
        assert worker.time(0.0)["seconds"] == pytest.approx([3e-3])


def test_memory_is_what_arrays_on_the_card_have(monkeypatch: pytest.MonkeyPatch) -> None:
    made, card = engine(monkeypatch)
    card.most = 10_000  # before, when algorithms were tried
    from tinyconv.benchmark.case import to_json

    assert Worker(made).peak(to_json(LAYER), FORWARD) == {"rest": 100, "peak": 150}


def test_limits_are_the_best_of_some_tries() -> None:
    times = iter(np.tile([4.0, 2.0, 3.0, 5.0, 2.5, 4.0, 9.0], 4))
    found = ceiling.rates(lambda name: lambda: None, lambda work, calls: float(next(times)))
    products = round(2 * ceiling.SIDE**3 / 1e12 / 2, 2)
    copy = round(2 * ceiling.COPIED_BYTES / 1e9 / 2, 2)
    assert found == {"float32": products, "tf32": products, "bfloat16": products, "copy": copy}


def test_the_versions_of_driver_and_cudnn_are_among_the_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a card without NVIDIA's program, and of a PyTorch that is broken, the other facts are told."""
    monkeypatch.setattr(card, "DRIVER", (sys.executable, "-c", "print('580.65.06'); print('580.65.06')"))
    monkeypatch.setattr(card, "PYTORCH", (sys.executable, "-c", "print('2.9.0, 91002')"))
    with gpu():
        known = card.card_facts()
        assert known["driver's release"] == "580.65.06" and known["pytorch, its cudnn"] == "2.9.0, 91002"
        monkeypatch.setattr(card, "DRIVER", ("no-such-program",))
        monkeypatch.setattr(card, "PYTORCH", (sys.executable, "-c", "raise ImportError('torch')"))
        missing = {name for name, value in card.card_facts().items() if value == card.UNKNOWN}
    assert missing == {"driver's release", "pytorch, its cudnn"}


def test_who_fails_is_named(tmp_path: Path) -> None:
    found = made_up_report()
    found.memory[0].failed.append("tinyconv float32 graphs")
    label = "3x3 8>16, 2x10x10: forward"
    assert found.failures[:2] == [
        f"pytorch nchw float32 graphs, {label}: WRONG (off by far)",
        f"tinyconv tf32 eager, {label}: FAILED (no mma)",
    ]
    assert found.failures[-1] == "tinyconv float32 graphs, mlp, 64x784: training step: FAILED (out of memory)"
    row = Row(LAYER, FORWARD, {"a": Entry("missing"), "b": Entry("not done"), "c": Entry(seconds=[1.0])})
    assert not Report({}, {}, [row]).failures


@pytest.mark.parametrize(("status", "code"), [("failed", 1), ("wrong", 1), ("not done", 0), ("ok", 0)])
def test_the_status_says_whether_a_contender_failed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], status: str, code: int
) -> None:
    from benchmarks.gpu import __main__ as program

    row = Row(LAYER, FORWARD, {"pytorch nchw tf32 eager": Entry(status, "why", [1.0])})
    for name, instead in {
        "find_cupy": lambda op: None, "card_facts": dict, "facts": lambda threads: {"date": ""},
        "race": lambda *args, **options: [row], "memory_rows": lambda *args, **options: [],
    }.items():  # fmt: skip
        monkeypatch.setattr(program, name, instead)
    monkeypatch.setattr(ceiling, "measure", dict)
    monkeypatch.setattr(bandwidth, "measure", lambda *args: [])
    ended = 0
    try:
        program.main(None, None, 1, True, None)
    except SystemExit as end:
        ended = end.code
    assert ended == code
    named = f"pytorch nchw tf32 eager, 3x3 8>16, 2x10x10: forward: {status.upper()} (why)"
    assert (named in capsys.readouterr().out) == bool(code)


def test_without_a_card_one_line_says_so_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "cupy.py").write_text("raise ImportError('no cupy')\n")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    command = [sys.executable, "-m", "benchmarks.gpu", "--out", str(tmp_path / "results")]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 1, done.stdout + done.stderr
    assert done.stdout.startswith("nothing was measured: bench-gpu: device is 'cuda', expected")
    assert not (tmp_path / "results").exists()
