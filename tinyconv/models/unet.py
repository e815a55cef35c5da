"""U-Net: an encoder that sees far, a decoder that sees sharp, and copies between them.

`UNet` is the network of Ronneberger et al. 2015: 64 to 1024 filters, convolutions without padding, so
that 572x572 pixels go in and the middle 388x388 come out, for which all the surroundings were seen.
With `padding` and `batch_norm` it is what most people train today, in 2 or 3 dimensions.

`UNetSlides` is the network of slide deck S3 ("Put all together"): 16 to 256 filters, ELU, dropout,
2x2 transposed convolutions and a sigmoid at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from tinyconv.models._sizes import centre_crop, check_images, check_one_of, check_widths
from tinyconv.models.registry import register
from tinyconv.nn import (
    ELU,
    BatchNorm2d,
    BatchNorm3d,
    Conv2d,
    Conv3d,
    ConvTranspose2d,
    ConvTranspose3d,
    Dropout,
    MaxPool2d,
    MaxPool3d,
    Module,
    ModuleList,
    ReLU,
    Sequential,
    Sigmoid,
    init,
)
from tinyconv.ops import cat
from tinyconv.ops._checks import check_flags
from tinyconv.ops.dropout import check_probability
from tinyconv.tensor import Tensor

CONVOLUTIONS: Any = {2: Conv2d, 3: Conv3d}
TRANSPOSED: Any = {2: ConvTranspose2d, 3: ConvTranspose3d}
NORMALISATIONS: Any = {2: BatchNorm2d, 3: BatchNorm3d}
POOLINGS: Any = {2: MaxPool2d, 3: MaxPool3d}


class UShape(Module):
    """What every U-Net does with its blocks; a subclass makes them.

    ::

        x ─ encoder[0] ─────────────────────────── cat ─ decoder[-1] ─ head
             └ pool ─ encoder[1] ────────── cat ─ decoder[-2] ┘ up[-1]
                       └ pool ─    ⋮         ⋮  ┘ up
                               encoder[-1] ──┘

    Attributes
    ----------
    encoder, up, decoder : ModuleList
        Blocks of two convolutions each on the way down and up, and what enlarges between the latter.
    pool, head : Module
        Halves an image; makes scores of what the last block of the decoder gives.
    dims, in_channels : int
    cut : int
        By how many pixels a block makes an image smaller: 4 without padding, 0 with it.
    """

    encoder: ModuleList
    up: ModuleList
    decoder: ModuleList
    pool: Module
    head: Module
    dims: int
    in_channels: int
    cut: int

    @property
    def multiple(self) -> int:
        """What the sides of an image must be divisible by, where blocks do not cut it."""
        return int(2 ** len(self.up))

    def forward(self, x: Tensor) -> Tensor:
        self._check_input(x)
        copies = []
        for level, block in enumerate(self.encoder):
            x = block(x if level == 0 else self.pool(x))
            copies.append(x)
        for up, block, copy in zip(self.up, self.decoder, reversed(copies[:-1]), strict=True):
            x = up(x)
            x = block(cat([x, centre_crop(copy, x.shape[2:])], dim=1))
        return self.head(x)

    def _check_input(self, x: Tensor) -> None:
        """Every pooling must find an even size, and the last block enough to work on."""
        multiple = self.multiple
        rest = -self.cut % multiple
        lost = 2 * self.cut * (multiple - 1) + self.cut * multiple  # by all blocks, in pixels of the input
        least = lost + (rest - lost) % multiple
        least += multiple if least <= lost else 0
        check_images(type(self).__name__, x, self.in_channels, self.dims, multiple, least, rest)


@register("unet", (1, 572, 572))
class UNet(UShape):
    """U-Net of Ronneberger, Fischer and Brox 2015: (N, 1, 572, 572) to (N, 2, 388, 388).

    Parameters
    ----------
    in_channels, num_classes : int
        Channels in, maps of scores out.
    widths : sequence of int
        Filters of each level; the paper's are 64, 128, 256, 512, 1024.
    dims : int
        2 for images, 3 for volumes.
    padding : int
        0, or 1 to keep the size: images whose sides are multiples of 16, and scores for all of them.
    batch_norm : bool
        Whether each 3x3 convolution is followed by batch normalisation (and has no bias then).
    dropout : float
        In the two lowest blocks of the encoder, as the paper has it.

    Notes
    -----
    The output is scores; softmax and the weights of the borders belong to the loss
    (`nn.WeightedPixelCrossEntropyLoss`). Without padding 572 may be any of 188, 204, … = 16 k + 12: each
    pooling must find an even size.

    Examples
    --------
    >>> import tinyconv as tc
    >>> from tinyconv import models
    >>> model = models.create("unet", widths=(2, 4, 6, 8, 10))
    >>> model(tc.zeros(1, 1, 188, 204)).shape
    (1, 2, 4, 20)
    """

    def __init__(
        self,
        in_channels: int = 1,
        num_classes: int = 2,
        widths: Sequence[int] = (64, 128, 256, 512, 1024),
        dims: int = 2,
        padding: int = 0,
        batch_norm: bool = False,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.dims = check_one_of("UNet", "dims", dims, (2, 3))
        check_one_of("UNet", "padding", padding, (0, 1))
        check_flags("UNet", batch_norm=batch_norm)
        widths, dropout = check_widths("UNet", widths), check_probability("UNet", dropout)
        self.in_channels, self.cut = in_channels, 4 - 4 * padding
        how = (dims, padding, batch_norm)
        self.encoder, self.up, self.decoder = ModuleList(), ModuleList(), ModuleList()
        channels = in_channels
        for level, width in enumerate(widths):
            rate = dropout if level >= len(widths) - 2 else 0.0
            self.encoder.append(two_convolutions((channels, width, width), *how, dropout=rate))
            channels = width
        for width in reversed(widths[:-1]):
            self.up.append(TRANSPOSED[dims](channels, width, 2, stride=2))
            self.decoder.append(two_convolutions((2 * width, width, width), *how))
            channels = width
        self.pool = POOLINGS[dims](2)
        self.head = CONVOLUTIONS[dims](channels, num_classes, 1)
        self.apply(initialise)


@register("unet_bn", (1, 256, 256))
def unet_bn(
    in_channels: int = 1,
    num_classes: int = 2,
    widths: Sequence[int] = (32, 64, 128, 256, 512),
    dims: int = 2,
    padding: int = 1,
    dropout: float = 0.0,
) -> UNet:
    """U-Net as most people train it: padding, batch normalisation, half as wide; in 2 or 3 dimensions."""
    return UNet(in_channels, num_classes, widths, dims, padding, True, dropout)


def two_convolutions(
    channels: Sequence[int], dims: int, padding: int, batch_norm: bool, dropout: float = 0.0
) -> Sequential:
    """3x3 convolution and ReLU, twice; normalised and dropped as asked for."""
    layers: list[Module] = []
    for before, after in pairwise(channels):
        layers.append(CONVOLUTIONS[dims](before, after, 3, padding=padding, bias=not batch_norm))
        layers += [NORMALISATIONS[dims](after)] if batch_norm else []
        layers.append(ReLU())
    return Sequential(*layers, *([Dropout(dropout)] if dropout else []))


def initialise(module: Module) -> None:
    """He's normal distribution, of variance 2 over the inputs of a neuron; zero biases."""
    if isinstance(module, Conv2d | Conv3d):
        init.kaiming_normal_(module.weight, nonlinearity="relu")
    if isinstance(module, Conv2d | Conv3d | ConvTranspose2d | ConvTranspose3d) and module.bias is not None:
        init.zeros_(module.bias)


