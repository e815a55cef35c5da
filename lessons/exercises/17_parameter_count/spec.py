"""What the judge knows about exercise 17."""

from functools import partial

from tinyconv.course.exercises import Check, Exercise, Mistake


def conv(layer, shape, wrong):
    """Parameters of a convolution, and the shape that it gives."""
    channels, *sizes = shape
    area = layer["kernel"] if wrong == "side" else layer["kernel"] ** 2
    weights = area if wrong == "one slice" else area * channels
    bias = {"no bias": 0, "always bias": 1, "one bias": 0}.get(wrong, int(layer["bias"]))
    count = layer["filters"] * (weights + bias)
    if wrong == "one bias":
        count += layer["bias"]
    stride = 1 if wrong == "stride" else layer["stride"]
    padding = {"padding": 0, "one side": layer["padding"]}.get(wrong, 2 * layer["padding"])
    sizes = [(size + padding - layer["kernel"]) // stride + 1 for size in sizes]
    return count, (channels if wrong == "channels stay" else layer["filters"], *sizes)


def linear(layer, shape, wrong):
    """Parameters of a dense layer, and the shape that it gives."""
    channels, height, width = shape
    seen = channels if wrong == "channels only" else channels * height * width
    return layer["units"] * (seen + (wrong != "no bias")), (layer["units"], 1, 1)


def count_parameters(layers, channels, height, width, wrong=""):
    """The reference; `wrong` names a mistake."""
    counts, shape = [], (channels, height, width)
    for layer in layers:
        count = 0
        if layer["kind"] == "conv":
            count, shape = conv(layer, shape, wrong)
        elif layer["kind"] == "linear":
            count, shape = linear(layer, shape, wrong)
        elif layer["kind"] == "norm":
            count = {"norm free": 0, "norm one": 1, "norm four": 4}.get(wrong, 2) * shape[0]
        elif wrong != "pool":
            shape = (shape[0], shape[1] // layer["size"], shape[2] // layer["size"])
        counts.append(count)
    return counts


def draw_conv(d, shape):
    """A convolution that has room."""
    padding = d.integer(0, 2)
    kernel = min(d.choice([3, 2, 1, 5]), min(shape[1:]) + 2 * padding)
    return {
        "kind": "conv",
        "filters": d.integer(1, 6),
        "kernel": kernel,
        "stride": d.choice([1, 2]),
        "padding": padding,
        "bias": d.boolean(),
    }


def draw(d):
    """Up to four layers that work on maps, then one dense layer or two."""
    sizes = {"channels": d.integer(1, 4), "height": d.integer(4, 16), "width": d.integer(4, 16)}
    layers, shape = [], tuple(sizes.values())
    for kind in [d.choice(["conv", "conv", "norm", "pool"]) for _ in range(d.integer(1, 4))]:
        layer = draw_conv(d, shape) if kind == "conv" else {"kind": kind}
        if kind == "conv":
            shape = conv(layer, shape, "")[1]
        if kind == "pool":
            layer["size"] = min(d.choice([2, 3]), *shape[1:])
            shape = (shape[0], shape[1] // layer["size"], shape[2] // layer["size"])
        layers.append(layer)
    layers += [{"kind": "linear", "units": d.integer(1, 10)} for _ in range(d.integer(1, 2))]
    return {"layers": layers, **sizes}


def mistake(sentence, wrong):
    """A mistake that the reference can make."""
    return Mistake(sentence, partial(count_parameters, wrong=wrong))


MISTAKES = (
    mistake(
        "the biases are not counted: each filter has one (unless it is told not to), and each unit", "no bias"
    ),
    mistake("a convolution with bias=False has no biases to count", "always bias"),
    mistake("one bias for a whole convolution: each of its filters has one of its own", "one bias"),
    mistake("a filter has K * K weights for each input channel: times channels is missing", "one slice"),
    mistake("a kernel of side K has K * K weights in each channel, not K", "side"),
    mistake(
        "a convolution gives as many channels as it has filters: what follows has to count with these",
        "channels stay",
    ),
    mistake(
        "a dense layer sees every number of the maps: channels * height * width, not the channels alone",
        "channels only",
    ),
    mistake("pooling learns nothing, but makes the maps smaller, and so the dense layer behind it", "pool"),
    mistake("the padding is forgotten in the size of the maps: (size + 2 P - K) // S + 1", "padding"),
    mistake("padding is put on both sides: 2 P in the size of the maps, not P", "one side"),
    mistake("the stride is forgotten in the size of the maps: (size + 2 P - K) // S + 1", "stride"),
    mistake("batch normalisation learns something too: a scale and a shift for each channel", "norm free"),
    mistake("batch normalisation learns two numbers for each channel, the scale and the shift", "norm one"),
    mistake(
        "mean and variance of batch normalisation are measured, not learned: 2 per channel, not 4",
        "norm four",
    ),
    Mistake(
        "one number for each layer is asked for, in a list, not their sum",
        when=lambda seen: seen.kind == "type" and isinstance(seen.got, int),
    ),
    Mistake(
        "a layer that learns nothing is in the list as well, with 0",
        when=lambda seen: seen.kind == "type" and len(seen.got) < len(seen.expected),
    ),
)


def plain(filters, kernel, padding=0):
    """A convolution with biases and stride 1."""
    return {
        "kind": "conv",
        "filters": filters,
        "kernel": kernel,
        "stride": 1,
        "padding": padding,
        "bias": True,
    }


POOL = {"kind": "pool", "size": 2}
TINY = [plain(2, 3), POOL, {"kind": "linear", "units": 3}]
LENET5 = [plain(6, 5, 2), POOL, plain(16, 5), POOL, *({"kind": "linear", "units": u} for u in (120, 84, 10))]

SPEC = Exercise(
    function="count_parameters",
    checks=[
        Check(
            "parameters of each layer",
            draw=draw,
            expect=count_parameters,
            mistakes=MISTAKES,
            worked=[
                {"layers": TINY, "channels": 1, "height": 6, "width": 6},
                {"layers": LENET5, "channels": 1, "height": 28, "width": 28},
            ],
            examples=80,
        )
    ],
)
