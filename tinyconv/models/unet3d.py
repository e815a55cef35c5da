"""3D U-Net of Çiçek et al. 2016: volumes in, scores of their voxels out.

It differs from the U-Net of images in more than its third dimension: one level less, as volumes are
large; the number of filters grows *before* a pooling, so that nothing is squeezed there; and what
enlarges keeps its channels.
"""

from __future__ import annotations

from collections.abc import Sequence

from tinyconv.models._sizes import check_one_of, check_widths
from tinyconv.models.registry import register
from tinyconv.models.unet import UShape, initialise, two_convolutions
from tinyconv.nn import Conv3d, ConvTranspose3d, MaxPool3d, ModuleList
from tinyconv.ops._checks import check_flags


@register("unet3d", (3, 132, 132, 116))
class UNet3d(UShape):
    """3D U-Net: 19,069,955 parameters; (N, 3, 132, 132, 116) to (N, 3, 44, 44, 28).

    Parameters
    ----------
    in_channels, num_classes : int
        Channels in, maps of scores out.
    widths : sequence of int
        Filters of each level at its end; the paper's are 64, 128, 256, 512, half as many after the
        first convolution of a block.
    padding : int
        0, or 1 to keep the size: sides that are multiples of 8.
    batch_norm : bool
        Batch normalisation after each 3x3x3 convolution; see Notes.

    Notes
    -----
    The paper counts 19,069,955 parameters: weights and biases of the 3x3x3 convolutions and the last
    one, weights of the transposed ones. It uses batch normalisation as well, which that count leaves
    out: ``create("unet3d_bn")`` has its 4,672 scales and shifts, in the place of 2,336 biases.

    Without padding the sides are 8 k + 4, from 92 on.
    """

    dims = 3

    def __init__(
        self,
        in_channels: int = 3,
        num_classes: int = 3,
        widths: Sequence[int] = (64, 128, 256, 512),
        padding: int = 0,
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        check_one_of("UNet3d", "padding", padding, (0, 1))
        check_flags("UNet3d", batch_norm=batch_norm)
        widths = check_widths("UNet3d", widths)
        self.in_channels, self.cut = in_channels, 4 - 4 * padding
        how = (3, padding, batch_norm)
        self.encoder, self.up, self.decoder = ModuleList(), ModuleList(), ModuleList()
        channels = in_channels
        for width in widths:
            between = width // 2
            self.encoder.append(two_convolutions((channels, between, width), *how))
            channels = width
        for width in reversed(widths[:-1]):
            self.up.append(ConvTranspose3d(channels, channels, 2, stride=2, bias=False))
            self.decoder.append(two_convolutions((channels + width, width, width), *how))
            channels = width
        self.pool = MaxPool3d(2)
        self.head = Conv3d(channels, num_classes, 1)
        self.apply(initialise)


@register("unet3d_bn", (3, 132, 132, 116))
def unet3d_bn(
    in_channels: int = 3,
    num_classes: int = 3,
    widths: Sequence[int] = (64, 128, 256, 512),
    padding: int = 0,
) -> UNet3d:
    """3D U-Net with the batch normalisation of its paper: 19,072,291 parameters."""
    return UNet3d(in_channels, num_classes, widths, padding, True)
