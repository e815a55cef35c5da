"""U-Net: an encoder that sees far, a decoder that sees sharp, and copies between them.

`UNetSlides` is the network of slide deck S3 ("Put all together"): 16 to 256 filters, ELU,
dropout, 2x2 transposed convolutions and a sigmoid at the end; after Ronneberger et al. 2015.
"""

from __future__ import annotations

from tinyconv.errors import ShapeError
from tinyconv.models.registry import register
from tinyconv.nn import (
    ELU,
    Conv2d,
    ConvTranspose2d,
    Dropout,
    MaxPool2d,
    Module,
    ModuleList,
    Sequential,
    Sigmoid,
    init,
)
from tinyconv.ops import cat
from tinyconv.tensor import Tensor

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
class UNetSlides(Module):
    """The U-Net of slide deck S3: 1,941,105 parameters for RGB images.

    ::

        x ─ 16 ──────────────────────────── cat ─ 16 ─ 1x1 ─ sigmoid
             └ pool ─ 32 ────────────── cat ─ 32 ┘ up
                       └ pool ─ 64 ─ cat ─ 64 ┘ up
                                 ⋮      ⋮
                                   256

    Parameters
    ----------
    in_channels : int
        3 for RGB, 1 for grey images.
    num_classes : int
        Number of masks; 1 for nuclei.

    Notes
    -----
    Input (N, in_channels, H, W) with H and W multiples of 16; output (N, num_classes, H, W),
    probabilities.
    """

    multiple = 2 ** (len(WIDTHS) - 1)

    def __init__(self, in_channels: int = 3, num_classes: int = 1) -> None:
        super().__init__()
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
        self.probability = Sigmoid()
        self.apply(_initialise)

    def forward(self, x: Tensor) -> Tensor:
        self._check_input(x)
        copies = []
        for level, block in enumerate(self.encoder):
            x = block(x if level == 0 else self.pool(x))
            copies.append(x)
        for up, block, copy in zip(self.up, self.decoder, reversed(copies[:-1]), strict=True):
            x = block(cat([up(x), copy], dim=1))
        return self.probability(self.head(x))

    def _check_input(self, x: Tensor) -> None:
        wanted = f"(N, {self.in_channels}, H, W) with H and W multiples of {self.multiple}"
        if (
            x.ndim != 4
            or x.shape[1] != self.in_channels
            or any(n == 0 or n % self.multiple for n in x.shape[2:])
        ):
            raise ShapeError("UNetSlides", "input", f"of shape {x.shape}", wanted)


def _initialise(module: Module) -> None:
    """He's truncated normal for the 3x3 convolutions, as their activations need; zero biases."""
    if isinstance(module, Conv2d):
        fan_in, _ = init.fans(module.weight)
        init.trunc_normal_(module.weight, std=(2 / fan_in) ** 0.5)
    if isinstance(module, Conv2d | ConvTranspose2d) and module.bias is not None:
        init.zeros_(module.bias)
