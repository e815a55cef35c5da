"""What the judge knows about exercise 11."""

import numpy as np

from tinyconv.course.exercises import Check, Exercise, Mistake, call, gradients_of


def relu(x):
    """The reference."""
    return np.where(x > 0, x, 0.0)


def leaky_relu(x, slope):
    """The reference."""
    return np.where(x > 0, x, slope * x)


def elu(x, alpha):
    """The reference."""
    return np.where(x > 0, x, alpha * (np.exp(np.minimum(x, 0)) - 1))


def with_options(draw, options):
    """Draws that add the number which a function takes besides x, if it takes one."""

    def drawn(d):
        return {**draw(d), **{name: d.choice(values) for name, values in options.items()}}

    return drawn


def draw_x(d):
    """Up to three axes; the numbers are not near the bend."""
    return {"x": d.array(d.batch(), *[d.integer(1, 3) for _ in range(d.integer(1, 2))])}


def draw_backward(d):
    """And a gradient from above."""
    x = draw_x(d)["x"]
    return {"grad": d.array(*x.shape), "x": x}


def draw_at_zero(d):
    """Half of the numbers are exactly zero."""
    case = draw_backward(d)
    zeros = d.rng().random(case["x"].shape) < 0.5
    return {**case, "x": d.lay(np.where(zeros, 0, case["x"]).astype(d.stage.dtype))}


def draw_large(d):
    """Numbers whose exp overflows, of both signs."""
    return {"x": d.array(d.integer(1, 3), d.integer(2, 4), scale=4000.0)}


def checks_of(name, function, options, slope_at_zero, forward, backward, at_zero):
    """A function forward, backward by differences, and backward at the bend."""

    def steps(target):
        return lambda **case: (call(target, *case.values()),)

    def expect_at_zero(grad, x, **option):
        above = np.where(x > 0, 1.0, 0.0) + np.where(x < 0, slope_below(x, **option), 0.0)
        return grad * np.where(x == 0, slope_at_zero(**option), above)

    def slope_below(x, **option):
        step = 1e-6
        return (function(x + step, **option) - function(x - step, **option)) / (2 * step)

    draws = [with_options(draw, options) for draw in (draw_x, draw_backward, draw_at_zero)]
    of_x = gradients_of(function, "x")
    return [
        Check(name, draw=draws[0], expect=function, use=steps(name), mistakes=forward, examples=25),
        Check(
            f"the gradient of {name}",
            draw=draws[1],
            expect=of_x,
            use=steps(f"{name}_backward"),
            mistakes=backward,
            tolerance=1e-6,
            examples=25,
        ),
        Check(
            f"the gradient of {name} at zero",
            draw=draws[2],
            expect=expect_at_zero,
            use=steps(f"{name}_backward"),
            mistakes=at_zero,
            tolerance=1e-6,
            examples=10,
            stages=(),
        ),
    ]


RELU = checks_of(
    "relu",
    relu,
    {},
    lambda: 0.0,
    forward=[
        Mistake("this is the step, 1 and 0: where x is above zero the result is x itself", lambda x: x > 0.0),
        Mistake("this is the absolute value: below zero the result is 0, not -x", lambda x: np.abs(x)),
        Mistake("nothing has changed: below zero the result is 0", lambda x: x),
    ],
    backward=[
        Mistake("the gradient from above is missing: multiply with grad", lambda grad, x: x > 0.0),
        Mistake(
            "grad is asked for its sign: it is the sign of x that says which way a number took",
            lambda grad, x: relu(grad),
        ),
        Mistake("grad times relu(x): the slope above zero is 1, not x", lambda grad, x: grad * relu(x)),
    ],
    at_zero=[
        Mistake(
            "at exactly x = 0 the slope is 0 by agreement: x > 0, not x >= 0", lambda grad, x: grad * (x >= 0)
        )
    ],
)

LEAKY = checks_of(
    "leaky_relu",
    leaky_relu,
    {"slope": [0.1, 0.5, 2.0, -0.5]},
    lambda slope: slope,
    forward=[
        Mistake(
            "the slope belongs to the other side: above zero is x, below zero slope * x",
            lambda x, slope: np.where(x > 0, slope * x, x),
        ),
        Mistake(
            "the larger one of x and slope * x: that is right for slopes from 0 to 1 only, so ask x for its"
            " sign",
            lambda x, slope: np.maximum(x, slope * x),
        ),
        Mistake(
            "slope is a factor, not the value: below zero it is slope * x",
            lambda x, slope: np.where(x > 0, x, slope),
        ),
    ],
    backward=[
        Mistake(
            "nothing comes through below zero: that is ReLU's gradient, here it is slope * grad",
            lambda grad, x, slope: grad * (x > 0),
        ),
        Mistake(
            "below zero grad is multiplied with slope * x, the value: the slope of the line is slope",
            lambda grad, x, slope: np.where(x > 0, grad, grad * slope * x),
        ),
    ],
    at_zero=[
        Mistake(
            "at exactly x = 0 take the slope from the left, which is slope: x > 0, not x >= 0",
            lambda grad, x, slope: np.where(x >= 0, grad, slope * grad),
        )
    ],
)

ELU = checks_of(
    "elu",
    elu,
    {"alpha": [0.5, 1.0, 2.0]},
    lambda alpha: alpha,
    forward=[
        Mistake(
            "the -1 is missing: below zero it is alpha * (exp(x) - 1), so that both sides meet in 0",
            lambda x, alpha: np.where(x > 0, x, alpha * np.exp(x)),
        ),
        Mistake(
            "alpha is missing: right for alpha 1, but below zero it is alpha * (exp(x) - 1)",
            lambda x, alpha: elu(x, 1.0),
        ),
        Mistake(
            "alpha is multiplied with exp(x) only: it stands before the bracket, alpha * (exp(x) - 1)",
            lambda x, alpha: np.where(x > 0, x, alpha * np.exp(x) - 1),
        ),
    ],
    backward=[
        Mistake(
            "below zero grad is multiplied with alpha * (exp(x) - 1), the value: in the derivative the -1 "
            "is gone",
            lambda grad, x, alpha: np.where(x > 0, grad, grad * alpha * (np.exp(x) - 1)),
        ),
        Mistake(
            "alpha is missing in the gradient: right for alpha 1, but below zero it is grad * alpha * exp(x)",
            lambda grad, x, alpha: np.where(x > 0, grad, grad * np.exp(x)),
        ),
    ],
    at_zero=[
        Mistake(
            "at exactly x = 0 take the slope from the left, alpha * exp(0) = alpha: x > 0, not x >= 0",
            lambda grad, x, alpha: np.where(x >= 0, grad, grad * alpha * np.exp(x)),
        )
    ],
)

LARGE = Check(
    "elu of large numbers",
    draw=with_options(draw_large, {"alpha": [0.5, 1.0, 2.0]}),
    expect=elu,
    use=lambda x, alpha: (call("elu", x, alpha),),
    examples=10,
    stages=(),
    mistakes=[
        Mistake(
            "exp overflows for large x, and infinity times 0 is no number: take exp of np.minimum(x, 0), or"
            " choose with np.where instead of multiplying with 0 and 1",
            when=lambda seen: seen.kind == "values" and not np.isfinite(seen.got).all(),
        )
    ],
)

SPEC = Exercise(function="relu", checks=[*RELU, *LEAKY, *ELU, LARGE])
