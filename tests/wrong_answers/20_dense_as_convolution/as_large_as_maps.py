import numpy as np

TOLD = "the map is as large as maps"
NOT_TOLD = "a place is missing"


def score_map(maps, weight1, bias1, weight2, bias2, height, width):
    # padded so that the map keeps its size ("same")
    N, C, H, W = maps.shape
    p = np.pad(maps, ((0, 0), (0, 0), (0, height - 1), (0, width - 1)))
    k = weight1.reshape(-1, C, height, width)
    win = np.lib.stride_tricks.sliding_window_view(p, (height, width), (2, 3))
    h = np.maximum(np.einsum("ncijuv,dcuv->ndij", win, k) + bias1[:, None, None], 0)
    return np.einsum("ndij,kd->nkij", h, weight2) + bias2[:, None, None]
