"""18. An Inception block.

Is a 1x1, a 3x3 or a 5x5 filter right here, or a pooling? GoogLeNet does not choose: all four look at the
same maps, and their answers are stacked as channels. Before the expensive 3x3 and 5x5 a 1x1 convolution,
the bottleneck, makes the channels fewer. Lesson 11 tells more.

                 +--> one (1x1) ------------------------------+
                 +--> before_three (1x1) --> three (3x3) -----+
    x -----------+                                            +--> stacked
                 +--> before_five (1x1) --> five (5x5) -------+
                 +--> max pooling 3x3 --> after_pool (1x1) ---+

With 192 channels, and sizes as in GoogLeNet's first block, 64 + 128 + 32 + 32 = 256 channels come out, of
the same height and width as what came in.
"""

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv import nn


class Inception(nn.Module):
    """Four ways in parallel; a ReLU follows each of the six convolutions."""

    def __init__(self, channels, ones, before_threes, threes, before_fives, fives, pooled):
        """Make the six convolutions, each an `nn.Conv2d` with a bias.

        channels come in. `self.one` gives `ones` channels, `self.before_three` gives before_threes and
        `self.three` threes, `self.before_five` before_fives and `self.five` fives, `self.after_pool` pooled.
        """
        super().__init__()
        # TODO: six layers of these very names; with padding, so that height and width stay what they are
        raise NotImplementedError("__init__")

    def forward(self, x):
        """Take x (N, channels, H, W), and return (N, ones + threes + fives + pooled, H, W), in this order."""
        # TODO: the four ways; the pooling moves by 1, and has to keep height and width too
        # TODO: stack them
        raise NotImplementedError("forward")
