"""ResNet (He et al. 2016): layers learn what to add to their input, so that a hundred can be trained.

Slide decks S1 and S2: a deeper plain net has a higher error on the training set too, although it
could be the shallower one with identities added. With shortcuts, doing nothing is easy.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from tinyconv.errors import ArgumentError
from tinyconv.models._sizes import check_widths
from tinyconv.models.registry import register
from tinyconv.nn import (
    AdaptiveAvgPool2d,
    BatchNorm2d,
    Conv2d,
    Linear,
    MaxPool2d,
    Module,
    ReLU,
    Sequential,
    init,
)
from tinyconv.tensor import Tensor


class BasicBlock(Module):
    """x + F(x) with two 3x3 convolutions in F."""

    expansion = 1

    def __init__(self, inputs: int, width: int, stride: int = 1, downsample: Module | None = None) -> None:
        super().__init__()
        self.conv1 = Conv2d(inputs, width, 3, stride=stride, padding=1, bias=False)
        self.bn1 = BatchNorm2d(width)
        self.relu = ReLU()
        self.conv2 = Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = BatchNorm2d(width)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(x)) + shortcut)


class Bottleneck(Module):
    """x + F(x); F shrinks the channels to a quarter (1x1), convolves (3x3), and restores them (1x1)."""

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int = 1, downsample: Module | None = None) -> None:
        super().__init__()
        self.conv1 = Conv2d(inputs, width, 1, bias=False)
        self.bn1 = BatchNorm2d(width)
        self.conv2 = Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn2 = BatchNorm2d(width)
        self.conv3 = Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = BatchNorm2d(4 * width)
        self.relu = ReLU()
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(x)))
        return self.relu(self.bn3(self.conv3(x)) + shortcut)


class ResNet(Module):
    """ResNet for large images: four stages, each with half the size and twice the channels.

    ResNet-18 has 11,689,512 parameters, ResNet-50 25,557,032.

    Parameters
    ----------
    num_classes : int
    in_channels : int
    block : BasicBlock or Bottleneck
    layers : tuple of int
        Blocks in each stage.
    width : int
        Channels of the first stage.

    Notes
    -----
    Input (N, in_channels, H, W) of any size, 224x224 in the paper; output (N, num_classes): scores.
    Parameter names are torchvision's, and so is the place of a bottleneck's stride: in its 3x3
    convolution, where the paper has it in the first 1x1.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        in_channels: int = 3,
        block: Any = BasicBlock,
        layers: tuple[int, ...] = (2, 2, 2, 2),
        width: int = 64,
    ) -> None:
        super().__init__()
        if block not in (BasicBlock, Bottleneck):
            raise ArgumentError("ResNet", "block", repr(block), "BasicBlock or Bottleneck")
        layers = check_widths("ResNet", layers, 4, "layers")
        if len(layers) > 4:
            raise ArgumentError("ResNet", "layers", repr(layers), "four numbers of blocks")
        self.conv1 = Conv2d(in_channels, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = BatchNorm2d(width)
        self.relu = ReLU()
        self.maxpool = MaxPool2d(3, 2, padding=1)
        channels, stages = width, []
        for number, count in enumerate(layers):
            stages.append(_stage(block, channels, width * 2**number, count, stride=2 if number else 1))
            channels = width * 2**number * block.expansion
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        self.avgpool = AdaptiveAvgPool2d(1)
        self.fc = Linear(channels, num_classes)
        self.apply(initialise)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


def _stage(block: Any, inputs: int, width: int, count: int, stride: int) -> Sequential:
    """`count` blocks; where the shape changes, the shortcut of the first is a 1x1 convolution."""
    outputs, downsample = width * block.expansion, None
    if stride != 1 or inputs != outputs:
        downsample = Sequential(Conv2d(inputs, outputs, 1, stride=stride, bias=False), BatchNorm2d(outputs))
    first = block(inputs, width, stride, downsample)
    return Sequential(first, *(block(outputs, width) for _ in range(count - 1)))


def initialise(module: Module) -> None:
    """He's initialisation of the convolutions."""
    if isinstance(module, Conv2d):
        init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


for _depth, _block, _layers in (
    (18, BasicBlock, (2, 2, 2, 2)),
    (34, BasicBlock, (3, 4, 6, 3)),
    (50, Bottleneck, (3, 4, 6, 3)),
    (101, Bottleneck, (3, 4, 23, 3)),
):
    register(f"resnet{_depth}", input_size=(3, 224, 224))(partial(ResNet, block=_block, layers=_layers))
