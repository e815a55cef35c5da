import numpy as np


def score_map(maps, weight1, bias1, weight2, bias2, height, width):
    def dense(flat):
        hidden = weight1 @ flat + bias1
        return weight2 @ np.where(hidden > 0, hidden, 0) + bias2

    rows, columns = maps.shape[2] - height + 1, maps.shape[3] - width + 1
    y = np.empty((maps.shape[0], weight2.shape[0], rows, columns), maps.dtype)
    for n, i, j in np.ndindex(len(maps), rows, columns):
        y[n, :, i, j] = dense(maps[n, :, i : i + height, j : j + width].ravel())
    return y
