"""What the judge knows about exercise 19."""

from functools import partial

import numpy as np

from tinyconv.course.exercises import Check, Exercise, Mistake, TensorInput, call
from tinyconv.kernels.reference.conv import conv

EPS = 1e-5
NORM = ("weight", "bias", "running_mean", "running_var")


def convolutions(channels, filters, stride):
    """The shapes of the kernels, by name."""
    found = {"conv1": (filters, channels, 3, 3), "conv2": (filters, filters, 3, 3)}
    needed = stride != 1 or filters != channels
    return found | ({"shortcut": (filters, channels, 1, 1)} if needed else {})


def shapes(channels, filters, stride):
    """The shapes of all that a state dict holds, by name."""
    kernels = convolutions(channels, filters, stride)
    norms = [{"conv1": "norm1", "conv2": "norm2"}.get(name, "shortcut_norm") for name in kernels]
    values = {f"{norm}.{part}": (filters,) for norm in norms for part in NORM}
    counters = {f"{norm}.num_batches_tracked": () for norm in norms}
    return {f"{name}.weight": shape for name, shape in kernels.items()} | values | counters


def wrong_shapes(got, sizes):
    """Names of what is missing, or is too many, or has the wrong shape."""
    right = shapes(**sizes)
    return [key for key in {**right, **got} if key not in got or right.get(key) != np.shape(got[key])]


def have_shapes(got, **sizes):
    """What is wrong with the layers, or nothing."""
    if not wrong_shapes(got, sizes):
        return ""
    key, right = wrong_shapes(got, sizes)[0], shapes(**sizes)
    if key not in got:
        return f"{key} is missing"
    if key not in right:
        return f"{key} is not asked for"
    return f"{key} has shape {np.shape(got[key])}, expected {right[key]}"


def draw_sizes(d):
    """Channels and stride; often such that x fits."""
    channels = d.integer(1, 3)
    return {"channels": channels, "filters": d.choice([channels, 1, 2, 3]), "stride": d.choice([1, 1, 2])}


def draw(d):
    """Sizes, a state, and maps so large that two strides of 2 differ from one."""
    sizes = draw_sizes(d)
    state = {}
    for name, shape in shapes(**sizes).items():
        if shape:
            state[name] = d.array(*shape, positive=name.endswith("var"))
    x = d.array(d.batch(2), sizes["channels"], d.integer(5, 6), d.integer(5, 6))
    return {"x": x, "sizes": tuple(sizes.values()), "state": state}


def use_layers(**sizes):
    """Make the block, and look at its parameters."""
    return call("ResidualBlock", *sizes.values(), keep="block"), call("block.state_dict")


def use(x, sizes, state, training=False):
    """Make the block, fill it, set the mode, and call it."""
    tensors = {name: TensorInput(value) for name, value in state.items()}
    counters = [name for name, shape in shapes(*sizes).items() if not shape]
    tensors |= {name: TensorInput(np.zeros((), np.int64)) for name in counters}
    return (
        call("ResidualBlock", *sizes, keep="block"),
        call("block.double" if x.dtype == np.float64 else "block.float"),
        call("block.load_state_dict", tensors),
        call("block.train" if training else "block.eval"),
        call("block", TensorInput(x)),
    )


def relu(x):
    """What is above zero."""
    return np.maximum(x, 0)


def normalised(x, state, name, training):
    """Batch normalisation."""
    weight, bias, mean, var = (state[f"{name}.{part}"].astype(float)[:, None, None] for part in NORM)
    if training:
        mean, var = (f(x, axis=(0, 2, 3), keepdims=True) for f in (np.mean, np.var))
    return (x - mean) / np.sqrt(var + EPS) * weight + bias


