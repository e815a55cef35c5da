"""DenseNet (Huang et al. 2017): in a block each layer sees what all layers before it made.

Slide deck S1: the features of a layer are concatenated with the inputs of all others in the block.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from tinyconv.models._sizes import check_images, check_sizes, check_widths
from tinyconv.models.registry import register
from tinyconv.models.weights import fill_bias
from tinyconv.nn import AvgPool2d, BatchNorm2d, Conv2d, Linear, MaxPool2d, Module, ReLU, Sequential, init
from tinyconv.nn import functional as F
from tinyconv.nn.state import IncompatibleKeys
from tinyconv.ops import cat
from tinyconv.tensor import Tensor

OLD_NAME = re.compile(r"(?<=\.)(norm|conv)\.([12])(?=\.)")
BOTTLENECK = 4
"""A layer's 1x1 convolution makes this many times the channels that its 3x3 convolution adds."""


class DenseLayer(Module):
    """Normalise, ReLU, 1x1; normalise, ReLU, 3x3: `growth` new channels beside those that came."""

    def __init__(self, inputs: int, growth: int) -> None:
        super().__init__()
        self.norm1 = BatchNorm2d(inputs)
        self.relu1 = ReLU()
        self.conv1 = Conv2d(inputs, BOTTLENECK * growth, 1, bias=False)
        self.norm2 = BatchNorm2d(BOTTLENECK * growth)
        self.relu2 = ReLU()
        self.conv2 = Conv2d(BOTTLENECK * growth, growth, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        new = self.conv1(self.relu1(self.norm1(x)))
        return cat([x, self.conv2(self.relu2(self.norm2(new)))], dim=1)


class DenseNet(Module):
    """Dense blocks with transitions that halve size and channels; DenseNet-121 has 7,978,856 parameters.

    Parameters
    ----------
    num_classes : int
    in_channels : int
    layers : tuple of int
        Layers in each block.
    growth : int
        Channels that each layer adds.
    width : int
        Channels before the first block.

    Notes
    -----
    Input (N, in_channels, H, W) from 29x29 on, 224x224 in the paper; output (N, num_classes):
    scores. Parameter names are torchvision's.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        in_channels: int = 3,
        layers: tuple[int, ...] = (6, 12, 24, 16),
        growth: int = 32,
        width: int = 64,
    ) -> None:
        super().__init__()
        layers = check_widths("DenseNet", layers, 1, "layers")
        self.least = 2 ** (len(layers) + 1) - 3
        check_sizes("DenseNet", growth=growth, width=width)
        self.features = Sequential()
        add = self.features.add_module
        add("conv0", Conv2d(in_channels, width, 7, stride=2, padding=3, bias=False))
        add("norm0", BatchNorm2d(width))
        add("relu0", ReLU())
        add("pool0", MaxPool2d(3, 2, padding=1))
        channels = width
        for number, count in enumerate(layers, start=1):
            add(f"denseblock{number}", _block(channels, count, growth))
            channels += count * growth
            if number < len(layers):
                add(f"transition{number}", _transition(channels, channels // 2))
                channels //= 2
        add("norm5", BatchNorm2d(channels))
        self.classifier = Linear(channels, num_classes)
        self.apply(_initialise)

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """As for every module; the weights published first say ``norm.1`` where it is ``norm1`` today."""
        if hasattr(state_dict, "items"):
            state_dict = {OLD_NAME.sub(r"\1\2", str(name)): value for name, value in state_dict.items()}
        return super().load_state_dict(state_dict, strict, assign)

    def forward(self, x: Tensor) -> Tensor:
        check_images("DenseNet", x, self.features.conv0.in_channels, least=self.least)
        x = F.relu(self.features(x))
        return self.classifier(F.adaptive_avg_pool2d(x, 1).flatten(1))


def _block(inputs: int, count: int, growth: int) -> Sequential:
    return Sequential({f"denselayer{i + 1}": DenseLayer(inputs + i * growth, growth) for i in range(count)})


def _transition(inputs: int, outputs: int) -> Sequential:
    return Sequential(
        {
            "norm": BatchNorm2d(inputs),
            "relu": ReLU(),
            "conv": Conv2d(inputs, outputs, 1, bias=False),
            "pool": AvgPool2d(2),
        }
    )


def _initialise(module: Module) -> None:
    if isinstance(module, Conv2d):
        init.kaiming_normal_(module.weight)
    elif isinstance(module, Linear):
        fill_bias(module)


register("densenet121", input_size=(3, 224, 224))(DenseNet)
register("densenet169", input_size=(3, 224, 224))(partial(DenseNet, layers=(6, 12, 32, 32)))
