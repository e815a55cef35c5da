from __future__ import annotations

import io
import sys

import pytest

from tinyconv.train import progress as module
from tinyconv.train.progress import Mean, Progress


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def test_plain_lines_where_there_is_no_terminal(make_trainer, clock, capsys):
    class Tick(module.Callback):
        def on_step(self, trainer):
            clock[0] += 4.0

    with Progress(batch_size=2) as progress:
        validate = {"validate": lambda: {"held_out_dice": 0.75}, "validate_every": 2}
        make_trainer(epochs=4, callbacks=[Tick(), progress], **validate).fit()
    lines = capsys.readouterr().out.splitlines()
    assert not any("\x1b" in line for line in lines)
    assert "epoch 2, step 6: held-out Dice 0.7500" in lines
    later = [line for line in lines if "left" in line]
    assert all("loss " in line and "Dice " in line and "0.5 images/s" in line for line in later)
    assert later[0].startswith("epoch 2, step 6,") and later[0].endswith("0:24 left")


def test_a_bar_in_a_terminal(make_trainer, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "xterm")
    with Progress(batch_size=2) as progress:
        make_trainer(callbacks=[progress], validate=lambda: {"held_out_dice": 0.5}).fit()
    shown = screen.getvalue()
    for part in ("loss", "Dice", "images/s", "100 %", "epoch 4, step 12", "held-out Dice 0.5000"):
        assert part in shown, part


def test_the_running_mean_forgets():
    mean = Mean()
    for value in [0.0] * 200 + [1.0] * 200:
        mean.add(value)
    assert mean.value == pytest.approx(1.0, abs=1e-4)
