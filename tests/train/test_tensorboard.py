from __future__ import annotations

import sys

import pytest

from tinyconv.errors import PackageError
from tinyconv.nn import functional as F
from tinyconv.train import MixedLoss, TensorBoard


def test_what_tensorboard_reads_is_what_was_trained(make_trainer, tmp_path):
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    losses = []

    class Losses(TensorBoard):
        def on_step(self, trainer):
            super().on_step(trainer)
            losses.append(trainer.loss_value)

    trainer = make_trainer(callbacks=[Losses(tmp_path)], clip_norm=1.0, validate=lambda: {"score": 0.5})
    trainer.loss = MixedLoss(mse=F.mse_loss, l1=F.l1_loss)
    trainer.fit()
    read = events.EventAccumulator(str(tmp_path), {"scalars": 0})
    read.Reload()
    tags = set(read.Tags()["scalars"])
    parts = {"loss", "mse", "l1", "gradient_norm", "learning_rate"}
    assert tags == {"validation/score", *(f"training/{part}" for part in parts)}
    values = [(e.step, e.value) for e in read.Scalars("training/loss")]
    assert [step for step, _ in values] == list(range(1, 13))
    assert [value for _, value in values] == pytest.approx(losses, rel=1e-6)


def test_without_tensorboard(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "tensorboard.summary.writer.event_file_writer", None)
    with pytest.raises(PackageError, match=r"pip install 'tinyconv\[tensorboard\]'"):
        TensorBoard(tmp_path)
