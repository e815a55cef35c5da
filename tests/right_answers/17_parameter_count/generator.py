import math


def count_parameters(layers, channels, height, width):
    return list(walk(layers, (channels, height, width)))


def walk(layers, shape):
    for layer in layers:
        match layer:
            case {"kind": "conv", "filters": f, "kernel": k, "stride": s, "padding": p, "bias": bias}:
                yield f * shape[0] * k**2 + f * bias
                shape = (f, *(1 + (n + 2 * p - k) // s for n in shape[1:]))
            case {"kind": "norm"}:
                yield shape[0] + shape[0]
            case {"kind": "pool", "size": k}:
                yield 0
                shape = (shape[0], *(n // k for n in shape[1:]))
            case {"kind": "linear", "units": u}:
                yield u * math.prod(shape) + u
                shape = (u, 1, 1)
