"""What the judge knows about exercise 14."""

import numpy as np

from tinyconv.course.exercises import Check, Exercise, Mistake, call, gradients_of
from tinyconv.kernels.reference import pooling


def max_unpool(x, indices, size):
    """The reference, from the engine."""
    return pooling.unpool(x, indices, size)


def draw(d):
    """Places as a pooling without overlap has found them; some rows and columns may be in no window."""
    kernel = (d.choice([2, 3, 1]), d.choice([2, 3, 1]))
    small = (d.integer(1, 3), d.integer(1, 3))
    size = tuple(k * n + d.integer(0, k - 1) for k, n in zip(kernel, small, strict=True))
    count, channels = d.batch(), d.integer(1, 3)
    image = d.rng().permutation(count * channels * size[0] * size[1]).reshape(count, channels, *size)
    _, indices = pooling.max_pool(image.astype(float), kernel, kernel, (0, 0), (1, 1), False)
    x = d.array(count, channels, *small)
    return {"x": x, "indices": d.lay(indices.astype(np.int64)), "size": size}


def draw_backward(d):
    """And a gradient from above."""
    case = draw(d)
    return {"grad": d.array(*case["x"].shape[:2], *case["size"]), **case}


def use_backward(grad, x, indices, size):
    """The other function of the file."""
    return (call("max_unpool_backward", grad, indices),)


def factors(x, size):
    """How often the small image fits into the large one, along each axis."""
    return size[0] // x.shape[2], size[1] // x.shape[3]


def in_the_corner(x, indices, size):
    """Each number in the upper left corner of its window."""
    y = np.zeros((*x.shape[:2], *size))
    down, right = factors(x, size)
    y[:, :, ::down, ::right][:, :, : x.shape[2], : x.shape[3]] = x
    return y


def repeated(x, indices, size):
    """Each number in its whole window."""
    down, right = factors(x, size)
    return x.repeat(down, axis=2).repeat(right, axis=3)


def one_plane(x, indices, size):
    """All places counted from the beginning of the batch."""
    y = np.zeros((*x.shape[:2], *size))
    y.reshape(-1)[indices.reshape(-1)] = x.reshape(-1)
    return y


def one_plane_per_image(x, indices, size):
    """The places counted from the beginning of the image, all channels of it."""
    y = np.zeros((*x.shape[:2], *size))
    for image, places, values in zip(y, indices, x, strict=True):
        image.reshape(-1)[places.reshape(-1)] = values.reshape(-1)
    return y


def by_the_height(x, indices, size):
    """Row and column by the number of rows."""
    y = np.zeros((*x.shape[:2], *size))
    n, c = np.indices(x.shape, sparse=True)[:2]
    y[n, c, indices // size[0], indices % size[0]] = x
    return y


def from_one_plane(grad, x, indices, size):
    """All places counted from the beginning of the batch, backward."""
    return grad.reshape(-1)[indices]


def sum_of_window(grad, x, indices, size):
    """The gradient of the whole window."""
    down, right = factors(x, size)
    h, w = x.shape[2:]
    return grad[:, :, : h * down, : w * right].reshape(*x.shape[:2], h, down, w, right).sum((3, 5))


def in_the_corner_backward(grad, x, indices, size):
    """The gradient at the upper left corner of each window."""
    down, right = factors(x, size)
    return grad[:, :, ::down, ::right][:, :, : x.shape[2], : x.shape[3]]


FORWARD = (
    Mistake(
        "each number stands in the upper left corner of its window: indices says where its place is",
        in_the_corner,
    ),
    Mistake(
        "each number fills its whole window: in unpooling it stands at one place, and the others are zero",
        repeated,
    ),
    Mistake(
        "everything lands in the first channel of the first image: the count begins at 0 again in each "
        "image and each channel",
        one_plane,
    ),
    Mistake(
        "everything lands in the first channel of each image: the count begins at 0 again in each channel",
        one_plane_per_image,
    ),
    Mistake(
        "rows and columns are mixed up: with W columns it is row index // W, column index % W", by_the_height
    ),
    Mistake(
        "the result has rows and columns swapped: size is (H, W)",
        when=lambda seen: seen.kind == "shape" and seen.got.shape[2:] == seen.expected.shape[:1:-1],
    ),
    Mistake(
        "a size is worked out from that of x: the large image may have rows that were in no window, so take"
        " size",
        when=lambda seen: seen.kind == "shape" and seen.got.shape[:2] == seen.expected.shape[:2],
    ),
)

BACKWARD = (
    Mistake(
        "the gradient of the whole window is added up: only the place that indices names had influence",
        sum_of_window,
    ),
    Mistake(
        "this is the gradient in the upper left corner of each window: indices says which place it is",
        in_the_corner_backward,
    ),
    Mistake(
        "all gradients come from the first channel of the first image: the count begins at 0 again in each "
        "image and each channel",
        from_one_plane,
    ),
    Mistake(
        "the gradient is as large as y: x is small, and gets what stands at its places",
        when=lambda seen: seen.kind == "shape" and seen.got.shape == seen.case["grad"].shape,
    ),
)

EXAMPLE = {
    "x": np.array([[7.0, 9], [5, 8]])[None, None],
    "indices": np.array([[1, 6], [8, 11]])[None, None],
    "size": (3, 4),
}

SPEC = Exercise(
    function="max_unpool",
    checks=[
        Check("forward", draw=draw, expect=max_unpool, mistakes=FORWARD, worked=[EXAMPLE], examples=50),
        Check(
            "the gradient",
            draw=draw_backward,
            expect=gradients_of(max_unpool, "x"),
            use=use_backward,
            mistakes=BACKWARD,
            tolerance=1e-6,
            examples=25,
        ),
    ],
)
