"""Datasets: read from files, shipped with a dependency, or made."""

from __future__ import annotations

from tinyconv.data.datasets.digits import Digits
from tinyconv.data.datasets.kaggle import NucleiFolder, is_fluorescence
from tinyconv.data.datasets.mnist import MNIST, read_idx
from tinyconv.data.datasets.synthetic import SyntheticNuclei

__all__ = ["MNIST", "Digits", "NucleiFolder", "SyntheticNuclei", "is_fluorescence", "read_idx"]
