"""Fully convolutional networks of Long, Shelhamer and Darrell 2015: from a label to a map of labels.

VGG-16's dense layers become convolutions (7x7, then 1x1), and scores come out for every 32nd pixel.
A transposed convolution makes them large again: at once (FCN-32s), or in steps, adding the scores of
finer layers, pool4 (FCN-16s) and pool3 (FCN-8s). The image is padded by 100 pixels, so that any size
will do, and the excess is cropped at the end.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from tinyconv.models._sizes import check_images, check_one_of, check_sizes
from tinyconv.models.registry import register
from tinyconv.models.vgg import CONVOLUTIONS, WIDTHS
from tinyconv.models.weights import fill_bias
from tinyconv.nn import Conv2d, ConvTranspose2d, Dropout2d, MaxPool2d, Module, ReLU, Sequential, init
from tinyconv.ops import tensor
from tinyconv.tensor import Tensor

PADDING = 100
POOL3, POOL4 = 16, 23
"""Where VGG-16's third and fourth pooling stand in its `features`."""


class FCN(Module):
    """FCN on VGG-16 with scores for all pixels of an image of any size.

    Parameters
    ----------
    num_classes : int
        21 for the 20 classes of PASCAL VOC and the background.
    in_channels : int
    stride : {32, 16, 8}
        Of the finest layer whose scores are used.
    width : int
        Filters of the first block; 64 in VGG-16.
    hidden : int
        Filters of ``fc6`` and ``fc7``; 4,096 in VGG-16.
    dropout : float
        Of whole channels, after ``fc6`` and ``fc7``.

    Attributes
    ----------
    features : Sequential
        The convolutions of VGG-16, with torchvision's names.
    fc6, fc7, score : Conv2d
        The dense layers as convolutions, and the last one anew for `num_classes`.
    score_pool4, score_pool3 : Conv2d
        1x1: scores of finer layers.
    up2, up4 : ConvTranspose2d
        Double the scores; bilinear interpolation at first, then learned.
    up : ConvTranspose2d
        To the size of the image: bilinear interpolation, which is not trained.

    Notes
    -----
    Input (N, in_channels, H, W), output (N, num_classes, H, W). As in the paper scores begin as zeros, and
    a finer net starts from the weights of the coarser one (``load_state_dict(..., strict=False)``);
    pooling rounds up, as in the program of the paper.
    """

    def __init__(
        self,
        num_classes: int = 21,
        in_channels: int = 3,
        stride: int = 32,
        width: int = 64,
        hidden: int = 4096,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        check_one_of("FCN", "stride", stride, (8, 16, 32))
        check_sizes("FCN", width=width, hidden=hidden)
        self.in_channels, self.stride = in_channels, stride
        self.features = _features(in_channels, width)
        self.fc6 = Conv2d(WIDTHS[-1] * width, hidden, 7)
        self.fc7 = Conv2d(hidden, hidden, 1)
        self.relu, self.drop = ReLU(), Dropout2d(dropout)
        self.score = Conv2d(hidden, num_classes, 1)
        if stride <= 16:
            self.score_pool4 = Conv2d(WIDTHS[3] * width, num_classes, 1)
            self.up2 = ConvTranspose2d(num_classes, num_classes, 4, stride=2, bias=False)
        if stride == 8:
            self.score_pool3 = Conv2d(WIDTHS[2] * width, num_classes, 1)
            self.up4 = ConvTranspose2d(num_classes, num_classes, 4, stride=2, bias=False)
        self.up = ConvTranspose2d(num_classes, num_classes, 2 * stride, stride=stride, bias=False)
        self.apply(_initialise)
        for name, module in self.named_children():
            if name.startswith("score"):
                init.zeros_(module.weight)
        self.up.weight.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        check_images("FCN", x, self.in_channels)
        height, width = x.shape[2:]
        finer = {}
        for index, layer in enumerate(self.features):
            x = layer(x)
            if index in (POOL3, POOL4):
                finer[index] = x
        x = self.drop(self.relu(self.fc6(x)))
        x = self.score(self.drop(self.relu(self.fc7(x))))
        if self.stride <= 16:
            x = _add(self.up2(x), self.score_pool4(finer[POOL4]), 5)
        if self.stride == 8:
            x = _add(self.up4(x), self.score_pool3(finer[POOL3]), 9)
        start = {32: 19, 16: 27, 8: 31}[self.stride]
        return self.up(x)[:, :, start : start + height, start : start + width]


def _features(in_channels: int, width: int) -> Sequential:
    """VGG-16's convolutions: the first one pads by 100, pooling rounds up."""
    layers: list[Module] = []
    channels = in_channels
    for count, multiple in zip(CONVOLUTIONS[16], WIDTHS, strict=True):
        for _ in range(count):
            layers += [Conv2d(channels, multiple * width, 3, padding=1 if layers else PADDING), ReLU()]
            channels = multiple * width
        layers.append(MaxPool2d(2, ceil_mode=True))
    return Sequential(*layers)


def _add(coarse: Tensor, fine: Tensor, start: int) -> Tensor:
    """The sum of both; of the finer scores, which reach further out, the part that `coarse` covers."""
    height, width = coarse.shape[2:]
    return coarse + fine[:, :, start : start + height, start : start + width]


def bilinear_kernel(size: int) -> Any:
    """Weights (size, size) that make of a transposed convolution bilinear interpolation.

    Its stride is ``(size + 1) // 2``.

    Examples
    --------
    >>> from tinyconv.models.fcn import bilinear_kernel
    >>> bilinear_kernel(4)[1]
    array([0.1875, 0.5625, 0.5625, 0.1875])
    """
    stride = (size + 1) // 2
    middle = stride - 1 if size % 2 else stride - 0.5
    one = 1 - abs(np.arange(size) - middle) / stride
    return np.outer(one, one)


def _initialise(module: Module) -> None:
    """He's normal distribution and zero biases; what enlarges does so class by class, bilinearly."""
    if isinstance(module, ConvTranspose2d):
        kernel = bilinear_kernel(module.kernel_size[0])
        weight = np.zeros(module.weight.shape)
        weight[range(len(weight)), range(len(weight))] = kernel
        module.load_state_dict({"weight": tensor(weight.astype(np.float32))})
    elif isinstance(module, Conv2d):
        init.kaiming_normal_(module.weight, nonlinearity="relu")
        fill_bias(module)


for _stride in (32, 16, 8):
    register(f"fcn{_stride}s", (3, 500, 500))(partial(FCN, stride=_stride))
