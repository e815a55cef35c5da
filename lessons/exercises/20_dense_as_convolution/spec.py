"""What the judge knows about exercise 20."""

import numpy as np

from tinyconv.course.exercises import Check, Exercise, Mistake
from tinyconv.kernels.reference.conv import conv


def convolved(maps, kernels, bias):
    """A convolution with stride 1, without padding."""
    return conv(maps, kernels, bias, (1, 1), (0, 0), (1, 1), 1)


def relu(x):
    """What is above zero."""
    return np.maximum(x, 0)


def same(x):
    """Nothing is done."""
    return x


def kernels_of(weight, channels, height, width):
    """The rows of a matrix as kernels."""
    return weight.reshape(len(weight), channels, height, width)


def score_map(
    maps, weight1, bias1, weight2, bias2, height, width, between=relu, after=same, kernels=kernels_of
):
    """The reference."""
    hidden = between(convolved(maps, kernels(weight1, maps.shape[1], height, width), bias1))
    return after(convolved(hidden, weight2[:, :, None, None], bias2))


def without_biases(maps, weight1, bias1, weight2, bias2, height, width):
    """Both biases are missing."""
    return score_map(maps, weight1, 0 * bias1, weight2, 0 * bias2, height, width)


def without_first(maps, weight1, bias1, weight2, bias2, height, width):
    """The first bias is missing."""
    return score_map(maps, weight1, 0 * bias1, weight2, bias2, height, width)


def without_second(maps, weight1, bias1, weight2, bias2, height, width):
    """The second bias is missing."""
    return score_map(maps, weight1, bias1, weight2, 0 * bias2, height, width)


def channels_last(weight, channels, height, width):
    """As if channels were the innermost axis."""
    return weight.reshape(len(weight), height, width, channels).transpose(0, 3, 1, 2)


def columns_first(weight, channels, height, width):
    """As if maps were flattened column by column."""
    return weight.reshape(len(weight), channels, width, height).swapaxes(2, 3)


def flipped(weight, channels, height, width):
    """Turned by 180 degrees."""
    return kernels_of(weight, channels, height, width)[:, :, ::-1, ::-1]


def corner(y):
    """The first place everywhere."""
    return np.broadcast_to(y[:, :, :1, :1], y.shape)


def draw(d):
    """The window first; maps are larger than it by up to three."""
    channels, height, width = d.integer(1, 3), d.integer(1, 3), d.integer(1, 3)
    units, classes = d.integer(1, 3), d.integer(1, 3)
    maps = d.array(d.batch(2), channels, height + d.integer(0, 3), width + d.integer(0, 3))
    layers = {
        "weight1": d.array(units, channels * height * width),
        "bias1": d.array(units, scale=8.0),
        "weight2": d.array(classes, units),
        "bias2": d.array(classes, scale=8.0),
    }
    return {"maps": maps, **layers, "height": height, "width": width}


def too_large(seen):
    """By how much the result is too large along each axis."""
    return tuple(np.subtract(seen.got.shape, seen.expected.shape))


def mistake(sentence, **wrong):
    """A mistake that the reference can make."""
    return Mistake(sentence, lambda **case: score_map(**case, **wrong))


MISTAKES = (
    mistake("the ReLU between the two layers is missing", between=same),
    mistake("there is no ReLU behind the last layer: scores may be negative", after=relu),
    Mistake("both biases are missing: one for each hidden unit, one for each class", without_biases),
    Mistake("the bias of the first layer is missing, and it has to be there before the ReLU", without_first),
    Mistake("the bias of the second layer is missing", without_second),
    mistake(
        "the weights are taken as (height, width, C): flattening goes channel by channel, so reshape each "
        "row to (C, height, width)",
        kernels=channels_last,
    ),
    mistake(
        "height and width of the kernels are mixed up: flattening goes row by row, so reshape each row to "
        "(C, height, width)",
        kernels=columns_first,
    ),
    mistake(
        "the kernels are flipped: a dense layer has its first weight for the first number", kernels=flipped
    ),
    mistake("each place gets the scores of the first window: the window has to move", after=corner),
    Mistake(
        "one score for a whole image is what the dense network says; here each place has its own",
        when=lambda seen: seen.kind == "shape" and seen.got.ndim == 2,
    ),
    Mistake(
        "a place is missing at the end of an axis: H - height + 1 of them, with the 1",
        when=lambda seen: set(too_large(seen)[2:]) in ({-1}, {-1, 0}) and not any(too_large(seen)[:2]),
    ),
    Mistake(
        "the map is as large as maps: without padding the window has H - height + 1 places, and W - width + "
        "1 across",
        when=lambda seen: seen.kind == "shape" and np.shape(seen.got)[2:] == seen.case["maps"].shape[2:],
    ),
    Mistake(
        "the sums go along the wrong axis: a weight of the second layer belongs to a hidden unit, not to "
        "a class",
        when=lambda seen: seen.raised("ValueError") and len(set(seen.case["weight2"].shape)) == 2,
    ),
)

SPEC = Exercise(
    function="score_map",
    checks=[
        Check(
            "the map of scores",
            draw=draw,
            expect=score_map,
            mistakes=MISTAKES,
            worked=[
                {
                    "maps": np.array([[[[3.0, 4.0, -5.0]]]]),
                    "weight1": np.array([[1.0, 2.0]]),
                    "bias1": np.zeros(1),
                    "weight2": np.array([[10.0]]),
                    "bias2": np.zeros(1),
                    "height": 1,
                    "width": 2,
                }
            ],
        )
    ],
)
