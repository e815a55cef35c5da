import numpy as np


def count_parameters(layers, channels, height, width):
    shape, counts = np.array([channels, height, width]), np.zeros(len(layers), dtype=np.int64)
    for i, layer in enumerate(layers):
        if layer["kind"] == "conv":
            kernel = np.ones((layer["filters"], shape[0], layer["kernel"], layer["kernel"]))
            counts[i] = kernel.size + layer["bias"] * len(kernel)
            shape[1:] = (shape[1:] + 2 * layer["padding"] - layer["kernel"]) // layer["stride"] + 1
            shape[0] = layer["filters"]
        elif layer["kind"] == "norm":
            counts[i] = shape[0] * 2
        elif layer["kind"] == "pool":
            shape[1:] //= layer["size"]
        else:
            counts[i] = (shape.prod() + 1) * layer["units"]
            shape = np.array([layer["units"], 1, 1])
    return counts.tolist()
