"""The networks that are timed, written once for tinyconv and PyTorch.

`tc` is either package: tinyconv has PyTorch's names, so each function builds the same network,
with the same names of weights, in both.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import prod
from typing import Any

import numpy as np

from tinyconv.benchmark.case import Network

Array = Any
Module = Any
Tensor = Any

CLASSES = {"mlp": 10, "lenet5": 10, "vgg16": 10, "vgg16_imagenet": 1000, "resnet18": 10}
"""Networks that tell classes apart; the others give a mask."""


def mlp(tc: Any) -> Module:
    """784-256-128-10."""
    nn = tc.nn
    return nn.Sequential(
        nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)
    )  # fmt: skip


def lenet5(tc: Any) -> Module:
    """LeNet-5 with ReLU and max pooling, for 28x28 (LeCun et al., 1998)."""
    nn = tc.nn
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip


VGG16 = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0)
"""Channels of the convolutions; 0 is a 2x2 pooling."""


def vgg16(tc: Any) -> Module:
    """VGG-16 for 32x32: 13 convolutions, then 512-512-512-10 (Simonyan and Zisserman, 2015)."""
    return _vgg16(tc, 1, hidden=512, classes=10)


def vgg16_imagenet(tc: Any) -> Module:
    """VGG-16 for 224x224, as in the paper: 13 convolutions, then 25088-4096-4096-1000."""
    return _vgg16(tc, 7, hidden=4096, classes=1000)


def _vgg16(tc: Any, last: int, hidden: int, classes: int) -> Module:
    """`last`: height and width of the last features."""
    nn = tc.nn
    layers: list[Module] = []
    channels = 3
    for width in VGG16:
        if width:
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
            channels = width
        else:
            layers.append(nn.MaxPool2d(2))
    layers.append(nn.Flatten())
    for inputs in (512 * last**2, hidden):
        layers += [nn.Linear(inputs, hidden), nn.ReLU(), nn.Dropout(0.5)]
    return nn.Sequential(*layers, nn.Linear(hidden, classes))


def resnet18(tc: Any) -> Module:
    """ResNet-18 (He et al., 2016), 10 classes."""
    nn, F = tc.nn, tc.nn.functional

    class Block(nn.Module):  # type: ignore[name-defined]
        def __init__(self, inputs: int, width: int, stride: int) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(inputs, width, 3, stride=stride, padding=1, bias=False)
            self.bn1 = nn.BatchNorm2d(width)
            self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
            self.bn2 = nn.BatchNorm2d(width)
            self.down = None
            if stride != 1 or inputs != width:
                self.down = nn.Sequential(
                    nn.Conv2d(inputs, width, 1, stride=stride, bias=False), nn.BatchNorm2d(width)
                )

        def forward(self, x: Tensor) -> Tensor:
            y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
            return F.relu(y + (x if self.down is None else self.down(x)))

    blocks = []
    channels = 64
    for width, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        blocks += [Block(channels, width, stride), Block(width, width, 1)]
        channels = width
    stem = (nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False), nn.BatchNorm2d(64), nn.ReLU())
    return nn.Sequential(
        *stem, nn.MaxPool2d(3, stride=2, padding=1), *blocks,
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10),
    )  # fmt: skip


def unet(tc: Any) -> Module:
    """The U-Net of the course, 16 to 256 channels (see `tinyconv.models.unet`)."""
    return _unet(tc, (16, 32, 64, 128, 256), (0.1, 0.1, 0.2, 0.2, 0.3), channels=3, dimensions=2)


def unet_small(tc: Any) -> Module:
    """The course's U-Net with two levels less: for a race of seconds."""
    return _unet(tc, (16, 32, 64), (0.1, 0.1, 0.2), channels=3, dimensions=2)


def unet3d(tc: Any) -> Module:
    """A small 3-D U-Net, 8 to 32 channels, for volumes with one channel (Çiçek et al., 2016)."""
    return _unet(tc, (8, 16, 32), (0.0, 0.0, 0.0), channels=1, dimensions=3)


def _unet(
    tc: Any, widths: tuple[int, ...], dropouts: tuple[float, ...], channels: int, dimensions: int
) -> Module:
    nn = tc.nn
    conv, up, pool = (
        getattr(nn, f"{name}{dimensions}d") for name in ("Conv", "ConvTranspose", "MaxPool")
    )  # fmt: skip

    def double_conv(inputs: int, outputs: int, p: float) -> Module:
        first, second = conv(inputs, outputs, 3, padding=1), conv(outputs, outputs, 3, padding=1)
        drop = [nn.Dropout(p)] if p else []
        return nn.Sequential(first, nn.ELU(), *drop, second, nn.ELU())

    class UNet(nn.Module):  # type: ignore[name-defined]
        def __init__(self) -> None:
            super().__init__()
            inputs = (channels, *widths[:-1])
            self.encoder = nn.ModuleList(map(double_conv, inputs, widths, dropouts))
            pairs = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
            self.up = nn.ModuleList(up(below, width, 2, stride=2) for below, width in pairs)
            self.decoder = nn.ModuleList(
                double_conv(2 * width, width, p)
                for (_, width), p in zip(pairs, dropouts[-2::-1], strict=True)
            )
            self.pool = pool(2)
            self.head = conv(widths[0], 1, 1)

        def forward(self, x: Tensor) -> Tensor:
            copies = []
            for level, block in enumerate(self.encoder):
                x = block(x if level == 0 else self.pool(x))
                copies.append(x)
            for up, block, copy in zip(self.up, self.decoder, copies[-2::-1], strict=True):
                x = block(tc.cat([up(x), copy], dim=1))
            return tc.sigmoid(self.head(x))

    return UNet()


NETWORKS: dict[str, Callable[[Any], Module]] = {
    build.__name__: build
    for build in (mlp, lenet5, vgg16, vgg16_imagenet, resnet18, unet, unet_small, unet3d)
}


@cache
def weights(network: str) -> dict[str, Array]:
    """The weights that every contender starts from, by PyTorch's names: He's normal ones, zero biases."""
    import tinyconv as tc

    rng = np.random.default_rng(2)
    state = {name: value.numpy().copy() for name, value in NETWORKS[network](tc).state_dict().items()}
    for name, value in state.items():
        if value.ndim > 1:
            spread = (2 / prod(value.shape[1:])) ** 0.5
            state[name] = rng.normal(0, spread, value.shape).astype(np.float32)
        elif name.endswith("bias"):
            state[name] = np.zeros_like(value)
    return state


def target(case: Network) -> Array:
    """Labels or masks, whichever the network of `case` learns."""
    classes = CLASSES.get(case.network)
    return case.labels(classes) if classes else case.masks()


def loss_function(tc: Any, network: str) -> Callable[[Tensor, Tensor], Tensor]:
    """Cross-entropy for classes; for masks binary cross-entropy, in 2-D with the Dice loss added."""
    F = tc.nn.functional
    if network in CLASSES:
        return F.cross_entropy
    if network == "unet3d":
        return F.binary_cross_entropy
    dice = getattr(F, "dice_loss", _dice_loss)  # PyTorch has none
    return lambda masks, truth: F.binary_cross_entropy(masks, truth) + dice(masks, truth)


def _dice_loss(masks: Tensor, truth: Tensor) -> Tensor:
    overlap = 2 * (masks * truth).sum((2, 3)) + 1
    return (1 - overlap / (masks.sum((2, 3)) + truth.sum((2, 3)) + 1)).mean()
