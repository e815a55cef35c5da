"""Optimisers: they change the parameters once their gradients are there."""

from typing import TYPE_CHECKING, Any

from tinyconv.errors import missing_name
from tinyconv.optim import lr_scheduler, swa_utils
from tinyconv.optim.adadelta import Adadelta
from tinyconv.optim.adagrad import Adagrad
from tinyconv.optim.adam import Adam, AdamW
from tinyconv.optim.optimizer import Optimizer
from tinyconv.optim.rmsprop import RMSprop
from tinyconv.optim.sgd import SGD

__all__ = ["SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "lr_scheduler", "swa_utils"]

ABSENT = {
    "ASGD": "SGD with swa_utils.AveragedModel",
    "Adafactor": "Adam or AdamW",
    "Adamax": "Adam",
    "LBFGS": "Adam, or SGD with momentum",
    "Muon": "AdamW",
    "NAdam": "Adam",
    "RAdam": "Adam with the schedule LinearLR at the start",
    "Rprop": "RMSprop",
    "SparseAdam": "Adam",
}
"""PyTorch's optimisers that tinyconv does not have, and what to take instead."""

if not TYPE_CHECKING:  # a type checker reports missing names by itself

    def __getattr__(name: str) -> Any:
        raise missing_name("tinyconv.optim", name, globals(), ABSENT)
