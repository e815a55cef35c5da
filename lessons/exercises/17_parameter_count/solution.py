"""17. How many parameters a network has: a solution."""


def count_parameters(layers, channels, height, width):
    """How many numbers each layer learns."""
    counts = []
    for layer in layers:
        count = 0
        if layer["kind"] == "conv":
            kernel, stride, padding = layer["kernel"], layer["stride"], layer["padding"]
            count = layer["filters"] * (channels * kernel * kernel + layer["bias"])
            channels = layer["filters"]
            height = (height + 2 * padding - kernel) // stride + 1
            width = (width + 2 * padding - kernel) // stride + 1
        elif layer["kind"] == "norm":
            count = 2 * channels
        elif layer["kind"] == "pool":
            height, width = height // layer["size"], width // layer["size"]
        else:
            count = layer["units"] * (channels * height * width + 1)
            channels, height, width = layer["units"], 1, 1
        counts.append(count)
    return counts
