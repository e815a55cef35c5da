import numpy as np

TOLD = "a transposition is missing"
NOT_TOLD = "a place is missing"


def score_map(maps, weight1, bias1, weight2, bias2, height, width):
    N, C, H, W = maps.shape
    k = weight1.reshape(-1, C, height, width)
    win = np.lib.stride_tricks.sliding_window_view(maps, (height, width), (2, 3))
    h = np.maximum(np.einsum("ncijuv,dcuv->nijd", win, k) + bias1, 0)
    return h @ weight2.T + bias2  # forgets to move the classes in front
