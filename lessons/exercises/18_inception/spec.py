"""What the judge knows about exercise 18."""

from functools import partial
from itertools import permutations

import numpy as np

from tinyconv.course.exercises import Check, Exercise, Mistake, TensorInput, call
from tinyconv.kernels.reference.conv import conv

SIZES = ("channels", "ones", "before_threes", "threes", "before_fives", "fives", "pooled")


def shapes(channels, ones, before_threes, threes, before_fives, fives, pooled):
    """The shapes of all parameters, by name."""
    weights = {
        "one": (ones, channels, 1, 1),
        "before_three": (before_threes, channels, 1, 1),
        "three": (threes, before_threes, 3, 3),
        "before_five": (before_fives, channels, 1, 1),
        "five": (fives, before_fives, 5, 5),
        "after_pool": (pooled, channels, 1, 1),
    }
    biases = {f"{name}.bias": shape[:1] for name, shape in weights.items()}
    return {f"{name}.weight": shape for name, shape in weights.items()} | biases


def wrong_shapes(got, sizes):
    """Names of parameters that are missing, or are too many, or have the wrong shape."""
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
    """Numbers of channels."""
    return {name: d.integer(1, 3) for name in SIZES}


def draw(d):
    """Sizes, weights and maps."""
    sizes = draw_sizes(d)
    weights = {name: d.array(*shape) for name, shape in shapes(**sizes).items()}
    x = d.array(d.batch(2), sizes["channels"], d.integer(2, 5), d.integer(2, 5))
    return {"x": x, "sizes": tuple(sizes.values()), "weights": weights}


def use_layers(**sizes):
    """Make the block, and look at its parameters."""
    return call("Inception", *sizes.values(), keep="block"), call("block.state_dict")


def use(x, sizes, weights):
    """Make the block, fill it, and call it."""
    dtype = [call("block.double")] if x.dtype == np.float64 else []
    fill = call("block.load_state_dict", {name: TensorInput(value) for name, value in weights.items()})
    return call("Inception", *sizes, keep="block"), *dtype, fill, call("block", TensorInput(x))


def relu(x):
    """What is above zero."""
    return np.maximum(x, 0)


def same(x):
    """Nothing is done."""
    return x


def windows(x, border):
    """The nine neighbours of each pixel, with this value around the maps."""
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=border)
    height, width = x.shape[2:]
    return np.stack([padded[:, :, i : i + height, j : j + width] for i in range(3) for j in range(3)])


def pooled(x, border=-np.inf):
    """Max pooling 3x3 that moves by 1."""
    return windows(x, border).max(0)


def mean(x):
    """A mean in the place of the maximum."""
    return windows(x, 0).mean(0)


