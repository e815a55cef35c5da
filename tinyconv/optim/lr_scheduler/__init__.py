"""Learning-rate schedules with PyTorch's names: call ``scheduler.step()`` after ``optimizer.step()``."""

from tinyconv.optim.lr_scheduler.base import LRScheduler
from tinyconv.optim.lr_scheduler.cosine import CosineAnnealingLR
from tinyconv.optim.lr_scheduler.factors import ExponentialLR, LinearLR, MultiStepLR, StepLR
from tinyconv.optim.lr_scheduler.free import LambdaLR, SequentialLR
from tinyconv.optim.lr_scheduler.one_cycle import OneCycleLR
from tinyconv.optim.lr_scheduler.plateau import ReduceLROnPlateau

__all__ = [
    "CosineAnnealingLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "OneCycleLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]
