def count_parameters(layers, channels, height, width):
    if not layers:
        return []
    first, rest = layers[0], layers[1:]
    count, shape = KINDS[first["kind"]](first, channels, height, width)
    return [count] + count_parameters(rest, *shape)


def conv(layer, channels, height, width):
    def size(n):
        return (n + 2 * layer["padding"] - layer["kernel"]) // layer["stride"] + 1

    one_filter = channels * layer["kernel"] ** 2 + (1 if layer["bias"] else 0)
    return one_filter * layer["filters"], (layer["filters"], size(height), size(width))


def norm(layer, channels, height, width):
    return 2 * channels, (channels, height, width)


def pool(layer, channels, height, width):
    return 0, (channels, height // layer["size"], width // layer["size"])


def linear(layer, channels, height, width):
    return (channels * height * width + 1) * layer["units"], (layer["units"], 1, 1)


KINDS = {"conv": conv, "norm": norm, "pool": pool, "linear": linear}
