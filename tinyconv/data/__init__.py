"""Data: datasets, batches, images and masks, transforms, tiles."""

from __future__ import annotations

from tinyconv.data.averaging import average_models, average_views
from tinyconv.data.border_weights import border_weights
from tinyconv.data.collate import collate_arrays, default_collate
from tinyconv.data.dataset import Dataset, Subset, split
from tinyconv.data.datasets import (
    CIFAR10,
    MNI,
    MNIST,
    Digits,
    FashionMNIST,
    ImageFolder,
    MaskFolder,
    NucleiFolder,
    SyntheticHeart,
    SyntheticNuclei,
    SyntheticOrgan,
    SyntheticScenes,
    SyntheticShapes,
    SyntheticTissue,
    SyntheticVessels,
    Volume,
    VolumeFolder,
    read_dicom,
    read_idx,
    read_nifti,
    write_nifti,
)
from tinyconv.data.images import read_image, read_labels, read_mask, write_png
from tinyconv.data.intensity import RandomBlur, RandomNoise, Standardize, Window
from tinyconv.data.lesions import PasteLesions
from tinyconv.data.loader import DataLoader
from tinyconv.data.prefetch import prefetch
from tinyconv.data.sampler import (
    BalancedSampler,
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)
from tinyconv.data.segmentation import Normalized, SegmentationData, with_channels
from tinyconv.data.slices import Kept, Repeated, Slices
from tinyconv.data.spatial import (
    RandomAffine,
    RandomElastic,
    RandomRotation,
    RandomScale,
    RandomSkew,
    RandomTranslation,
)
from tinyconv.data.tensors import ConcatDataset, TensorDataset, random_split
from tinyconv.data.tiling import predict_tiled
from tinyconv.data.transforms import (
    CenterCrop,
    Compose,
    Normalize,
    Pad,
    RandomCrop,
    RandomFlip,
    RandomIntensity,
    RandomRotate90,
    Resize,
    normalize,
)
from tinyconv.data.worker import WorkerInfo, get_worker_info

__all__ = [
    "CIFAR10",
    "MNI",
    "MNIST",
    "BalancedSampler",
    "BatchSampler",
    "CenterCrop",
    "Compose",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "Digits",
    "FashionMNIST",
    "ImageFolder",
    "Kept",
    "MaskFolder",
    "Normalize",
    "Normalized",
    "NucleiFolder",
    "Pad",
    "PasteLesions",
    "RandomAffine",
    "RandomBlur",
    "RandomCrop",
    "RandomElastic",
    "RandomFlip",
    "RandomIntensity",
    "RandomNoise",
    "RandomRotate90",
    "RandomRotation",
    "RandomSampler",
    "RandomScale",
    "RandomSkew",
    "RandomTranslation",
    "Repeated",
    "Resize",
    "Sampler",
    "SegmentationData",
    "SequentialSampler",
    "Slices",
    "Standardize",
    "Subset",
    "SubsetRandomSampler",
    "SyntheticHeart",
    "SyntheticNuclei",
    "SyntheticOrgan",
    "SyntheticScenes",
    "SyntheticShapes",
    "SyntheticTissue",
    "SyntheticVessels",
    "TensorDataset",
    "Volume",
    "VolumeFolder",
    "WeightedRandomSampler",
    "Window",
    "WorkerInfo",
    "average_models",
    "average_views",
    "border_weights",
    "collate_arrays",
    "default_collate",
    "get_worker_info",
    "normalize",
    "predict_tiled",
    "prefetch",
    "random_split",
    "read_dicom",
    "read_idx",
    "read_image",
    "read_labels",
    "read_mask",
    "read_nifti",
    "split",
    "with_channels",
    "write_nifti",
    "write_png",
]
