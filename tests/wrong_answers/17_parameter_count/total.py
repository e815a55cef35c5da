TOLD = "not their sum"


def count_parameters(layers, channels, height, width):
    counts = []
    for layer in layers:
        count = 0
        if layer["kind"] == "conv":
            k, s, p = layer["kernel"], layer["stride"], layer["padding"]
            count = layer["filters"] * k * k * channels
            if layer["bias"]:
                count += layer["filters"]
            channels = layer["filters"]
            height = (height + 2 * p - k) // s + 1
            width = (width + 2 * p - k) // s + 1
        if layer["kind"] == "norm":
            count = 2 * channels
        if layer["kind"] == "pool":
            height //= layer["size"]
            width //= layer["size"]
        if layer["kind"] == "linear":
            count = channels * height * width * layer["units"] + layer["units"]
            channels, height, width = layer["units"], 1, 1
        counts.append(count)
    return sum(counts)
