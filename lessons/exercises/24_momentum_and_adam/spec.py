"""What the judge knows about exercise 24."""

from functools import partial

import numpy as np

from tinyconv.course.exercises import Check, Exercise, Mistake, call


def momentum_step(w, grad, velocity, lr, momentum, wrong=""):
    """The reference; `wrong` names a mistake."""
    v = momentum * velocity + {"average": 1 - momentum, "lr inside": lr}.get(wrong, 1) * grad
    along = {
        "along gradient": lr * grad,
        "old velocity": lr * velocity,
        "lr inside": v,
        "uphill": -lr * v,
        "nesterov": lr * (grad + momentum * v),
    }.get(wrong, lr * v)
    return w - along, (velocity if wrong == "not remembered" else v)


def adam_step(w, grad, mean, square, step, lr, beta1, beta2, eps, wrong=""):
    """The reference; `wrong` names a mistake."""
    if wrong == "swapped":
        beta1, beta2 = beta2, beta1
    share1, share2 = (1, 1) if wrong == "sums" else (1 - beta1, 1 - beta2)
    mean = beta1 * mean + share1 * grad
    square = beta2 * square + share2 * (abs(grad) if wrong == "not squared" else grad**2)
    count = {"from 0": step - 1, "one too many": step + 1}.get(wrong, step)
    m = mean if wrong == "no correction" else mean / (1 - beta1**count)
    s = square if wrong in ("no correction", "first only") else square / (1 - beta2**count)
    root = s if wrong == "no root" else np.sqrt(s)
    below = np.sqrt(s + eps) if wrong == "eps inside" else root + eps
    new = w - (-lr if wrong == "uphill" else lr) * (grad if wrong == "along gradient" else m) / below
    return (new, m, s) if wrong == "corrected kept" else (new, mean, square)


def draw(d):
    """Weights, a gradient, and a velocity."""
    shape = d.integer(1, 3), d.integer(1, 3)
    arrays = {name: d.array(*shape) for name in ("w", "grad", "velocity")}
    return {**arrays, "lr": d.choice([0.1, 0.5]), "momentum": d.choice([0.9, 0.5])}


def draw_adam(d):
    """Averages of an earlier step; eps is so large at times that its place can be seen."""
    shape = d.integer(1, 3), d.integer(1, 3)
    arrays = {name: d.array(*shape) for name in ("w", "grad", "mean")}
    return {
        **arrays,
        "square": d.array(*shape, positive=True),
        "step": d.integer(1, 9),
        "lr": d.choice([0.1, 0.5]),
        "beta1": d.choice([0.9, 0.5]),
        "beta2": d.choice([0.999, 0.75]),
        "eps": d.choice([1e-8, 0.125, 0.5]),
    }


def with_momentum(sentence, wrong):
    """A mistake in the first function."""
    return Mistake(sentence, partial(momentum_step, wrong=wrong))


def with_adam(sentence, wrong):
    """A mistake in the second function."""
    return Mistake(sentence, partial(adam_step, wrong=wrong))


MOMENTUM = (
    with_momentum("the step goes along the velocity, not along the gradient alone", "along gradient"),
    with_momentum(
        "the step takes the old velocity: first the new one, then the step with it", "old velocity"
    ),
    with_momentum(
        "the new velocity is used, but the old one returned: the next step needs the new one",
        "not remembered",
    ),
    with_momentum("the gradient is added to the velocity in full, not times 1 - momentum", "average"),
    with_momentum("lr is for the step only: the velocity is momentum v + grad", "lr inside"),
    with_momentum("the step goes uphill: w - lr v, with a minus", "uphill"),
    with_momentum("this is Nesterov's form, which looks ahead: here the step is lr v", "nesterov"),
    Mistake(
        "the velocity has to be returned as well, for the next step: return w, velocity",
        when=lambda seen: seen.kind == "type" and isinstance(seen.got, np.ndarray),
    ),
)
ADAM = (
    with_adam(
        "the averages began at 0 and are too small: divide them by 1 - beta to the power of step",
        "no correction",
    ),
    with_adam("only the first average is corrected: the second one began at 0 too", "first only"),
    with_adam("step counts from 1, and is the power as it is: not step + 1", "one too many"),
    with_adam(
        "the corrected averages are for this step only: return them without the correction", "corrected kept"
    ),
    with_adam("the root is missing: the square's average is as large as a gradient squared", "no root"),
    with_adam("eps is added to the root, not inside of it", "eps inside"),
    with_adam(
        "the step goes along the corrected average of the gradients, not along this gradient",
        "along gradient",
    ),
    with_adam(
        "beta1 belongs to the gradient's average, beta2 to the square's: here they are swapped", "swapped"
    ),
    with_adam("the second average is one of squares: the gradient has to be squared", "not squared"),
    with_adam("an average takes 1 - beta of the new value: here it is added in full", "sums"),
    with_adam("the step goes uphill: w minus lr times what it is", "uphill"),
    with_adam("step counts from 1, and is the power as it is: not step - 1", "from 0"),
    Mistake(
        "the file has to define adam_step as well, with this very name",
        when=lambda seen: seen.raised("AttributeError"),
    ),
)


def use_adam(**case):
    """One call of the second function."""
    return (call("adam_step", *case.values()),)


def one(value):
    """An array of one element."""
    return np.array([value])


NUMBERS = {"w": one(1.0), "grad": one(0.5)}

SPEC = Exercise(
    function="momentum_step",
    checks=[
        Check(
            "momentum",
            draw=draw,
            expect=momentum_step,
            outputs=("w", "the velocity"),
            mistakes=MOMENTUM,
            worked=[{**NUMBERS, "velocity": one(2.0), "lr": 0.1, "momentum": 0.9}],
            examples=40,
        ),
        Check(
            "Adam",
            draw=draw_adam,
            expect=adam_step,
            use=use_adam,
            outputs=("w", "the average of gradients", "the average of squares"),
            mistakes=ADAM,
            worked=[
                {
                    **NUMBERS,
                    **{"mean": one(0.0), "square": one(0.0), "step": 1, "lr": 0.1},
                    **{"beta1": 0.9, "beta2": 0.999, "eps": 0.0},
                }
            ],
        ),
    ],
)
