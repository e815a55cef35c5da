"""GoogLeNet (Szegedy et al. 2015): nine Inception modules, 22 layers, two auxiliary classifiers.

An Inception module does not choose between 1x1, 3x3, 5x5 and pooling: it takes all four. The naive
form of slide deck S2 has 1,089,536 weights; with 1x1 bottlenecks, which shrink the channels first,
it is 346,112. Slide deck S1: 12 times fewer parameters than AlexNet.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tinyconv.errors import ArgumentError
from tinyconv.models._sizes import check_images, check_one_of
from tinyconv.models.registry import register
from tinyconv.nn import (
    AdaptiveAvgPool2d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Linear,
    MaxPool2d,
    Module,
    Sequential,
    init,
)
from tinyconv.nn import functional as F
from tinyconv.ops import cat, tensor
from tinyconv.ops._checks import check_flags
from tinyconv.tensor import Tensor

MEAN = [[[0.485]], [[0.456]], [[0.406]]]
DEVIATION = [[[0.229]], [[0.224]], [[0.225]]]
"""Of the red, green and blue of ImageNet's images."""


class GoogLeNetOutputs(NamedTuple):
    """The scores of the classifier, and while training of the two auxiliary ones, the later first."""

    logits: Tensor
    aux_logits2: Tensor | None
    aux_logits1: Tensor | None


class NaiveInception(Module):
    """The Inception module without bottlenecks: the channels that come in come out as well, pooled.

    Parameters
    ----------
    in_channels : int
    ch1x1, ch3x3, ch5x5 : int
        Channels of the three convolutions.
    bias : bool

    Examples
    --------
    >>> sum(p.numel() for p in NaiveInception(256, 128, 192, 96, bias=False).parameters())
    1089536
    """

    def __init__(self, in_channels: int, ch1x1: int, ch3x3: int, ch5x5: int, bias: bool = True) -> None:
        super().__init__()
        self.branch1 = Conv2d(in_channels, ch1x1, 1, bias=bias)
        self.branch2 = Conv2d(in_channels, ch3x3, 3, padding=1, bias=bias)
        self.branch3 = Conv2d(in_channels, ch5x5, 5, padding=2, bias=bias)
        self.branch4 = MaxPool2d(3, 1, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        convolved = [F.relu(branch(x)) for branch in (self.branch1, self.branch2, self.branch3)]
        return cat([*convolved, self.branch4(x)], dim=1)


class Inception(Module):
    """The Inception module with bottlenecks: a 1x1 convolution before each large one, and after the pooling.

    Parameters
    ----------
    in_channels : int
    ch1x1 : int
        Channels of the 1x1 convolution.
    ch3x3red, ch3x3 : int
        Channels of the bottleneck before the 3x3 convolution, and of that.
    ch5x5red, ch5x5 : int
        The same for the 5x5 convolution.
    pool_proj : int
        Channels of the 1x1 convolution after the pooling.
    largest : int
        Kernel size of the largest convolution: 5 in the paper and on the slide, 3 in torchvision
        and in the weights published there.

    Examples
    --------
    >>> module = Inception(256, 128, 64, 192, 64, 96, 64, largest=5)
    >>> sum(p.numel() for p in module.parameters() if p.ndim == 4)
    346112
    """

    def __init__(
        self,
        in_channels: int,
        ch1x1: int,
        ch3x3red: int,
        ch3x3: int,
        ch5x5red: int,
        ch5x5: int,
        pool_proj: int,
        largest: int = 5,
    ) -> None:
        super().__init__()
        self.branch1 = BasicConv2d(in_channels, ch1x1, kernel_size=1)
        self.branch2 = Sequential(
            BasicConv2d(in_channels, ch3x3red, kernel_size=1),
            BasicConv2d(ch3x3red, ch3x3, kernel_size=3, padding=1),
        )
        self.branch3 = Sequential(
            BasicConv2d(in_channels, ch5x5red, kernel_size=1),
            BasicConv2d(ch5x5red, ch5x5, kernel_size=largest, padding=largest // 2),
        )
        self.branch4 = Sequential(
            MaxPool2d(3, 1, padding=1, ceil_mode=True),
            BasicConv2d(in_channels, pool_proj, kernel_size=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], dim=1)


class BasicConv2d(Module):
    """Convolution without bias, batch normalisation, ReLU."""

    def __init__(self, in_channels: int, out_channels: int, **options: Any) -> None:
        super().__init__()
        self.conv = Conv2d(in_channels, out_channels, bias=False, **options)
        self.bn = BatchNorm2d(out_channels, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)))


class InceptionAux(Module):
    """An auxiliary classifier: brings the loss to the middle of the net, while it is trained."""

    def __init__(self, in_channels: int, num_classes: int, dropout: float = 0.7) -> None:
        super().__init__()
        self.conv = BasicConv2d(in_channels, 128, kernel_size=1)
        self.fc1 = Linear(128 * 4 * 4, 1024)
        self.fc2 = Linear(1024, num_classes)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(F.adaptive_avg_pool2d(x, (4, 4)))
        return self.fc2(self.dropout(F.relu(self.fc1(x.flatten(1)))))


