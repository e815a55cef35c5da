"""What the judge knows about exercise 09."""

import numpy as np

from tinyconv.course.exercises import Check, Exercise, Mistake
from tinyconv.kernels.reference import conv


def col2im(columns, size, kernel_size, stride, padding):
    """The reference, from the engine."""
    return conv.col2im(columns, size, kernel_size, (stride,) * 2, (padding,) * 2, (1, 1))


def places(size, kernel_size, stride, padding):
    """How many windows there are below each other, and side by side."""
    return conv.output_size(size, kernel_size, (stride,) * 2, (padding,) * 2, (1, 1))


def draw(d):
    """Kernel, stride and padding first; some pixels at the border may be in no window."""
    kernel = (d.integer(1, 3), d.integer(1, 3))
    stride, padding = d.integer(1, 3), d.integer(0, 2)
    size = tuple(max(1, k - 2 * padding) + d.integer(0, 4) for k in kernel)
    rows, columns = places(size, kernel, stride, padding)
    length = d.integer(1, 3) * kernel[0] * kernel[1]
    return {
        "columns": d.array(d.batch(), length, rows * columns),
        "size": size,
        "kernel_size": kernel,
        "stride": stride,
        "padding": padding,
    }


def counts(columns, size, kernel_size, stride, padding):
    """In how many windows each pixel is."""
    return col2im(np.ones_like(columns), size, kernel_size, stride, padding)


def mean(columns, **case):
    """The mean over the windows in which a pixel is."""
    return col2im(columns, **case) / np.maximum(counts(columns, **case), 1)


def uncut(columns, size, kernel_size, stride, padding):
    """With the padding still there."""
    larger = tuple(n + 2 * padding for n in size)
    return col2im(columns, larger, kernel_size, stride, 0)


def corner(columns, size, kernel_size, stride, padding):
    """All of the padding cut off at the bottom and on the right."""
    return uncut(columns, size, kernel_size, stride, padding)[:, :, : size[0], : size[1]]


def reordered(*axes):
    """The columns read as if their axes N, C, kernel height and width, rows, columns stood in this order."""

    def wrong(columns, size, kernel_size, stride, padding):
        out = places(size, kernel_size, stride, padding)
        area = kernel_size[0] * kernel_size[1]
        sizes = (len(columns), columns.shape[1] // area, *kernel_size, *out)
        read = columns.reshape([sizes[axis] for axis in axes]).transpose(np.argsort(axes))
        return col2im(read.reshape(columns.shape), size, kernel_size, stride, padding)

    return wrong


def not_moved(columns, size, kernel_size, stride, padding):
    """Place (i, j) begins at (i, j)."""
    rows, places_per_row = places(size, kernel_size, stride, padding)
    (height, width), channels = kernel_size, columns.shape[1] // (kernel_size[0] * kernel_size[1])
    padded = np.zeros((len(columns), channels, *(n + 2 * padding for n in size)))
    for number in range(rows * places_per_row):
        i, j = divmod(number, places_per_row)
        window = columns[:, :, number].reshape(-1, channels, height, width)
        padded[:, :, i : i + height, j : j + width] += window
    return padded[:, :, padding : padding + size[0], padding : padding + size[1]]


def where_windows_overlap(seen):
    """Whether all wrong pixels are in more than one window."""
    case = {key: value for key, value in seen.case.items() if key != "columns"}
    return bool((counts(seen.case["columns"], **case)[seen.difference.wrong] > 1).all())


MISTAKES = (
    Mistake("a mean in the place of the sum: gradients of several copies add up", mean),
    Mistake(
        "the padding is still there: the result has the size of the image, so cut it off on all four sides",
        uncut,
    ),
    Mistake(
        "right without padding, but all of it is cut off at the bottom and on the right: the image begins at "
        "row padding and column padding",
        corner,
    ),
    Mistake(
        "the columns are read as if the channels of a pixel stood together: first comes all of channel 0",
        reordered(0, 2, 3, 1, 4, 5),
    ),
    Mistake(
        "the places are counted column by column: column number i * W_out + j is place (i, j)",
        reordered(0, 1, 2, 3, 5, 4),
    ),
    Mistake(
        "the window is filled column by column: a column of the matrix holds its window row by row",
        reordered(0, 1, 3, 2, 4, 5),
    ),
    Mistake("the window moves by 1: place (i, j) begins at i * stride and j * stride", not_moved),
    Mistake(
        "right except where windows overlap: accumulate (+=), do not assign; and an index array that names a "
        "pixel twice adds only once, np.add.at adds each time",
        when=where_windows_overlap,
    ),
    Mistake(
        "right with padding, but [padding:-padding] is empty for padding 0: take padding to padding + H",
        when=lambda seen: seen.kind == "shape" and seen.case["padding"] == 0 and not seen.got.size,
    ),
    Mistake(
        "size is (height, width): the two are mixed up, and it is right for square images only",
        when=lambda seen: (
            len(set(seen.case["size"])) == 2
            and (seen.raised("IndexError", "ValueError") or seen.got.shape[2:] == seen.case["size"][::-1])
        ),
    ),
)

SPEC = Exercise(
    function="col2im",
    checks=[
        Check(
            "the image",
            draw=draw,
            expect=col2im,
            mistakes=MISTAKES,
            worked=[
                {
                    "columns": np.array([[[1.0, 3], [2, 4]]]),
                    "size": (1, 3),
                    "kernel_size": (1, 2),
                    "stride": 1,
                    "padding": 0,
                }
            ],
        )
    ],
)
