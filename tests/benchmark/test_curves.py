"""Curves of one engine are within the noise of the other's, unless one of them learns differently."""

from __future__ import annotations

import contextlib
import json

import numpy as np
import pytest
import typer

pytest.importorskip("torch")

from benchmarks import curves

RNG = np.random.default_rng(0)
SMALL = curves.Course(
    "MLP", "mlp", 8, 1e-3, RNG.standard_normal((32, 784), np.float32), RNG.integers(0, 10, 32)
)  # fmt: skip


def test_both_engines_begin_alike_and_learn(tmp_path, monkeypatch):
    monkeypatch.setattr(curves, "COURSES", {"mlp": lambda: SMALL})
    with contextlib.suppress(typer.Exit):  # the verdict: in so few steps the noise is that of one rounding
        curves.main(steps=20, runs=1, only=None, out=tmp_path)
    (result,) = json.loads((tmp_path / "curves.json").read_text())["networks"]
    right = result["curves"]["PyTorch, float64"][0]
    assert right[-1] < 0.5 * right[0]
    for name in ("PyTorch", "tinyconv", "tinyconv, direct"):
        np.testing.assert_allclose(result["curves"][name][0], right, rtol=1e-3)
        assert result["first_loss_off"][name] < 1e-6
    assert (tmp_path / "curves.png").stat().st_size > 10_000


def test_an_engine_that_learns_otherwise_is_outside_the_noise(monkeypatch):
    train = curves.train

    def slower(package, course, steps, state, dtype):
        losses = train(package, course, steps, state, dtype)
        return [1.01 * loss for loss in losses] if package.__name__ == "tinyconv" else losses

    monkeypatch.setattr(curves, "train", slower)
    result = curves.compare(SMALL, 5, 1, lambda label: None)
    assert result["within_noise"] == {"tinyconv": False, "tinyconv, direct": False}
    assert result["distances"]["tinyconv"] == pytest.approx([np.log(1.01)] * 1, rel=1e-2)
    assert any("OUTSIDE" in line for line in curves.lines(result))


def test_a_run_begins_with_weights_changed_by_one_in_a_million():
    given, same, other = (curves.start("mlp", run) for run in (0, 0, 1))
    for name, value in given.items():
        np.testing.assert_array_equal(value, same[name])
        off = np.abs(other[name] - value)
        assert off.max() <= 1e-5 * np.abs(value).max()
        assert (off > 0).mean() > 0.5 or not value.any()
