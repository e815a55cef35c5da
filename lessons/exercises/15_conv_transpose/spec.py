"""What the judge knows about exercise 15."""

import numpy as np

from tinyconv.course.exercises import Check, Exercise, Mistake
from tinyconv.kernels.reference import conv


def sizes(x, weight, stride, padding, output_padding):
    """Height and width of the output."""
    return tuple(
        (n - 1) * stride - 2 * padding + k + output_padding
        for n, k in zip(x.shape[2:], weight.shape[2:], strict=True)
    )


def conv_transpose2d(x, weight, bias, stride, padding, output_padding):
    """The reference, from the engine."""
    size = sizes(x, weight, stride, padding, output_padding)
    return conv.conv_transpose(x, weight, bias, size, (stride,) * 2, (padding,) * 2, (1, 1), 1)


def draw(d):
    """Kernel, stride and paddings first; the image is large enough that something is left."""
    kernel = (d.choice([3, 2, 1]), d.choice([3, 2, 1]))
    stride = d.choice([1, 2, 3])
    padding, output_padding = d.integer(0, 2), d.integer(0, stride - 1)
    missing = [max(0, 1 - (k - 2 * padding)) for k in kernel]
    size = [1 + -(-n // stride) + d.integer(0, 2) for n in missing]
    channels, filters = d.choice([1, 2, 3, 2, 3]), d.integer(1, 3)
    return {
        "x": d.array(d.batch(3), channels, *size),
        "weight": d.array(channels, filters, *kernel),
        "bias": d.array(filters),
        "stride": stride,
        "padding": padding,
        "output_padding": output_padding,
    }


def changed(**changes):
    """The function with some of the arguments changed, each by a function of it."""

    def wrong(**case):
        return conv_transpose2d(**{**case, **{name: change(case[name]) for name, change in changes.items()}})

    return wrong


def assigned(x, weight, bias, stride, padding, output_padding):
    """Each kernel overwrites what others have left."""
    size = sizes(x, weight, stride, 0, output_padding)
    y = np.zeros((len(x), weight.shape[1], *size))
    for n, c, i, j in np.ndindex(x.shape):
        top, left = i * stride, j * stride
        kernel = weight[c]
        y[n, :, top : top + kernel.shape[1], left : left + kernel.shape[2]] = x[n, c, i, j] * kernel
    return y[:, :, padding : size[0] - padding, padding : size[1] - padding] + bias[:, None, None]


def zeros_at_the_end(x, weight, bias, stride, padding, output_padding):
    """Rows and columns of zeros in the place of those that are not cut off."""
    y = conv_transpose2d(x, weight, bias * 0, stride, padding, 0)
    return np.pad(y, ((0, 0), (0, 0), (0, output_padding), (0, output_padding))) + bias[:, None, None]


def at_the_beginning(x, weight, bias, stride, padding, output_padding):
    """Less is cut off at the top and on the left."""
    y = conv_transpose2d(x, weight, bias, stride, 0, 0)
    p, q = padding, output_padding
    padded = np.pad(y - bias[:, None, None], ((0, 0), (0, 0), (q, 0), (q, 0))) + bias[:, None, None]
    return padded[:, :, p : padded.shape[2] - p, p : padded.shape[3] - p]


def cut_at_the_end(x, weight, bias, stride, padding, output_padding):
    """All of the padding is cut off at the bottom and on the right."""
    rows, columns = sizes(x, weight, stride, padding, output_padding)
    return conv_transpose2d(x, weight, bias, stride, 0, output_padding)[:, :, :rows, :columns]


def close_together(grown):
    """Kernels that begin at (i, j), in an array of the right size or of that for stride 1."""

    def wrong(x, weight, bias, stride, padding, output_padding):
        rows, columns = sizes(x, weight, stride if grown else 1, 0, output_padding)
        y = conv_transpose2d(x, weight, bias * 0, 1, 0, 0)
        room = ((0, 0), (0, 0), (0, rows - y.shape[2]), (0, columns - y.shape[3]))
        y = np.pad(y, room) + bias[:, None, None]
        return y[:, :, padding : rows - padding, padding : columns - padding]

    return wrong


def like_a_convolution(x, weight, bias, **options):
    """The kernel's first axis taken for the output channels."""
    count = len(weight)
    return conv_transpose2d(x, weight[:, :count].swapaxes(0, 1), bias[:count], **options)


def bias_per_channel(x, weight, bias, **options):
    """The bias inside the loop over input channels."""
    return conv_transpose2d(x, weight, bias * x.shape[1], **options)


CHANNELS = (
    "weight has the shape (C_in, C_out, …): the channels stand the other way round than for a convolution"
)

MISTAKES = (
    Mistake(
        "the bias is missing: each output channel has one, added to all of its numbers",
        changed(bias=lambda bias: bias * 0),
    ),
    Mistake("the bias is added once for each input channel: once is enough, at the end", bias_per_channel),
    Mistake(
        "right except where kernels overlap, or where there are several input channels: accumulate (+=), do"
        " not assign",
        assigned,
    ),
    Mistake(
        "the kernel is flipped: each number of x puts it into the output as it is",
        changed(weight=lambda weight: weight[:, :, ::-1, ::-1]),
    ),
    Mistake(
        "output_padding is left out: at the bottom and on the right there are so many more rows and columns",
        changed(output_padding=lambda _: 0),
    ),
    Mistake(
        "the rows and columns of output_padding are filled with zeros: with padding they are not, less is "
        "cut off there",
        zeros_at_the_end,
    ),
    Mistake(
        "output_padding makes the image larger at the top and on the left: it belongs to the bottom and the"
        " right",
        at_the_beginning,
    ),
    Mistake(
        "the padding is not cut off: in a transposed convolution it makes the output smaller, on all four "
        "sides",
        changed(padding=lambda _: 0),
    ),
    Mistake(
        "all of the padding is cut off at the bottom and on the right: padding rows and columns go on each "
        "side",
        cut_at_the_end,
    ),
    Mistake(
        "[padding:-padding] is empty for padding 0: take a slice up to the size minus padding",
        when=lambda seen: seen.kind == "shape" and seen.case["padding"] == 0 and not seen.got.size,
    ),
    Mistake(
        "the kernels begin next to each other: the stride is their distance in the output, so place (i, j) "
        "begins at i * stride and j * stride",
        close_together(grown=True),
    ),
    Mistake(
        "the stride is left out: it is the distance of the kernels in the output, and makes that larger",
        close_together(grown=False),
    ),
    Mistake(CHANNELS, like_a_convolution),
    Mistake(
        CHANNELS,
        when=lambda seen: (
            len(set(seen.case["weight"].shape[:2])) == 2 and seen.raised("IndexError", "ValueError")
        ),
    ),
)

EXAMPLE = {
    "x": np.array([1.0, 2])[None, None, None],
    "weight": np.array([1.0, 10, 100])[None, None, None],
    "bias": np.array([0.5]),
    "stride": 2,
    "padding": 0,
    "output_padding": 0,
}

SPEC = Exercise(
    function="conv_transpose2d",
    checks=[
        Check(
            "the transposed convolution",
            draw=draw,
            expect=conv_transpose2d,
            mistakes=MISTAKES,
            worked=[EXAMPLE],
        )
    ],
)
