"""What the judge knows about exercise 08."""

import numpy as np

from tinyconv.course.exercises import Check, Exercise, Mistake
from tinyconv.kernels.reference import conv


def im2col(x, kernel_size, stride, padding):
    """The reference, from the engine."""
    return conv.im2col(x, kernel_size, (stride,) * 2, (padding,) * 2, (1, 1))


def draw(d):
    """Kernel, stride and padding first; the image has room for the kernel, and need not be square."""
    kernel = (d.integer(1, 3), d.integer(1, 3))
    stride, padding = d.integer(1, 3), d.integer(0, 2)
    size = [max(1, k - 2 * padding) + d.integer(0, 4) for k in kernel]
    x = d.array(d.batch(), d.integer(1, 3), *size)
    return {"x": x, "kernel_size": kernel, "stride": stride, "padding": padding}


def split(x, kernel_size, stride, padding):
    """The result with an axis of its own for each of N, C, kernel height and width, rows and columns."""
    (height, width), p = kernel_size, padding
    rows, columns = ((n + 2 * p - k) // stride + 1 for n, k in zip(x.shape[2:], kernel_size, strict=True))
    return im2col(x, kernel_size, stride, p).reshape(*x.shape[:2], height, width, rows, columns)


def reordered(*axes):
    """The result with these axes in the place of (0, 1, 2, 3, 4, 5)."""

    def wrong(x, kernel_size, stride, padding):
        y = im2col(x, kernel_size, stride, padding)
        return split(x, kernel_size, stride, padding).transpose(axes).reshape(y.shape)

    return wrong


def lying(x, kernel_size, stride, padding):
    """Windows as rows."""
    return im2col(x, kernel_size, stride, padding).swapaxes(1, 2)


def side_by_side(x, kernel_size, stride, padding):
    """One matrix for the whole batch."""
    y = im2col(x, kernel_size, stride, padding)
    return y.swapaxes(0, 1).reshape(y.shape[1], -1)


def not_moved(x, kernel_size, stride, padding):
    """As many windows as there should be, but place (i, j) begins at (i, j)."""
    right, all_places = (split(x, kernel_size, step, padding) for step in (stride, 1))
    rows, columns = right.shape[4:]
    return all_places[..., :rows, :columns].reshape(len(x), -1, rows * columns)


def edge(x, kernel_size, stride, padding):
    """Padding with the border's values."""
    p = padding
    return im2col(np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)), mode="edge"), kernel_size, stride, 0)


def one_side(x, kernel_size, stride, padding):
    """All zeros at the bottom and on the right."""
    padded = np.pad(x, ((0, 0), (0, 0), (0, 2 * padding), (0, 2 * padding)))
    return im2col(padded, kernel_size, stride, 0)


def first_image(x, kernel_size, stride, padding):
    """The first image's windows for all images."""
    y = im2col(x, kernel_size, stride, padding)
    return np.broadcast_to(y[:1], y.shape)


def places_of(seen, turned=False, padded=True, missing=0):
    """How many windows there are with the kernel turned, without padding, or without the last ones."""
    if seen.kind not in ("shape", "values"):
        return -1
    kernel = seen.case["kernel_size"][:: -1 if turned else 1]
    stride, p = seen.case["stride"], seen.case["padding"] if padded else 0
    rows, columns = (
        max(0, (n + 2 * p - k) // stride + 1 - missing)
        for n, k in zip(seen.case["x"].shape[2:], kernel, strict=True)
    )
    return rows * columns


MISTAKES = (
    Mistake("each window lies in a row: it has to be a column, so swap the last two axes", lying),
    Mistake("the images stand side by side in one matrix: each image has a matrix of its own", side_by_side),
    Mistake(
        "the channels of a pixel stand together: first comes all of channel 0, then all of channel 1",
        reordered(0, 2, 3, 1, 4, 5),
    ),
    Mistake("each window is written column by column: write it row by row", reordered(0, 1, 3, 2, 4, 5)),
    Mistake(
        "the places are counted column by column: place (i, j) is column i * W_out + j",
        reordered(0, 1, 2, 3, 5, 4),
    ),
    Mistake("the window moves by 1: place (i, j) begins at i * stride and j * stride", not_moved),
    Mistake("every image of the batch gets the windows of the first one", first_image),
    Mistake("right without padding, but zeros belong around the image: not the border's values", edge),
    Mistake(
        "reshape cannot guess a size given as -1 when there are no images: write the size down",
        when=lambda seen: seen.raised("ValueError") and len(seen.case["x"]) == 0,
    ),
    Mistake(
        "right without padding, but the zeros stand at the bottom and on the right only: put padding of "
        "them on all four sides",
        one_side,
    ),
    Mistake(
        "kernel_size is (height, width): the two are mixed up, and it is right for square windows only",
        when=lambda seen: (
            len(set(seen.case["kernel_size"])) == 2
            and (seen.raised("IndexError", "ValueError") or seen.got.shape[2] == places_of(seen, turned=True))
        ),
    ),
    Mistake(
        "the padding is missing: put zeros on all four sides before the windows are counted",
        when=lambda seen: seen.case["padding"] > 0 and seen.got.shape[2] == places_of(seen, padded=False),
    ),
    Mistake(
        "the last place is missing: the number of places is (size - kernel) // stride + 1, with the 1",
        when=lambda seen: seen.got.shape[2] == places_of(seen, missing=1),
    ),
)

SPEC = Exercise(
    function="im2col",
    checks=[
        Check(
            "the columns",
            draw=draw,
            expect=im2col,
            mistakes=MISTAKES,
            worked=[
                {
                    "x": np.array([[1.0, 2, 3], [4, 5, 6]])[None, None],
                    "kernel_size": (2, 2),
                    "stride": 1,
                    "padding": 0,
                }
            ],
        )
    ],
)