def block(x, sizes, state, training=False, wrong=""):
    """The reference; `wrong` names a mistake."""
    stride = sizes[2]

    def layer(x, name, stride, norm):
        weight = state[f"{name}.weight"].astype(float)
        y = conv(x, weight, None, (stride,) * 2, (weight.shape[2] // 2,) * 2, (1, 1), 1)
        return normalised(y, state, norm, training) if norm else y

    first = layer(x, "conv1", stride, "norm1")
    first = first if wrong == "no inner relu" else relu(first)
    second = layer(first, "conv2", 1, "norm1" if wrong == "norm twice" else "norm2")
    added = x
    if "shortcut.weight" in state:
        added = layer(x, "shortcut", stride, "" if wrong == "no norm" else "shortcut_norm")
    if wrong == "nothing added":
        added = np.zeros_like(second)
    if wrong == "first added":
        added = first
    if wrong == "no last relu":
        return second + added
    if wrong == "relu before":
        return relu(second) + added
    return relu(relu(second) + added) if wrong == "relu twice" else relu(second + added)


def mistake(sentence, wrong):
    """A mistake that the reference can make."""
    return Mistake(sentence, partial(block, wrong=wrong))


def keys(seen):
    """What is wrong in the state dict, without the normalisations."""
    return [key for key in wrong_shapes(seen.got, seen.case) if "norm" not in key]


def wrong_axes(seen):
    """The axes of the kernels along which sizes are wrong."""
    right = shapes(**seen.case)
    pairs = [(np.shape(seen.got[key]), right[key]) for key in keys(seen)]
    return {n for got, shape in pairs for n in range(len(shape)) if got[n] != shape[n]}


LAYERS = (
    Mistake(
        "the convolutions need no bias, as the normalisation takes every constant away again: bias=False",
        when=lambda seen: all(key.endswith(".bias") for key in keys(seen)) and keys(seen),
    ),
    Mistake(
        "a shortcut is there where x fits as it is: then it is added unchanged, nothing is learned",
        when=lambda seen: "shortcut.weight" in seen.got and seen.case["filters"] == seen.case["channels"],
    ),
    Mistake(
        "the shortcut is also needed where only the stride is not 1: the maps get smaller, and x does not "
        "fit",
        when=lambda seen: "shortcut.weight" not in seen.got and seen.case["stride"] != 1,
    ),
    Mistake(
        "the shortcut is also needed where only the number of channels changes",
        when=lambda seen: "shortcut.weight" not in seen.got and seen.case["filters"] != seen.case["channels"],
    ),
    Mistake(
        "conv2 gets what conv1 gives: filters channels, not those of x",
        when=lambda seen: keys(seen) == ["conv2.weight"] and wrong_axes(seen) == {1},
    ),
    Mistake(
        "a kernel has another size than is asked for: conv1 and conv2 are 3x3, the shortcut is 1x1",
        when=lambda seen: any(axis >= 2 for axis in wrong_axes(seen)),
    ),
)

FORWARD = (
    mistake("nothing is added: y = ReLU(F(x) + x), with x or what the shortcut makes of it", "nothing added"),
    mistake(
        "what is added has to be what came in, not what comes out of the first convolution", "first added"
    ),
    mistake("the ReLU between the two convolutions is missing", "no inner relu"),
    mistake("the last ReLU is missing, the one behind the sum", "no last relu"),
    mistake(
        "the last ReLU comes behind the sum, not before: F(x) has to be able to take something away",
        "relu before",
    ),
    mistake(
        "no ReLU before the sum, only behind it: F(x) has to be able to take something away", "relu twice"
    ),
    mistake("norm1 is used twice: norm2 is the one behind conv2", "norm twice"),
    mistake("the shortcut's convolution is there, but not its normalisation", "no norm"),
    Mistake(
        "the two ways do not fit together: conv1 and shortcut move by stride, conv2 by 1, and the 3x3 "
        "convolutions have padding 1",
        when=lambda seen: seen.raised("ShapeError", "ArgumentError"),
    ),
)


def modes(training):
    """Options that the checks of both modes share."""
    return {
        "draw": draw,
        "expect": partial(block, training=training),
        "use": partial(use, training=training),
        "examples": 40 if not training else 20,
        "tolerance": 1e-6,
        "stages": ("float32 inputs", "a batch of 1"),
    }


SPEC = Exercise(
    function="ResidualBlock",
    imports=["tinyconv"],
    checks=[
        Check(
            "the layers", draw=draw_sizes, accept=have_shapes, use=use_layers, mistakes=LAYERS, examples=30
        ),
        Check(
            "in evaluation",
            **modes(training=False),
            mistakes=[
                *FORWARD,
                Mistake(
                    "in evaluation the normalisation uses what it has measured in training, not this "
                    "batch: call the layers, which know the mode",
                    partial(block, training=True),
                ),
            ],
        ),
        Check(
            "in training",
            **modes(training=True),
            mistakes=[
                Mistake(
                    "right in evaluation, but in training the normalisation uses this batch's mean and "
                    "variance: call the layers, which know the mode",
                    partial(block, training=False),
                )
            ],
        ),
    ],
)
