"""What the judge knows about exercise 02."""

import numpy as np

from tinyconv.course.exercises import Check, Exercise, Mistake, numeric_gradients


def unbroadcast(grad, shape):
    """By differences: the gradient of sum(grad * x), where x is stretched."""

    def stretch(x):
        return np.broadcast_to(x, grad.shape)

    return numeric_gradients(stretch, {"x": np.zeros(shape)}, ["x"], grad)[0]


def draw(d):
    """A shape of up to three axes; some of them are 1, some are missing in front."""
    full = (d.batch(3), *(d.integer(1, 3) for _ in range(d.integer(0, 2))))
    grad = d.array(*full)
    shape = tuple(1 if d.boolean() else size for size in full)
    return {"grad": grad, "shape": shape[d.integer(0, len(shape)) :]}


def leading(grad, shape):
    """Sums over the new axes only."""
    return grad.sum(axis=tuple(range(grad.ndim - len(shape))))


def stretched(grad, shape):
    """The axes of size 1 that were stretched."""
    return tuple(axis for axis, size in enumerate(shape) if size == 1)


def mean(grad, shape):
    """A mean in the place of each sum."""
    return leading(grad, shape).sum(axis=stretched(grad, shape), keepdims=True) / (grad.size / np.prod(shape))


def first(grad, shape):
    """One of the uses in the place of their sum."""
    grad = grad[(0,) * (grad.ndim - len(shape))]
    return grad[tuple(slice(0, 1) if size == 1 else slice(None) for size in shape)]


def gone(grad, shape):
    """Without keepdims."""
    return leading(grad, shape).sum(axis=stretched(grad, shape))


MISTAKES = (
    Mistake(
        "nothing is summed: a stretched element collects the gradients of all its uses",
        lambda grad, shape: grad,
    ),
    Mistake(
        "the new axes in front are summed, but those of size 1 that were stretched are not",
        leading,
    ),
    Mistake(
        "right where axes of size 1 were stretched, but new axes in front are still there: sum over them too",
        lambda grad, shape: (
            grad.sum(axis=tuple(range(grad.ndim - len(shape), grad.ndim)), keepdims=True)
            if len(shape) == 0
            else grad.sum(
                axis=tuple(a + grad.ndim - len(shape) for a in stretched(grad, shape)), keepdims=True
            )
        ),
    ),
    Mistake("a mean in the place of the sum: gradients of several uses add up", mean),
    Mistake("one of the uses in the place of the sum over all of them", first),
    Mistake("axes of size 1 have vanished: sum over them with keepdims=True", gone),
    Mistake(
        "the sizes are right but not the numbers: reshaping or broadcasting does not add up, sum does",
        when=lambda seen: seen.kind == "values",
    ),
)

SPEC = Exercise(
    function="unbroadcast",
    checks=[
        Check(
            "the gradient",
            draw=draw,
            expect=unbroadcast,
            mistakes=MISTAKES,
            worked=[
                {"grad": np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]]), "shape": shape}
                for shape in ((3,), (2, 1))
            ],
        )
    ],
)
