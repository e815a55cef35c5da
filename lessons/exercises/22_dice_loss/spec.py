"""What the judge knows about exercise 22."""

from functools import partial

import numpy as np

from tinyconv.course.exercises import Check, Exercise, Mistake, numeric_gradients

PIXELS = (1, 2)
ALL = (0, 1, 2)


def fraction(p, t, smooth, axis=PIXELS, factor=2, above=1, below=1):
    """What is above the line, and below."""
    top = factor * (p * t).sum(axis=axis, keepdims=True) + above * smooth
    return top, (p + t).sum(axis=axis, keepdims=True) + below * smooth


def loss(p, t, smooth, **wrong):
    """The reference of the loss; options make mistakes of it."""
    top, bottom = fraction(p, t, smooth, **wrong)
    return (1 - top / bottom).mean()


def with_gradient(p, t, smooth, loss=loss, **wrong):
    """A loss, and its gradient by differences."""
    case = {"p": p, "t": t, "smooth": smooth}
    with_options = partial(loss, **wrong)
    return with_options(**case), numeric_gradients(with_options, case, ["p"])[0]


def intersection_over_union(p, t, smooth):
    """Another measure of overlap."""
    both = (p * t).sum(axis=PIXELS)
    return (1 - (both + smooth) / ((p + t).sum(axis=PIXELS) - both + smooth)).mean()


def squares(p, t, smooth):
    """With squares below the line, as V-Net has it."""
    return (1 - fraction(p, t, smooth)[0] / ((p**2 + t**2).sum(axis=PIXELS, keepdims=True) + smooth)).mean()


def gradient(p, t, smooth, wrong=""):
    """The right loss, and a gradient with a mistake."""
    top, bottom = fraction(p, t, smooth)
    grad = -(2 * t * bottom - top) / bottom**2 / len(p)
    wrongs = {
        "constant sum": -2 * t / bottom / len(p),
        "plus": -(2 * t * bottom + top) / bottom**2 / len(p),
        "no square": -(2 * t * bottom - top) / bottom / len(p),
        "of the coefficient": -grad,
        "not divided": grad * len(p),
        "all pixels": grad / p[0].size,
        "no two": -(t * bottom - top) / bottom**2 / len(p),
    }
    return loss(p, t, smooth), wrongs[wrong]


def coefficient(p, t, smooth):
    """The coefficient in the place of the loss, with its gradient."""
    value, grad = with_gradient(p, t, smooth)
    return 1 - value, -grad


def rounded(p, t, smooth):
    """Yes and no in the place of probabilities in the loss."""
    return loss((p > 0.5).astype(float), t, smooth), with_gradient(p, t, smooth)[1]


def draw(d):
    """Probabilities between 0 and 1, and masks with both values in most images."""
    n, height, width = d.integer(1, 3), d.integer(1, 3), d.integer(2, 4)
    rng = d.rng()
    p = rng.integers(1, 32, (n, height, width)) / 32 + rng.uniform(0, 0.02, (n, 1, 1))
    t = rng.random((n, height, width)) < 0.4
    return {
        "p": d.lay(p.astype(d.stage.dtype)),
        "t": d.lay(t.astype(d.stage.dtype)),
        "smooth": d.choice([1.0, 0.5, 0.0]),
    }


def draw_empty(d):
    """No pixel belongs to the mask."""
    case = draw(d)
    return {"p": case["p"], "t": d.lay(np.zeros_like(case["t"])), "smooth": 1.0}


def slope(sentence, wrong):
    """A mistake in the gradient alone."""
    return Mistake(sentence, partial(gradient, wrong=wrong))


def whole(sentence, **wrong):
    """A mistake in the loss, with the gradient that belongs to it."""
    return Mistake(sentence, partial(with_gradient, **wrong))


MISTAKES = (
    whole(
        "the sums run over all images together: each image has its own D, and the loss is the mean", axis=ALL
    ),
    whole("the overlap counts twice above the line: without the 2 the best D would be a half", factor=1),
    whole(
        "smooth is missing above the line: it belongs in both places, so that two empty masks give D = 1",
        above=0,
    ),
    whole(
        "smooth is missing below the line: it belongs in both places, so that two empty masks give D = 1",
        below=0,
    ),
    whole(
        "this is the overlap over the union; Dice has the sum of both sizes below the line",
        loss=intersection_over_union,
    ),
    whole(
        "p and t are squared below the line, as in another form of the Dice loss: here they are not",
        loss=squares,
    ),
    Mistake("this is D itself, which grows with the overlap: the loss is 1 - D", coefficient),
    Mistake(
        "p is made 0 or 1 first; the loss takes the probabilities as they are, so that it has a slope",
        rounded,
    ),
    slope(
        "p is also in the sum below the line: the quotient rule has a second term, - a b' / b²",
        "constant sum",
    ),
    slope("the second term of the quotient rule has a minus: (a' b - a b') / b²", "plus"),
    slope("the quotient rule divides by b², not by b", "no square"),
    slope("the gradient is that of D: the loss is 1 - D, so the sign is the other one", "of the coefficient"),
    slope(
        "the loss is a mean over the images, so its gradient has to be divided by N as well", "not divided"
    ),
    slope(
        "the gradient is divided by the number of all pixels: the mean is over the N images only",
        "all pixels",
    ),
    slope("the 2 is missing in the gradient: what is above the line grows by 2 t", "no two"),
    Mistake(
        "only the loss is returned: return loss, grad",
        when=lambda seen: seen.kind == "type" and not isinstance(seen.got, tuple | list),
    ),
)
OPTIONS = {
    "expect": with_gradient,
    "outputs": ("the loss", "the gradient"),
    "mistakes": MISTAKES,
    "tolerance": 1e-6,
    "stages": ("float32 inputs", "inputs in other memory orders"),
}
HAND = {"p": np.array([[[0.5, 0.25]]]), "t": np.array([[[1.0, 0.0]]]), "smooth": 0.0}

SPEC = Exercise(
    function="dice_loss",
    checks=[
        Check("loss and gradient", draw=draw, **OPTIONS, worked=[HAND]),
        Check("an empty mask", draw=draw_empty, **OPTIONS, examples=10),
    ],
)
