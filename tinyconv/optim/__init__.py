"""Optimisers: they change the parameters once their gradients are there."""

from tinyconv.optim.adam import Adam
from tinyconv.optim.optimizer import Optimizer
from tinyconv.optim.sgd import SGD

__all__ = ["SGD", "Adam", "Optimizer"]
