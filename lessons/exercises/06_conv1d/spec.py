"""What the judge knows about exercise 06."""

import numpy as np

from tinyconv.course.exercises import Check, Exercise, Mistake
from tinyconv.kernels.reference.conv import conv


def conv1d(x, weight, stride, padding, dilation):
    """The reference, from the engine."""
    return conv(x[:, None], weight[None, None], None, (stride,), (padding,), (dilation,), 1)[:, 0]


def draw(d):
    """Kernel, stride, padding and dilation first; the signal has room for the kernel."""
    count, stride, padding, dilation = d.integer(1, 4), d.integer(1, 3), d.integer(0, 2), d.integer(1, 3)
    length = max(1, dilation * (count - 1) + 1 - 2 * padding) + d.integer(0, 6)
    return {
        "x": d.array(d.batch(), length),
        "weight": d.array(count),
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
    }


def places_not_moved(x, weight, stride, padding, dilation):
    """As many results as there should be, but the window moves by 1."""
    count = conv1d(x, weight, stride, padding, dilation).shape[1]
    return conv1d(x, weight, 1, padding, dilation)[:, :count]


def side_by_side(x, weight, stride, padding, dilation):
    """As many results as there should be, but the kernel's numbers stand side by side."""
    count = conv1d(x, weight, stride, padding, dilation).shape[1]
    return conv1d(x, weight, stride, padding, 1)[:, :count]


def last_product(x, weight, stride, padding, dilation):
    """Assigned in a loop over the kernel."""
    last = np.arange(len(weight)) == len(weight) - 1
    return conv1d(x, weight * last, stride, padding, dilation)


def edge(x, weight, stride, padding, dilation):
    """Padding with the signal's ends."""
    padded = np.pad(x, ((0, 0), (padding, padding)), mode="edge")
    return conv1d(padded, weight, stride, 0, dilation)


def zeros_at(before, after):
    """All zeros of the padding at one end: so many times padding before and after."""

    def wrong(x, weight, stride, padding, dilation):
        padded = np.pad(x, ((0, 0), (before * padding, after * padding)))
        return conv1d(padded, weight, stride, 0, dilation)

    return wrong


def batch_padded(x, weight, stride, padding, dilation):
    """Padding of both axes."""
    return conv1d(np.pad(x, padding), weight, stride, 0, dilation)


def too_many(seen):
    """By how many places the result is too long."""
    return seen.got.shape[1] - seen.expected.shape[1]


ONE_END = "right without padding, but the zeros stand at one end only: padding of them belong at each end"

MISTAKES = (
    Mistake(
        "the kernel is flipped: that is the mathematicians' convolution, deep learning does not flip",
        lambda x, weight, stride, padding, dilation: conv1d(x, weight[::-1], stride, padding, dilation),
    ),
    Mistake(
        "only the last product is left of each sum: add up over the kernel (+=), do not assign", last_product
    ),
    Mistake(
        "as many results as there should be, but the window moves by 1: place i begins at i * stride",
        places_not_moved,
    ),
    Mistake(
        "the stride is left out: the window moves by stride, so there are fewer places",
        lambda x, weight, stride, padding, dilation: conv1d(x, weight, 1, padding, dilation),
    ),
    Mistake(
        "the kernel's numbers are taken side by side: they look at numbers that stand dilation apart",
        side_by_side,
    ),
    Mistake(
        "the batch is padded too, so there are signals of zeros: np.pad(x, ((0, 0), (padding, padding)))",
        batch_padded,
    ),
    Mistake("right without padding, but it has to be zeros: not the signal's first and last number", edge),
    Mistake(
        "the size is that for dilation 1: from its first number to its last a kernel reaches over "
        "dilation * (K - 1) + 1",
        when=lambda seen: (
            seen.case["dilation"] > 1 and (seen.raised("IndexError", "ValueError") or too_many(seen) > 0)
        ),
    ),
    Mistake(
        "there are too few places when there is padding: the signal is 2 * padding longer then",
        when=lambda seen: seen.case["padding"] > 0 and too_many(seen) < 0,
    ),
    Mistake(ONE_END, zeros_at(0, 2)),
    Mistake(ONE_END, zeros_at(2, 0)),
    Mistake(
        "the last place is missing: there is one more than the window can move, so // stride + 1",
        when=lambda seen: too_many(seen) == -1,
    ),
)

SPEC = Exercise(
    function="conv1d",
    checks=[
        Check(
            "the convolution",
            draw=draw,
            expect=conv1d,
            mistakes=MISTAKES,
            worked=[
                {
                    "x": np.array([[10.0, 50, 60, 10, 20, 30, 40]]),
                    "weight": np.array([1, 1, 1]) / 3,
                    "stride": 1,
                    "padding": 0,
                    "dilation": 1,
                },
                {
                    "x": np.array([[1.0, 2, 4, 7]]),
                    "weight": np.array([1.0, 0, -1]),
                    "stride": 1,
                    "padding": 1,
                    "dilation": 1,
                },
            ],
        )
    ],
    forbidden=["numpy.convolve", "numpy.correlate"],
)
