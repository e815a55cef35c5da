import numpy as np


class Skip:
    def __init__(self):
        self.rows = self.columns = self.shapes = None

    def forward(self, up, copy):
        self.shapes = up.shape, copy.shape
        self.rows = np.arange(up.shape[2]) + (copy.shape[2] - up.shape[2]) // 2
        self.columns = np.arange(up.shape[3]) + (copy.shape[3] - up.shape[3]) // 2
        return np.append(up, copy.take(self.rows, 2).take(self.columns, 3), axis=1)

    def backward(self, grad):
        up, copy = self.shapes
        pick_rows = np.eye(copy[2], dtype=grad.dtype)[self.rows]
        pick_columns = np.eye(copy[3], dtype=grad.dtype)[self.columns]
        return grad[:, : up[1]], np.einsum("nchw,hi,wj->ncij", grad[:, up[1] :], pick_rows, pick_columns)
