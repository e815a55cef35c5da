"""Training: the loop, its callbacks, losses, checkpoints and run folders."""

from __future__ import annotations

from tinyconv.metrics import Counts, count, dice, iou
from tinyconv.train.callback import Callback
from tinyconv.train.classification import accuracy, train_classifier
from tinyconv.train.early_stopping import EarlyStopping
from tinyconv.train.ema import EMA
from tinyconv.train.learning_rate import LearningRates, find_learning_rate
from tinyconv.train.losses import MixedLoss, bce_dice_loss, class_weights
from tinyconv.train.schedules import constant, warmup_cosine
from tinyconv.train.tensorboard import TensorBoard
from tinyconv.train.trainer import Trainer

__all__ = [
    "EMA",
    "Callback",
    "Counts",
    "EarlyStopping",
    "LearningRates",
    "MixedLoss",
    "TensorBoard",
    "Trainer",
    "accuracy",
    "bce_dice_loss",
    "class_weights",
    "constant",
    "count",
    "dice",
    "find_learning_rate",
    "iou",
    "train_classifier",
    "warmup_cosine",
]
