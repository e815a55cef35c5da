"""Modules: layers, containers, losses, initialisers; PyTorch's names and arguments."""

from tinyconv.nn import functional, init
from tinyconv.nn.containers import Identity, ModuleList, Sequential
from tinyconv.nn.conv import Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from tinyconv.nn.linear import Linear
from tinyconv.nn.losses import BCELoss, BCEWithLogitsLoss, CrossEntropyLoss, DiceLoss, MSELoss
from tinyconv.nn.module import Module, Parameter
from tinyconv.nn.stateless import (
    ELU,
    AvgPool2d,
    Dropout,
    Flatten,
    LeakyReLU,
    LogSoftmax,
    MaxPool2d,
    MaxUnpool2d,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
)

__all__ = [
    "ELU",
    "AvgPool2d",
    "BCELoss",
    "BCEWithLogitsLoss",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "CrossEntropyLoss",
    "DiceLoss",
    "Dropout",
    "Flatten",
    "Identity",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "MSELoss",
    "MaxPool2d",
    "MaxUnpool2d",
    "Module",
    "ModuleList",
    "Parameter",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "functional",
    "init",
]