def inception(x, sizes, weights, inner=relu, outer=relu, before=pooled, after=same):
    """The reference."""

    def layer(name, x):
        weight, bias = (weights[f"{name}.{part}"].astype(float) for part in ("weight", "bias"))
        return conv(x, weight, bias, (1, 1), (weight.shape[2] // 2,) * 2, (1, 1), 1)

    one = layer("one", x)
    three = layer("three", inner(layer("before_three", x)))
    five = layer("five", inner(layer("before_five", x)))
    pool = after(layer("after_pool", before(x)))
    return outer(np.concatenate([one, three, five, pool], axis=1))


def pooled_after(x, sizes, weights):
    """ReLU and pooling behind the 1x1."""
    return inception(x, sizes, weights, before=same, after=pooled)


def other_order(seen):
    """Whether the four ways are all right, in another order."""
    ends = np.cumsum([seen.case["sizes"][place] for place in (1, 3, 5)])
    ways = np.split(seen.expected, ends, axis=1)
    orders = [np.concatenate(order, axis=1) for order in permutations(ways)]
    return any(np.allclose(seen.got, order, 1e-3, 1e-3) for order in orders)


def layers_of(keys):
    """The names of the layers that these parameters belong to."""
    return {key.split(".")[0] for key in keys}


def only(seen, names, what):
    """Whether just these weights are wrong, and in this way."""
    wrong = wrong_shapes(seen.got, seen.case)
    return layers_of(wrong) <= set(names) and all(what(np.shape(seen.got[key])) for key in wrong)


def wrong_axes(seen):
    """The axes of the kernels and biases along which sizes are wrong; all parameters have to be there."""
    right = shapes(**seen.case)
    pairs = [(np.shape(seen.got[key]), right[key]) for key in wrong_shapes(seen.got, seen.case)]
    return {n for got, shape in pairs for n in range(len(shape)) if got[n] != shape[n]}


def swapped(seen):
    """Whether inputs and outputs of the weights have changed places."""
    right = shapes(**seen.case)
    weights = [key for key in right if key.endswith("weight")]
    return all(np.shape(seen.got[k]) == (right[k][1], right[k][0], *right[k][2:]) for k in weights)


LAYERS = (
    Mistake("nn.Conv2d takes the channels that come in first, then those that go out", when=swapped),
    Mistake(
        "the 3x3 and the 5x5 get what their bottleneck gives: as many channels as before_three and "
        "before_five put out, not those of x",
        when=lambda seen: only(seen, ["three", "five"], lambda shape: shape[1:2] == (seen.case["channels"],)),
    ),
    Mistake(
        "after_pool sees the channels of x, as pooling changes height and width at most",
        when=lambda seen: only(seen, ["after_pool"], lambda shape: len(shape) == 4),
    ),
    Mistake(
        "each of the six convolutions has a bias: leave bias=False out",
        when=lambda seen: all(key.endswith("bias") for key in wrong_shapes(seen.got, seen.case)),
    ),
    Mistake(
        "a kernel has another size than the name of the layer says: 1x1, 3x3 or 5x5",
        when=lambda seen: any(axis >= 2 for axis in wrong_axes(seen)),
    ),
    Mistake(
        "a layer puts out another number of channels than is asked for: ones, before_threes, threes, "
        "before_fives, fives, pooled, each for the layer of that name",
        when=lambda seen: wrong_axes(seen) == {0},
    ),
)

FORWARD = (
    Mistake(
        "no ReLU at all: one follows each of the six convolutions", partial(inception, inner=same, outer=same)
    ),
    Mistake(
        "the bottlenecks have no ReLU: without it a 1x1 and a 3x3 are no more than one 3x3",
        partial(inception, inner=same),
    ),
    Mistake(
        "the bottlenecks have their ReLU, but it is missing at the end of the ways",
        partial(inception, outer=same),
    ),
    Mistake("max pooling is asked for: this is the mean of each window", partial(inception, before=mean)),
    Mistake("the pooling is left out: after_pool gets x itself", partial(inception, before=same)),
    Mistake("the pooling comes before its 1x1 convolution, not behind it", pooled_after),
    Mistake(
        "zeros at the border win against negative numbers: let max_pool2d do the padding, which never wins",
        partial(inception, before=partial(pooled, border=0)),
    ),
    Mistake(
        "all four ways are right, but stacked in another order: one, three, five, pool", when=other_order
    ),
    Mistake(
        "the four ways do not fit together: height and width have to stay (padding 1 for 3x3 and 2 for "
        "5x5, the pooling with stride=1 and padding=1), and the channels are axis 1",
        when=lambda seen: seen.raised("ShapeError", "ArgumentError"),
    ),
    Mistake(
        "assigning to a part of a tensor loses the way back for gradients: tc.cat makes one of the four",
        when=lambda seen: seen.raised("GraphError"),
    ),
)

SPEC = Exercise(
    function="Inception",
    imports=["tinyconv"],
    checks=[
        Check(
            "the layers",
            draw=draw_sizes,
            accept=have_shapes,
            use=use_layers,
            mistakes=LAYERS,
            worked=[dict(zip(SIZES, (192, 64, 96, 128, 16, 32, 32), strict=True))],
            examples=20,
        ),
        Check(
            "what comes out",
            draw=draw,
            expect=inception,
            use=use,
            mistakes=FORWARD,
            examples=40,
            stages=("float32 inputs", "a batch of 1"),
        ),
    ],
)
