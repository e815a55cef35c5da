"""The curves carry the numbers of the metrics, and no others."""

from __future__ import annotations

import numpy as np
import pytest

from tinyconv.errors import ArgumentError
from tinyconv.viz.training import plot_curves


def lines(figure):
    return {
        (axis.get_title(), line.get_label()): (list(line.get_xdata()), list(line.get_ydata()))
        for axis in figure.axes
        for line in axis.lines
    }


def test_each_series_becomes_a_curve_of_its_quantity(tmp_path):
    metrics = [
        {"step": 10, "epoch": 1, "loss": 0.9, "dice": 0.2, "images_per_second": 40.0},
        {"step": 20, "epoch": 2, "loss": 0.5, "dice": 0.4, "held_out_dice": 0.3},
    ]
    figure = plot_curves(metrics, tmp_path / "curves.png")
    assert lines(figure) == {
        ("Loss", "training"): ([10, 20], [0.9, 0.5]),
        ("Dice", "training"): ([10, 20], [0.2, 0.4]),
        ("Dice", "held out"): ([20], [0.3]),
    }
    assert figure.axes[0].get_xlabel() == "step"
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_epochs_then_line_numbers_stand_in_for_steps():
    assert plot_curves([{"epoch": 4, "loss": 1}]).axes[0].get_xlabel() == "epoch"
    assert lines(plot_curves([{"loss": 1}, {"loss": 2}]))["Loss", "training"] == ([0, 1], [1, 2])


def test_what_is_no_number_leaves_no_point():
    metrics = [
        {"step": s, "loss": v} for s, v in enumerate([1.0, float("nan"), float("inf"), None, "x", 2.0])
    ]
    assert lines(plot_curves(metrics))["Loss", "training"] == ([0, 5], [1.0, 2.0])


def test_a_long_series_also_gets_its_running_mean():
    values = np.random.default_rng(0).random(200)
    figure = plot_curves([{"step": s, "loss": v} for s, v in enumerate(values)])
    positions, smooth = lines(figure)["Loss", "training (mean of 10)"]
    assert len(figure.axes[0].lines) == 2
    assert smooth[0] == pytest.approx(values[:10].mean())
    assert smooth[-1] == pytest.approx(values[-10:].mean())
    assert positions[0] == 4


def test_one_line_can_be_drawn():
    plot_curves([{"step": 1, "loss": 0.5, "val_accuracy": 0.25}]).canvas.draw()


@pytest.mark.parametrize("metrics", [[], [{}], [{"step": 1, "images_per_second": 3.0}]])
def test_nothing_to_draw_is_an_error(metrics):
    with pytest.raises(ArgumentError, match="metrics"):
        plot_curves(metrics)


def test_a_panel_says_whose_curve_it_shows_and_panels_share_their_steps():
    figure = plot_curves([{"step": 1, "loss": 0.5}, {"step": 9, "held_out_iou": 0.2}])
    assert [text.get_text() for text in figure.axes[1].get_legend().get_texts()] == ["held out"]
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim()


def test_a_single_peak_does_not_press_the_loss_to_the_floor():
    losses = np.linspace(1.5, 0.1, 200)
    losses[15] = 25.0
    lines = [{"step": i, "loss": float(loss)} for i, loss in enumerate(losses)]
    axis = plot_curves(lines).axes[0]
    bottom, top = axis.get_ylim()
    assert -0.1 < bottom <= 0 and 1.5 <= top < 3
    assert axis.get_title() == "Loss (peaks up to 25 cut off)"
    lines[15]["loss"] = 1.4
    assert plot_curves(lines).axes[0].get_title() == "Loss"
