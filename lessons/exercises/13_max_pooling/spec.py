"""What the judge knows about exercise 13."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tinyconv.course.exercises import Check, Exercise, Mistake, call, gradients_of
from tinyconv.kernels.reference import pooling


def pooled(x, kernel_size, stride, padding):
    """The largest numbers and where they stand, from the engine."""
    return pooling.max_pool(x, (kernel_size,) * 2, (stride,) * 2, (padding,) * 2, (1, 1), False)


def max_pool(x, kernel_size, stride, padding):
    """The reference."""
    return pooled(x, kernel_size, stride, padding)[0]


def first_maximum(grad, x, kernel_size, stride, padding):
    """The gradient; of equal maxima the first counts."""
    indices = pooled(x, kernel_size, stride, padding)[1]
    return pooling.pool_scatter(grad, indices, x.shape[2:])


def draw(d):
    """Windows that overlap and that do not; numbers of both signs, none of them twice."""
    kernel_size, stride = d.choice([2, 3, 1]), d.choice([1, 2, 3])
    padding = d.integer(0, kernel_size // 2)
    size = [max(1, kernel_size - 2 * padding) + d.integer(0, 3) for _ in range(2)]
    x = d.array(d.batch(2), d.integer(1, 2), *size)
    return {"x": x, "kernel_size": kernel_size, "stride": stride, "padding": padding}


def draw_backward(d):
    """And a gradient from above."""
    case = draw(d)
    return {"grad": d.array(*max_pool(**case).shape), **case}


def draw_equal(d):
    """Few different numbers."""
    case = draw_backward(d)
    x = d.rng().integers(0, 3, case["x"].shape).astype(d.stage.dtype)
    return {**case, "x": d.lay(x)}


def use_backward(**case):
    """The other function of the file."""
    return (call("max_pool_backward", *case.values()),)


def windows(x, kernel_size, stride, padding, border):
    """The windows (N, C, rows, columns, kernel_size, kernel_size) with that number around the image."""
    p = padding
    padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)), constant_values=border)
    return sliding_window_view(padded, (kernel_size,) * 2, axis=(2, 3))[:, :, ::stride, ::stride]


def not_moved(x, kernel_size, stride, padding):
    """As many windows as there should be, but they move by 1."""
    rows, columns = max_pool(x, kernel_size, stride, padding).shape[2:]
    return max_pool(x, kernel_size, 1, padding)[:, :, :rows, :columns]


def spread(share, from_corner=True, cut_around=True):
    """Backward that gives `share(window)` times its gradient to each window, or to the image's corner.

    The border is cut off all around, or at the bottom and on the right.
    """

    def wrong(grad, x, kernel_size, stride, padding):
        seen = windows(x, kernel_size, stride, padding, -np.inf)
        result = np.zeros((*x.shape[:2], *(size + 2 * padding for size in x.shape[2:])))
        for n, c, i, j in np.ndindex(grad.shape):
            top, left = (i * stride, j * stride) if from_corner else (0, 0)
            window = result[n, c, top : top + kernel_size, left : left + kernel_size]
            window += grad[n, c, i, j] * share(seen[n, c, i, j])
        p = padding if cut_around else 0
        return result[:, :, p : p + x.shape[2], p : p + x.shape[3]]

    return wrong


def first_of(window):
    """1 at the first maximum."""
    return (np.arange(window.size) == window.argmax()).reshape(window.shape)


def last_of(window):
    """1 at the last maximum."""
    return first_of(window[::-1, ::-1])[::-1, ::-1]


def assigned(grad, x, kernel_size, stride, padding):
    """The last window overwrites what others have given."""
    indices = pooled(x, kernel_size, stride, padding)[1]
    return pooling.unpool(grad, indices, x.shape[2:])


FORWARD = (
    Mistake(
        "this is the mean of each window: max pooling takes the largest number",
        lambda **case: windows(**case, border=0.0).mean((-2, -1)),
    ),
    Mistake(
        "right without padding, but zeros in the border win over negative numbers: put minus infinity there",
        lambda **case: windows(**case, border=0.0).max((-2, -1)),
    ),
    Mistake(
        "where all numbers of a window are negative the result is 0: begin with minus infinity, or with the "
        "window's first number",
        lambda **case: np.maximum(max_pool(**case), 0),
    ),
    Mistake(
        "the windows stand side by side: they move by stride, not by kernel_size, and may overlap",
        lambda x, kernel_size, stride, padding: max_pool(x, kernel_size, kernel_size, padding),
    ),
    Mistake("the windows move by 1: place (i, j) begins at i * stride and j * stride", not_moved),
    Mistake(
        "the last place is missing: the number of places is (size - kernel_size) // stride + 1, with the 1",
        when=lambda seen: seen.got.shape[2:] == tuple(n - 1 for n in seen.expected.shape[2:]),
    ),
)

BACKWARD = (
    Mistake(
        "the gradient is right except where one number is the largest of several windows: accumulate (+=), "
        "do not assign",
        assigned,
    ),
    Mistake(
        "the gradient from above is missing: the largest number gets that of its window, not 1",
        lambda grad, **case: first_maximum(np.ones_like(grad), **case),
    ),
    Mistake(
        "every number of a window gets its gradient: only the largest had an influence",
        spread(np.ones_like),
    ),
    Mistake(
        "argmax counts from the window's corner: add the row and the column where the window begins",
        spread(first_of, from_corner=False),
    ),
    Mistake(
        "the border is still there: the gradient has the shape of x, so cut the padding off",
        when=lambda seen: seen.kind == "shape" and seen.case["padding"] > 0,
    ),
    Mistake(
        "[padding:-padding] is empty for padding 0: take rows padding to padding + H",
        when=lambda seen: seen.kind == "shape" and seen.case["padding"] == 0 and not seen.got.size,
    ),
    Mistake(
        "right without padding, but with it everything is shifted: the padded image has its first pixel at "
        "row padding and column padding",
        spread(first_of, cut_around=False),
    ),
)

EQUAL = (
    Mistake(
        "right, but of several equal maxima each gets the gradient: that would be too much of it, the first"
        " one gets it all",
        spread(lambda window: window == window.max()),
    ),
    Mistake(
        "right, but of several equal maxima the last one gets the gradient: the first counts, so compare "
        "with > and not with >=",
        spread(last_of),
    ),
)

IMAGE = np.array([[135.0, 212, 189, 56], [164, 201, 204, 145], [30, 126, 189, 156], [36, 45, 38, 12]])
SLIDE = {"x": IMAGE[None, None], "kernel_size": 2, "stride": 2, "padding": 0}

SPEC = Exercise(
    function="max_pool",
    checks=[
        Check("forward", draw=draw, expect=max_pool, mistakes=FORWARD, worked=[SLIDE], examples=40),
        Check(
            "the gradient",
            draw=draw_backward,
            expect=gradients_of(max_pool, "x"),
            use=use_backward,
            mistakes=BACKWARD,
            tolerance=1e-6,
            examples=25,
        ),
        Check(
            "the gradient where several numbers are the largest",
            draw=draw_equal,
            expect=first_maximum,
            use=use_backward,
            mistakes=EQUAL,
            examples=20,
            stages=(),
        ),
    ],
)
