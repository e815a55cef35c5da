import numpy as np

TOLD = "nothing is summed"


def unbroadcast(grad, shape):
    return grad
