"""What the judge knows about exercise 07."""

import numpy as np

from tinyconv.course.exercises import Check, Exercise, Mistake
from tinyconv.kernels.reference.conv import conv


def conv2d(x, weight, bias, stride, padding):
    """The reference, from the engine."""
    return conv(x, weight, bias, (stride,) * 2, (padding,) * 2, (1, 1), 1)


def draw(d):
    """Kernel, stride and padding first; the image has room for the kernel, and need not be square."""
    kernel = (d.integer(1, 3), d.integer(1, 3))
    stride, padding = d.integer(1, 3), d.integer(0, 2)
    size = [max(1, k - 2 * padding) + d.integer(0, 4) for k in kernel]
    n, channels, filters = d.batch(2), d.integer(1, 3), d.integer(1, 3)
    return {
        "x": d.array(n, channels, *size),
        "weight": d.array(filters, channels, *kernel),
        "bias": d.array(filters),
        "stride": stride,
        "padding": padding,
    }


IMAGE = np.array([[3.0, 0, 1, 2], [1, 5, 8, 9], [2, 7, 2, 5], [0, 1, 3, 1]])[None, None]
KERNEL = np.array([[1.0, 0, -1], [1, 0, -1], [1, 0, -1]])[None, None]


def one_channel(x, weight, bias, stride, padding):
    """The first input channel only."""
    return conv2d(x[:, :1], weight[:, :1], bias, stride, padding)


def last_channel(x, weight, bias, stride, padding):
    """Assigned in a loop over the input channels."""
    return conv2d(x[:, -1:], weight[:, -1:], bias, stride, padding)


def bias_per_channel(x, weight, bias, stride, padding):
    """The bias inside the loop over input channels."""
    return conv2d(x, weight, bias * x.shape[1], stride, padding)


def edge(x, weight, bias, stride, padding):
    """Padding with the border's values."""
    p = padding
    return conv2d(np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)), mode="edge"), weight, bias, stride, 0)


def unmoved(down, right):
    """As many places as there should be, but the window moves by 1 down, to the right, or both."""

    def wrong(x, weight, bias, stride, padding):
        rows, columns = conv2d(x, weight, bias, stride, padding).shape[2:]
        moves = (1 if down else stride, 1 if right else stride)
        y = conv(x, weight, bias, moves, (padding,) * 2, (1, 1), 1)
        return y[:, :, :rows, :columns]

    return wrong


def padded(above, left):
    """Twice the padding in all, but so many times of it above and on the left."""

    def wrong(x, weight, bias, stride, padding):
        sides = [(padding * before, padding * (2 - before)) for before in (above, left)]
        return conv2d(np.pad(x, ((0, 0), (0, 0), *sides)), weight, bias, stride, 0)

    return wrong


def first_image(x, weight, bias, stride, padding):
    """The first image's result for all images."""
    y = conv2d(x, weight, bias, stride, padding)
    return np.broadcast_to(y[:1], y.shape)


def other_places(seen):
    """Whether images and channels are as many as they should be, but not the places."""
    return seen.kind == "shape" and seen.got.shape[:-2] == seen.expected.shape[:-2]


def fewer_places(seen, most=99):
    """Whether the result is too small along an axis, by so many places at most, and too large along none."""
    missing = np.subtract(seen.expected.shape[2:], seen.got.shape[2:])
    return missing.min() >= 0 and 0 < missing.max() <= most


MISTAKES = (
    Mistake(
        "the kernel is flipped: that is the mathematicians' convolution, deep learning does not flip",
        lambda x, weight, bias, stride, padding: conv2d(x, weight[:, :, ::-1, ::-1], bias, stride, padding),
    ),
    Mistake(
        "the bias is missing: each output channel has one, added to all of its numbers",
        lambda x, weight, bias, stride, padding: conv2d(x, weight, bias * 0, stride, padding),
    ),
    Mistake("the bias is added once for each input channel: once is enough, after the sum", bias_per_channel),
    Mistake("only the first input channel counts: the sum goes over all of them", one_channel),
    Mistake("only the last input channel counts: add up over the channels (+=), do not assign", last_channel),
    Mistake("every image of the batch gets the result of the first one", first_image),
    *(
        Mistake("the stride is ignored where the window is taken: it begins at i * stride, not at i", wrong)
        for wrong in (unmoved(True, True), unmoved(True, False), unmoved(False, True))
    ),
    Mistake(
        "right without padding, but zeros belong around the image: not the border's values",
        edge,
    ),
    Mistake(
        "the size of the output is wrong with a stride: (H + 2 padding - kernel height) // stride + 1",
        when=lambda seen: other_places(seen) and seen.case["stride"] > 1,
    ),
    Mistake(
        "there are too few places when there is padding: the image is 2 * padding higher and wider then",
        when=lambda seen: other_places(seen) and seen.case["padding"] > 0 and fewer_places(seen),
    ),
    *(
        Mistake(
            "the padding is on one side only: zeros belong on all four sides, padding of them on each",
            padded(above, left),
        )
        for above, left in np.ndindex(3, 3)
        if (above, left) != (1, 1)
    ),
    Mistake(
        "height and width are mixed up: it is right for square kernels only",
        when=lambda seen: seen.kind == "values" and len(set(seen.case["weight"].shape[2:])) == 2,
    ),
    Mistake(
        "the last place is missing: the number of places is (size - kernel) // stride + 1, with the 1",
        when=lambda seen: other_places(seen) and fewer_places(seen, most=1),
    ),
)

SPEC = Exercise(
    function="conv2d",
    checks=[
        Check(
            "the convolution",
            draw=draw,
            expect=conv2d,
            mistakes=MISTAKES,
            worked=[{"x": IMAGE, "weight": KERNEL, "bias": np.zeros(1), "stride": 1, "padding": 0}],
        )
    ],
)
