"""Datasets: read from files, shipped with a dependency, or made."""

from __future__ import annotations

from tinyconv.data.datasets.cifar import CIFAR10
from tinyconv.data.datasets.digits import Digits
from tinyconv.data.datasets.image_folder import ImageFolder, MaskFolder
from tinyconv.data.datasets.kaggle import NucleiFolder, is_fluorescence
from tinyconv.data.datasets.mni import MNI
from tinyconv.data.datasets.mnist import MNIST, FashionMNIST, read_idx
from tinyconv.data.datasets.shapes import SyntheticScenes, SyntheticShapes
from tinyconv.data.datasets.synthetic import SyntheticNuclei
from tinyconv.data.datasets.synthetic_medical import SyntheticHeart, SyntheticOrgan, SyntheticVessels
from tinyconv.data.datasets.tissue import SyntheticTissue
from tinyconv.data.datasets.volume_folder import VolumeFolder
from tinyconv.data.datasets.volumes import Volume, read_dicom, read_nifti, write_nifti

__all__ = [
    "CIFAR10",
    "MNI",
    "MNIST",
    "Digits",
    "FashionMNIST",
    "ImageFolder",
    "MaskFolder",
    "NucleiFolder",
    "SyntheticHeart",
    "SyntheticNuclei",
    "SyntheticOrgan",
    "SyntheticScenes",
    "SyntheticShapes",
    "SyntheticTissue",
    "SyntheticVessels",
    "Volume",
    "VolumeFolder",
    "is_fluorescence",
    "read_dicom",
    "read_idx",
    "read_nifti",
    "write_nifti",
]
