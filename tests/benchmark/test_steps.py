"""Every step of the walk computes the same convolution; a wrong one is not timed."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("numba")

from benchmarks import ceiling, steps
from tinyconv.kernels.reference.conv import conv


@pytest.mark.parametrize("index", range(7))
def test_each_step_is_the_convolution(index):
    name, _, _, step = steps.steps()[index]
    x, weight = steps.layer(2, 16, 9)
    right = conv(x.astype(np.float64), weight.astype(np.float64), None, *steps.GEOMETRY)
    np.testing.assert_allclose(step(x, weight), right, rtol=0, atol=1e-5 * np.abs(right).max(), err_msg=name)


def test_a_wrong_step_is_named():
    x, weight = steps.layer(1, 4, 8)
    with pytest.raises(SystemExit, match=r"halves: the result is wrong by 5\.0e-01"):
        steps.checked("halves", lambda x, w: conv(x, w, None, *steps.GEOMETRY) / 2, x, weight)


def test_the_figure_and_its_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr(ceiling, "measure", lambda threads: {"peak_1_thread": 100.0, "peak": 200.0})
    monkeypatch.setattr(steps, "SECONDS", 0.0)
    monkeypatch.setattr(steps, "TRIES", 1)
    steps.main(out=tmp_path, quick=True)
    found = json.loads((tmp_path / "steps.json").read_text())
    assert [result["step"] for result in found["steps"]] == [name for name, *_ in steps.steps()]
    assert all(result["gflops"] > 0 for result in found["steps"])
    assert (tmp_path / "steps.png").stat().st_size > 10_000