@register("googlenet", input_size=(3, 224, 224))
class GoogLeNet(Module):
    """GoogLeNet: 13,004,888 parameters, or 6,624,904 without the auxiliary classifiers.

    Parameters
    ----------
    num_classes : int
    in_channels : int
    aux_logits : bool
        Whether to have the auxiliary classifiers.
    dropout, dropout_aux : float
        Before the last layer, and in the auxiliary classifiers.
    largest : int
        Kernel size of the largest convolution in each module: 3 as in published weights, which
        follow torchvision, or 5 as in the paper.
    transform_input : bool
        Whether to bring RGB images that are normalised by ImageNet's mean and deviation to (x - 0.5) / 0.5,
        for which the weights published with torchvision were trained.

    Notes
    -----
    Input (N, in_channels, H, W) from 15x15 on, 224x224 in the paper. While training, with auxiliary
    classifiers, the output is a `GoogLeNetOutputs`, else (N, num_classes): scores. The paper adds
    the auxiliary losses with a weight of 0.3. Parameter names are torchvision's; batch
    normalisation is torchvision's too, the paper has none.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        in_channels: int = 3,
        aux_logits: bool = True,
        dropout: float = 0.2,
        dropout_aux: float = 0.7,
        largest: int = 3,
        transform_input: bool = False,
    ) -> None:
        super().__init__()
        check_one_of("GoogLeNet", "largest", largest, (3, 5))
        check_flags("GoogLeNet", aux_logits=aux_logits, transform_input=transform_input)
        if transform_input and in_channels != 3:
            raise ArgumentError("GoogLeNet", "transform_input", "True", f"False with {in_channels} channels")
        self.transform_input = transform_input
        self.conv1 = BasicConv2d(in_channels, 64, kernel_size=7, stride=2, padding=3)
        self.maxpool1 = MaxPool2d(3, 2, ceil_mode=True)
        self.conv2 = BasicConv2d(64, 64, kernel_size=1)
        self.conv3 = BasicConv2d(64, 192, kernel_size=3, padding=1)
        self.maxpool2 = MaxPool2d(3, 2, ceil_mode=True)
        self.inception3a = Inception(192, 64, 96, 128, 16, 32, 32, largest)
        self.inception3b = Inception(256, 128, 128, 192, 32, 96, 64, largest)
        self.maxpool3 = MaxPool2d(3, 2, ceil_mode=True)
        self.inception4a = Inception(480, 192, 96, 208, 16, 48, 64, largest)
        self.inception4b = Inception(512, 160, 112, 224, 24, 64, 64, largest)
        self.inception4c = Inception(512, 128, 128, 256, 24, 64, 64, largest)
        self.inception4d = Inception(512, 112, 144, 288, 32, 64, 64, largest)
        self.inception4e = Inception(528, 256, 160, 320, 32, 128, 128, largest)
        self.maxpool4 = MaxPool2d(2, 2, ceil_mode=True)
        self.inception5a = Inception(832, 256, 160, 320, 32, 128, 128, largest)
        self.inception5b = Inception(832, 384, 192, 384, 48, 128, 128, largest)
        self.aux_logits = aux_logits
        if aux_logits:
            self.aux1 = InceptionAux(512, num_classes, dropout_aux)
            self.aux2 = InceptionAux(528, num_classes, dropout_aux)
        self.avgpool = AdaptiveAvgPool2d(1)
        self.dropout = Dropout(dropout)
        self.fc = Linear(1024, num_classes)
        self.apply(_initialise)

    def forward(self, x: Tensor) -> Tensor | GoogLeNetOutputs:
        check_images("GoogLeNet", x, self.conv1.conv.in_channels, least=15)
        if self.transform_input:
            mean, deviation = (tensor(of, dtype=x.dtype, device=x.device) for of in (MEAN, DEVIATION))
            x = (x * deviation + mean - 0.5) / 0.5
        x = self.conv3(self.conv2(self.maxpool1(self.conv1(x))))
        x = self.inception3b(self.inception3a(self.maxpool2(x)))
        early = x = self.inception4a(self.maxpool3(x))
        late = x = self.inception4d(self.inception4c(self.inception4b(x)))
        x = self.inception5b(self.inception5a(self.maxpool4(self.inception4e(x))))
        logits = self.fc(self.dropout(self.avgpool(x).flatten(1)))
        if not (self.training and self.aux_logits):
            return logits
        return GoogLeNetOutputs(logits, self.aux2(late), self.aux1(early))


def _initialise(module: Module) -> None:
    """Deviation 0.01. Where torchvision cuts off, at 200 deviations, there is nothing to cut."""
    if isinstance(module, Conv2d | Linear):
        init.normal_(module.weight, std=0.01)
