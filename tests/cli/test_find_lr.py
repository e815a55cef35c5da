"""`tinyconv train --find-lr`: the rates it tries, what is drawn and said, and that nothing is trained."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.cli.command import refused, tinyconv_command
from tinyconv import viz
from tinyconv.optim import Adam
from tinyconv.train import Trainer

SMALL = ["--data", "synthetic", "--images", 4, "--size", 32, "--batch-size", 2, "--held-out", 0.25]


@pytest.fixture
def drawn(monkeypatch):
    """What was drawn: the rates, the losses, their running mean, and the rate that is suggested."""
    calls, real = [], viz.plot_learning_rates

    def watched(*arguments):
        calls.append(arguments[:4])
        return real(*arguments)

    monkeypatch.setattr(viz, "plot_learning_rates", watched)
    return calls


@pytest.fixture
def moves(monkeypatch):
    """How far each of Adam's steps moved the weight that it moved farthest."""
    seen, real = [], Adam.step

    def watched(self):
        (group,) = self.param_groups
        before = [parameter.data.numpy().copy() for parameter in group["params"]]
        real(self)
        pairs = zip(before, group["params"], strict=True)
        seen.append(max(np.abs(parameter.data.numpy() - old).max() for old, parameter in pairs))

    monkeypatch.setattr(Adam, "step", watched)
    return seen


def test_what_is_drawn_and_said(tmp_path, monkeypatch, drawn, moves):
    monkeypatch.chdir(tmp_path)
    done = tinyconv_command("train", "unet_bn", *SMALL, "--widths", "2,4", "--find-lr", "rates.png")
    assert done.exit_code == 0, (done.output, done.exception)
    ((rates, losses, smooth, suggestion),) = drawn
    np.testing.assert_allclose(rates, np.geomspace(1e-6, 1, 100)[: len(rates)])
    assert len(rates) > 50
    # Adam's first step moves a weight by the rate, its sign apart; later ones by about as much
    np.testing.assert_allclose(moves[0], rates[0], rtol=0.1)
    ratios = np.array(moves) / rates[: len(moves)]
    assert (ratios > 0.3).all() and (ratios < 4).all()
    mean, expected = 0.0, []
    for number, loss in enumerate(losses, start=1):
        mean = 0.9 * mean + 0.1 * loss
        expected.append(mean / (1 - 0.9**number))
    np.testing.assert_allclose(smooth, expected)
    slopes = np.array(expected[2:]) - expected[:-2]
    assert suggestion == rates[1 + int(slopes.argmin())] and slopes.min() < 0
    assert f"wrote rates.png\nthe loss fell fastest at a learning rate of {suggestion:.1e}" in done.stdout
    assert Image.open("rates.png").size[0] > 300
    assert [path.name for path in tmp_path.iterdir()] == ["rates.png"]  # no run


def test_steps_are_those_of_the_options(tmp_path, monkeypatch, drawn):
    seen, real = [], Trainer.train_step

    def watched(trainer, batches):
        real(trainer, batches)
        seen.append((len(batches), trainer.gradient_norm is not None, trainer.clip_norm))

    monkeypatch.setattr(Trainer, "train_step", watched)
    options = ["--widths", "2,4", "--accumulate", 2, "--clip-norm", 0.5, "--find-lr", tmp_path / "rates.png"]
    done = tinyconv_command("train", "unet_bn", *SMALL, "--held-out", 0.5, "--images", 12, *options)
    assert done.exit_code == 0, (done.output, done.exception)
    assert seen[:4] == [(2, True, 0.5), (1, True, 0.5)] * 2  # six images are three batches
    assert len(seen) == len(drawn[0][0])


def test_classifiers_and_losses(tmp_path, drawn):
    """The loss is that of the options: all weight on one class of the ten, so that the first is another."""
    first = []
    for weights in ("1,1,1,1,1,1,1,1,1,1", "0,0,0,1,0,0,0,0,0,0"):
        options = ["--images", 200, "--class-weights", weights, "--find-lr", tmp_path / "rates.pdf"]
        done = tinyconv_command("train", "mlp", "--data", "digits", *options)
        assert done.exit_code == 0, (done.output, done.exception)
        first.append(drawn.pop()[1][0])
    assert abs(first[0] - first[1]) > 0.01
    assert (tmp_path / "rates.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("name", ["rates.jpg", "rates"])
def test_a_name_that_cannot_be_drawn_to_is_refused_before_the_search(tmp_path, monkeypatch, drawn, name):
    monkeypatch.chdir(tmp_path)
    done = tinyconv_command("train", "unet_bn", *SMALL, "--widths", "2,4", "--find-lr", name)
    refused(done, name, ".png, .pdf or .svg")
    assert drawn == [] and list(tmp_path.iterdir()) == []


def test_a_run_is_not_gone_on_with(tmp_path):
    refused(tinyconv_command("train", "--resume", tmp_path, "--find-lr", tmp_path / "x.png"), "--find-lr")
