"""Datasets and loaders by PyTorch's path, ``tinyconv.utils.data``; they live in `tinyconv.data`."""

from typing import TYPE_CHECKING, Any

from tinyconv.data.collate import default_collate
from tinyconv.data.dataset import Dataset, Subset
from tinyconv.data.loader import DataLoader
from tinyconv.data.sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)
from tinyconv.data.tensors import ConcatDataset, TensorDataset, random_split
from tinyconv.data.worker import get_worker_info
from tinyconv.errors import missing_name

__all__ = [
    "BatchSampler",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "Subset",
    "SubsetRandomSampler",
    "TensorDataset",
    "WeightedRandomSampler",
    "default_collate",
    "get_worker_info",
    "random_split",
]

if not TYPE_CHECKING:  # a type checker reports missing names by itself

    def __getattr__(name: str) -> Any:
        raise missing_name("tinyconv.utils.data", name, __all__)
