"""What the judge knows about exercise 01."""

import numpy as np

from tinyconv.course.exercises import Check, Exercise, Mistake


def neuron(x, w, b):
    """The reference."""
    return (x @ w + b > 0).astype(float)


def draw(d):
    """Multiples of 1/8, so that sums are exact; in a third of the cases one sum is exactly zero."""
    n, size = d.batch(4), d.integer(1, 4)
    x, w = d.array(n, size), d.array(size)
    on_the_line = n > 0 and d.choice([False, False, True])
    b = -float(x[0].astype(float) @ w) if on_the_line else d.integer(-8, 8) / 4
    return {"x": x, "w": w, "b": b}


CASES = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])

MISTAKES = (
    Mistake("the bias is not added: y = f(w x + b)", lambda x, w, b: neuron(x, w, 0)),
    Mistake("the bias is subtracted: y = f(w x + b), with a plus", lambda x, w, b: neuron(x, w, -b)),
    Mistake(
        "this is the sum itself: the step is missing, 1 above zero and 0 elsewhere", lambda x, w, b: x @ w + b
    ),
    Mistake(
        "right except where the sum is exactly zero, which is not above zero: > in the place of >=",
        lambda x, w, b: (x @ w + b >= 0).astype(float),
    ),
    Mistake("the step has the values 1 and 0, not 1 and -1", lambda x, w, b: np.where(x @ w + b > 0, 1, -1)),
    Mistake("1 and 0 are the wrong way round", lambda x, w, b: 1 - neuron(x, w, b)),
    Mistake(
        "the answers are True and False: make numbers of x's dtype of them",
        when=lambda seen: seen.got.dtype == bool,
    ),
    Mistake(
        "the weights are multiplied with the inputs but not added up: one answer per input, not per number",
        when=lambda seen: seen.got.shape == seen.case["x"].shape and seen.got.ndim == 2,
    ),
)

SPEC = Exercise(
    function="neuron",
    checks=[
        Check(
            "the neuron",
            draw=draw,
            expect=neuron,
            mistakes=MISTAKES,
            worked=[
                {"x": CASES, "w": np.array([1.0, 1.0]), "b": -1.5},
                {"x": CASES, "w": np.array([1.0, 1.0]), "b": -1.0},
            ],
        )
    ],
)
