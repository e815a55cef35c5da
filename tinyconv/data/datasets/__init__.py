"""Datasets: read from files, shipped with a dependency, or made."""

from __future__ import annotations

from tinyconv.data.datasets.cifar import CIFAR10
from tinyconv.data.datasets.digits import Digits
from tinyconv.data.datasets.image_folder import ImageFolder, MaskFolder
from tinyconv.data.datasets.kaggle import NucleiFolder, is_fluorescence
from tinyconv.data.datasets.mnist import MNIST, FashionMNIST, read_idx
from tinyconv.data.datasets.shapes import SyntheticShapes
from tinyconv.data.datasets.synthetic import SyntheticNuclei
from tinyconv.data.datasets.synthetic_medical import SyntheticHeart, SyntheticOrgan, SyntheticVessels
from tinyconv.data.datasets.volumes import Volume, read_dicom, read_nifti

__all__ = [
    "CIFAR10",
    "MNIST",
    "Digits",
    "FashionMNIST",
    "ImageFolder",
    "MaskFolder",
    "NucleiFolder",
    "SyntheticHeart",
    "SyntheticNuclei",
    "SyntheticOrgan",
    "SyntheticShapes",
    "SyntheticVessels",
    "Volume",
    "is_fluorescence",
    "read_dicom",
    "read_idx",
    "read_nifti",
]
