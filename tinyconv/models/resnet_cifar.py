"""The ResNets and plain nets for small images of He et al. 2016, section 4.2: the degradation.

Two nets of the same depth and the same parameters, with and without shortcuts: of the plain ones
the 56-layer net is worse than the 20-layer one, on the training set already.
"""

from __future__ import annotations

from functools import partial

from tinyconv.errors import ArgumentError
from tinyconv.models.registry import register
from tinyconv.models.resnet import initialise
from tinyconv.nn import AdaptiveAvgPool2d, BatchNorm2d, Conv2d, Linear, Module, ReLU, Sequential
from tinyconv.nn import functional as F
from tinyconv.ops._checks import check_flags
from tinyconv.tensor import Tensor


class SmallBlock(Module):
    """Two 3x3 convolutions, with a shortcut that has no weights, or with none.

    Where the size is halved and the channels doubled, the shortcut takes every second pixel and
    adds channels of zeros: the paper's option A.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, shortcut: bool) -> None:
        super().__init__()
        self.conv1 = Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn1 = BatchNorm2d(outputs)
        self.relu = ReLU()
        self.conv2 = Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = BatchNorm2d(outputs)
        self.stride, self.shortcut, self.added = stride, shortcut, outputs - inputs

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        if not self.shortcut:
            return self.relu(y)
        if self.stride > 1:
            x = x[:, :, :: self.stride, :: self.stride]
        if self.added:
            x = F.pad(x, (0, 0, 0, 0, 0, self.added))
        return self.relu(y + x)


class ResNetCifar(Module):
    """6n + 2 layers in three stages: 269,722 parameters with 20 layers, 853,018 with 56.

    Parameters
    ----------
    num_classes : int
    in_channels : int
    depth : int
        6n + 2: 20, 32, 44, 56, 110, …
    shortcut : bool
        False: the plain net.
    width : int
        Channels of the first stage.

    Notes
    -----
    Input (N, in_channels, H, W) of any size, 32x32 in the paper; output (N, num_classes): scores.
    """

    def __init__(
        self,
        num_classes: int = 10,
        in_channels: int = 3,
        depth: int = 20,
        shortcut: bool = True,
        width: int = 16,
    ) -> None:
        super().__init__()
        check_flags("ResNetCifar", shortcut=shortcut)
        if not isinstance(depth, int) or depth < 8 or depth % 6 != 2:
            raise ArgumentError("ResNetCifar", "depth", repr(depth), "6n + 2, from 8 on")
        self.conv1 = Conv2d(in_channels, width, 3, padding=1, bias=False)
        self.bn1 = BatchNorm2d(width)
        self.relu = ReLU()
        count = depth // 6
        self.layer1 = _stage(width, width, count, 1, shortcut)
        self.layer2 = _stage(width, 2 * width, count, 2, shortcut)
        self.layer3 = _stage(2 * width, 4 * width, count, 2, shortcut)
        self.avgpool = AdaptiveAvgPool2d(1)
        self.fc = Linear(4 * width, num_classes)
        self.apply(initialise)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(self.avgpool(x).flatten(1))


def _stage(inputs: int, outputs: int, count: int, stride: int, shortcut: bool) -> Sequential:
    others = (SmallBlock(outputs, outputs, 1, shortcut) for _ in range(count - 1))
    return Sequential(SmallBlock(inputs, outputs, stride, shortcut), *others)


for _depth in (20, 56):
    register(f"resnet{_depth}_cifar", input_size=(3, 32, 32))(partial(ResNetCifar, depth=_depth))
    register(f"plain{_depth}_cifar", input_size=(3, 32, 32))(
        partial(ResNetCifar, depth=_depth, shortcut=False)
    )
