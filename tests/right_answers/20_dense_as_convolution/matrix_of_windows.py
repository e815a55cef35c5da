import numpy as np
from numpy.lib.stride_tricks import as_strided


def score_map(maps, weight1, bias1, weight2, bias2, height, width):
    maps = np.ascontiguousarray(maps)
    n, c, h, w = maps.shape
    rows, columns = h - height + 1, w - width + 1
    sn, sc, sh, sw = maps.strides
    windows = as_strided(
        maps, (n, rows, columns, c, height, width), (sn, sh, sw, sc, sh, sw), writeable=False
    )
    matrix = windows.reshape(n * rows * columns, c * height * width)
    hidden = (matrix @ weight1.T + bias1).clip(min=0)
    scores = hidden @ weight2.T + bias2
    return scores.reshape(n, rows, columns, len(weight2)).transpose(0, 3, 1, 2)
