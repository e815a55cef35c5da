"""`tinyconv bench`: a table, a figure, and what it refuses."""

from __future__ import annotations

import pytest

from tests.cli.command import refused, tinyconv_command
from tinyconv.benchmark import Layer, short
from tinyconv.errors import ArgumentError

SMALL = (Layer(1, 2, 2, (6, 6)), "forward")


@pytest.fixture
def one_small_job(monkeypatch):
    monkeypatch.setattr(short, "jobs", lambda: [SMALL])


def test_the_table_and_the_figure(one_small_job, tmp_path):
    figure = tmp_path / "ratios.png"
    done = tinyconv_command(
        "bench", "--against", "reference", "--threads", 1, "--rounds", 1, "--figure", figure
    )
    assert done.exit_code == 0, done.output
    for part in ("reference kernels", "ratio", "3x3 2>2", "threads: 1 of", "numpy"):
        assert part in done.stdout
    assert figure.read_bytes().startswith(b"\x89PNG")


def test_results_that_disagree_are_shouted_and_end_with_status_1(one_small_job, monkeypatch):
    monkeypatch.setitem(short.CONTENDERS, "tinyconv", "tests.benchmark.planted:wrong")
    done = tinyconv_command("bench", "--against", "reference", "--rounds", 1)
    assert done.exit_code == 1
    assert "tinyconv, 3x3 2>2" in done.stdout.replace("\n", " ") and "WRONG" in done.stdout


def test_what_cannot_be_raced_is_one_line(monkeypatch):
    refused(tinyconv_command("bench", "--against", "caffe"), "--against", "'caffe'", "'reference'")
    refused(tinyconv_command("bench", "--threads", 0), "num_threads")
    refused(tinyconv_command("bench", "--figure", "ratios.txt"), "path is ratios.txt", ".png")
    monkeypatch.setattr(short, "pytorch_is_installed", lambda: False)
    refused(tinyconv_command("bench", "--against", "pytorch"), "PyTorch to be installed")
    assert short.opponent(None) == "reference"


def test_on_a_gpu_pytorch_or_the_processor_is_raced(monkeypatch):
    for there, name in ((True, "pytorch"), (False, "processor")):
        monkeypatch.setattr(short.gpu, "pytorch_finds_a_gpu", lambda there=there: there)
        assert short.opponent(None, "cuda") == name
        contenders = short.contenders_of(name, "cuda")
        assert list(contenders)[-2:] == ["tinyconv float32 eager", "tinyconv float32 graphs"]
        assert all(member.startswith(name) for member in list(contenders)[:-2]) and len(contenders) > 2
    with pytest.raises(ArgumentError, match=r"'reference'.*'pytorch' or 'processor', with --device cuda"):
        short.opponent("reference", "cuda")


def test_the_help_has_an_example():
    assert "tinyconv bench --threads 1 --figure" in tinyconv_command("bench", "--help").stdout
