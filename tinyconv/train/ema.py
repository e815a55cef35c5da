"""Validate with an exponential average of the weights, which is steadier than the weights are."""

from __future__ import annotations

from typing import Any

from tinyconv.errors import ArgumentError
from tinyconv.nn import Module
from tinyconv.optim.swa_utils import AveragedModel
from tinyconv.tensor import Tensor
from tinyconv.train.callback import Callback
from tinyconv.train.fields import is_number
from tinyconv.train.trainer import Trainer


class EMA(Callback):
    """Keep ``decay * averaged + (1 - decay) * weights`` after each step, and validate with it.

    While a validation and what belongs to it (the best checkpoint) are made, the model has the
    averaged weights; training goes on with its own. In the first n steps the decay is at most
    (1 + n) / (10 + n), so that the weights before training are soon forgotten. Averages of weights:
    Polyak and Juditsky 1992; exponential ones, with this start: Tan and Le 2019.

    Parameters
    ----------
    model : Module
        The one that is trained.
    decay : float
        From 0 to below 1.

    Attributes
    ----------
    averaged : AveragedModel
        ``averaged.module`` is the model with the averaged weights; running statistics are copied.
    """

    def __init__(self, model: Module, decay: float = 0.999) -> None:
        if not is_number(decay, 0, 1) or decay == 1:
            raise ArgumentError("EMA", "decay", repr(decay), "from 0 to below 1")
        self.decay = decay
        self.averaged = AveragedModel(model, avg_fn=self._average)
        self._own: dict[str, Any] | None = None

    def _average(self, averaged: Tensor, current: Tensor, count: Any) -> Tensor:
        n = float(count)
        decay = min(self.decay, (1 + n) / (10 + n))
        return decay * averaged + (1 - decay) * current

    def on_step(self, trainer: Trainer) -> None:
        self.averaged.update_parameters(trainer.model)

    def on_validation_start(self, trainer: Trainer) -> None:
        self._own = {name: t.detach().clone() for name, t in trainer.model.state_dict().items()}
        trainer.model.load_state_dict(self.averaged.module.state_dict())

    def on_validation_end(self, trainer: Trainer) -> None:
        if self._own is not None:
            trainer.model.load_state_dict(self._own)
            self._own = None

    def state_dict(self) -> dict[str, Any]:
        return {name: tensor.array for name, tensor in self.averaged.state_dict().items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.averaged.load_state_dict(state)
