"""What is compared."""

from __future__ import annotations

from tinyconv.benchmark import Layer, Network
from tinyconv.benchmark.case import INFERENCE

LAYERS = (
    # 3x3 with stride 1: the levels of the U-Net, then those of ResNet; and LeNet's 5x5
    Layer(4, 3, 16, (256, 256)),
    Layer(4, 16, 16, (256, 256)),
    Layer(4, 32, 32, (128, 128)),
    Layer(4, 64, 64, (64, 64)),
    Layer(4, 128, 128, (32, 32)),
    Layer(4, 256, 256, (16, 16)),
    Layer(4, 32, 16, (256, 256)),
    Layer(16, 64, 64, (56, 56)),
    Layer(16, 128, 128, (28, 28)),
    Layer(16, 256, 256, (14, 14)),
    Layer(64, 1, 16, (28, 28), kernel=5, padding=2),
    # 1x1: into and out of a bottleneck, and the head of the U-Net
    Layer(16, 256, 64, (56, 56), kernel=1, padding=0),
    Layer(16, 64, 256, (56, 56), kernel=1, padding=0),
    Layer(4, 16, 1, (256, 256), kernel=1, padding=0),
    # strided
    Layer(16, 64, 128, (56, 56), stride=2),
    Layer(16, 64, 128, (56, 56), kernel=1, padding=0, stride=2),
    Layer(16, 3, 64, (64, 64), kernel=7, padding=3, stride=2),
    # dilated, grouped, depthwise
    Layer(4, 64, 64, (64, 64), padding=2, dilation=2),
    Layer(16, 128, 128, (28, 28), groups=32),
    Layer(16, 128, 128, (28, 28), groups=128),
    # transposed 2x2: the ways up of the U-Net
    Layer(4, 256, 128, (16, 16), kernel=2, padding=0, stride=2, transposed=True),
    Layer(4, 32, 16, (128, 128), kernel=2, padding=0, stride=2, transposed=True),
    # 3-D
    Layer(1, 8, 8, (64, 64, 64)),
    Layer(1, 32, 32, (16, 16, 16)),
    Layer(1, 16, 8, (32, 32, 32), kernel=2, padding=0, stride=2, transposed=True),
)

NETWORKS = (
    Network("mlp", 64, (784,)),
    Network("lenet5", 64, (1, 28, 28)),
    Network("vgg16", 32, (3, 32, 32)),
    Network("vgg16_imagenet", 1, (3, 224, 224), tasks=(INFERENCE,)),
    Network("resnet18", 16, (3, 64, 64)),
    Network("unet", 4, (3, 256, 256)),
    Network("unet3d", 1, (1, 64, 64, 64)),
)

QUICK_LAYERS = (LAYERS[4], LAYERS[14], LAYERS[20])
QUICK_NETWORKS = NETWORKS[:2]


def is_plain_3x3(layer: Layer) -> bool:
    """3x3 with stride 1 and at least 32 channels on both sides."""
    return layer == Layer(layer.batch, layer.in_channels, layer.out_channels, layer.size) and (
        len(layer.size) == 2 and min(layer.in_channels, layer.out_channels) >= 32
    )
