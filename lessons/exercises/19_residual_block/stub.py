"""19. A residual block.

Very deep networks fail to learn what should be easy: to pass something on unchanged. A residual block
begins there. Its two convolutions compute only the difference from what came in, and x is added to it:

    x --> conv1 --> norm1 --> ReLU --> conv2 --> norm2 --(+)--> ReLU --> y
      |                                                   |
      +-------------- x, or shortcut, shortcut_norm ------+

If the convolutions say 0 for x = 3, then y = ReLU(0 + 3) = 3. Where the block halves the maps or changes
the number of channels, x does not fit any more: then a 1x1 convolution with the same stride, and a
normalisation, make it fit. Lesson 12 tells more.
"""

import tinyconv.nn.functional as F
from tinyconv import nn


class ResidualBlock(nn.Module):
    """ReLU(F(x) + x), as in ResNet-18."""

    def __init__(self, channels, filters, stride):
        """Make the layers. No convolution has a bias, as a normalisation comes right behind it.

        `self.conv1`, 3x3 from channels to filters, moves by `stride`; `self.conv2`, 3x3 from filters to
        filters, moves by 1; both have padding 1. `self.norm1` and `self.norm2` are `nn.BatchNorm2d`.
        Only where stride is not 1, or filters is not channels, there are `self.shortcut`, 1x1, which moves by
        `stride`, and its `self.shortcut_norm`.
        """
        super().__init__()
        # TODO: layers of these very names
        raise NotImplementedError("__init__")

    def forward(self, x):
        """Take x (N, channels, H, W), and return (N, filters, H', W'), with H' about H / stride."""
        # TODO: the way through the two convolutions
        # TODO: what is added to it: x, or what the shortcut makes of x
        # TODO: the last ReLU
        raise NotImplementedError("forward")
