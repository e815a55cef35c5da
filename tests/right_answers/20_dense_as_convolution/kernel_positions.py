import numpy as np


def score_map(maps, weight1, bias1, weight2, bias2, height, width):
    channels, rows, columns = maps.shape[1], maps.shape[2] - height + 1, maps.shape[3] - width + 1
    hidden = bias1.reshape(1, -1, 1, 1)
    for place in range(weight1.shape[1]):
        c, i, j = np.unravel_index(place, (channels, height, width))
        seen = maps[:, c : c + 1, i : i + rows, j : j + columns]
        hidden = hidden + weight1[:, place].reshape(1, -1, 1, 1) * seen
    hidden = hidden * (hidden > 0)
    return np.moveaxis(np.moveaxis(hidden, 1, -1) @ weight2.T + bias2, -1, 1)
