"""20. A dense layer is a convolution.

A network for small images ends with dense layers, and so it takes images of one size only. But a dense
layer that sees c maps of 7x7 is a convolution whose kernel is c x 7 x 7: at the one place where it fits, it
computes the same sum. The dense layer behind it is a 1x1 convolution. On larger maps these kernels walk,
and the network says for each place what it would have said of the window there. Lesson 14 does it with VGG.

By hand, with one map, a window of 1x2, one hidden unit with the weights [1, 2] and one class with the
weight [10]: the map [3, 4, -5] has two windows, [3, 4] and [4, -5]. The hidden unit says 11 and -6, after
the ReLU 11 and 0. The scores are [110, 0].
"""

import numpy as np


def score_map(maps, weight1, bias1, weight2, bias2, height, width):
    """The scores of a dense network at every place of larger maps.

    The dense network takes maps (C, height, width), flattens them in C order (channel by channel, row by
    row), and has two layers: `weight1 @ flat + bias1`, a ReLU, then `weight2 @ hidden + bias2`.

    maps (N, C, H, W), at least as high and wide as the window; weight1 (D, C * height * width); bias1 (D,);
    weight2 (K, D); bias2 (K,). Returns (N, K, H - height + 1, W - width + 1), of maps' dtype.
    """
    # TODO: give weight1 the shape of D kernels
    # TODO: the first layer at every place, as a convolution with stride 1; its bias; the ReLU
    # TODO: the second layer, a 1x1 convolution: at each place the same sum over the D numbers there
    raise NotImplementedError("score_map")
