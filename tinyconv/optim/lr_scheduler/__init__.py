"""Learning-rate schedules with PyTorch's names: call ``scheduler.step()`` after ``optimizer.step()``."""

from tinyconv.optim.lr_scheduler.base import LRScheduler
from tinyconv.optim.lr_scheduler.cosine import CosineAnnealingLR, CosineAnnealingWarmRestarts
from tinyconv.optim.lr_scheduler.cyclic import CyclicLR
from tinyconv.optim.lr_scheduler.factors import (
    ConstantLR,
    ExponentialLR,
    LinearLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)
from tinyconv.optim.lr_scheduler.free import ChainedScheduler, LambdaLR, MultiplicativeLR, SequentialLR
from tinyconv.optim.lr_scheduler.one_cycle import OneCycleLR
from tinyconv.optim.lr_scheduler.plateau import ReduceLROnPlateau

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]
