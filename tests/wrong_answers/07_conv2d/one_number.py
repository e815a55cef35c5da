import numpy as np

TOLD = "a size is wrong"


def conv2d(x, weight, bias, stride, padding):
    return np.zeros((1, 1, 1, 1))