WIDTHS = (16, 32, 64, 128, 256)
DROPOUTS = (0.1, 0.1, 0.2, 0.2, 0.3)


def double_conv(in_channels: int, out_channels: int, dropout: float) -> Sequential:
    """3x3 convolution, ELU, dropout, 3x3 convolution, ELU; the size of the image is kept."""
    return Sequential(
        Conv2d(in_channels, out_channels, 3, padding=1),
        ELU(),
        Dropout(dropout),
        Conv2d(out_channels, out_channels, 3, padding=1),
        ELU(),
    )


@register("unet_slides")
class UNetSlides(UShape):
    """The U-Net of slide deck S3: 1,941,105 parameters for RGB images.

    Parameters
    ----------
    in_channels : int
        3 for RGB, 1 for grey images.
    num_classes : int
        Number of masks; 1 for nuclei.
    probabilities : bool
        Whether a sigmoid makes probabilities of the scores; False for classes that exclude each other.

    Notes
    -----
    Input (N, in_channels, H, W) with H and W multiples of 16; output (N, num_classes, H, W),
    probabilities.
    """

    dims, cut = 2, 0

    def __init__(self, in_channels: int = 3, num_classes: int = 1, probabilities: bool = True) -> None:
        super().__init__()
        check_flags("UNetSlides", probabilities=probabilities)
        self.in_channels = in_channels
        self.encoder = ModuleList()
        self.up = ModuleList()
        self.decoder = ModuleList()
        channels = in_channels
        for width, dropout in zip(WIDTHS, DROPOUTS, strict=True):
            self.encoder.append(double_conv(channels, width, dropout))
            channels = width
        for width, dropout in zip(reversed(WIDTHS[:-1]), reversed(DROPOUTS[:-1]), strict=True):
            self.up.append(ConvTranspose2d(channels, width, 2, stride=2))
            self.decoder.append(double_conv(2 * width, width, dropout))
            channels = width
        self.pool = MaxPool2d(2)
        self.head = Conv2d(channels, num_classes, 1)
        self.probability = Sigmoid() if probabilities else None
        self.apply(_initialise)

    def forward(self, x: Tensor) -> Tensor:
        scores = super().forward(x)
        return scores if self.probability is None else self.probability(scores)


def _initialise(module: Module) -> None:
    """He's truncated normal for the 3x3 convolutions, as their activations need; zero biases."""
    if isinstance(module, Conv2d):
        fan_in, _ = init.fans(module.weight)
        init.trunc_normal_(module.weight, std=(2 / fan_in) ** 0.5)
    if isinstance(module, Conv2d | ConvTranspose2d) and module.bias is not None:
        init.zeros_(module.bias)
