"""20. A dense layer is a convolution: a solution."""

import numpy as np


def score_map(maps, weight1, bias1, weight2, bias2, height, width):
    """The scores of a dense network at every place of larger maps."""
    kernels = weight1.reshape(len(weight1), maps.shape[1], height, width)
    windows = np.lib.stride_tricks.sliding_window_view(maps, (height, width), axis=(2, 3))
    hidden = np.einsum("nchwij,dcij->ndhw", windows, kernels) + bias1[:, None, None]
    hidden = np.maximum(hidden, 0)
    return np.einsum("ndhw,kd->nkhw", hidden, weight2) + bias2[:, None, None]
