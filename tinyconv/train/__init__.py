"""Training: the loop, its callbacks, losses, checkpoints and run folders."""

from __future__ import annotations

from tinyconv.metrics import Counts, count, dice, iou
from tinyconv.train.classification import accuracy, train_classifier
from tinyconv.train.losses import bce_dice_loss
from tinyconv.train.schedules import constant, warmup_cosine
from tinyconv.train.trainer import Callback, Trainer

__all__ = [
    "Callback",
    "Counts",
    "Trainer",
    "accuracy",
    "bce_dice_loss",
    "constant",
    "count",
    "dice",
    "iou",
    "train_classifier",
    "warmup_cosine",
]
