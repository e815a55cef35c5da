"""What the judge knows about exercise 05."""

import numpy as np

from tinyconv.course.exercises import Check, Exercise, Mistake, numeric_gradients


def log_softmax(scores, axis=1):
    """Log-probabilities, without overflow."""
    shifted = scores - scores.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def loss(scores, labels):
    """The reference."""
    return -log_softmax(scores)[np.arange(len(scores)), labels].mean()


def expect(scores, labels):
    """The loss, and its gradient by differences."""
    return loss(scores, labels), numeric_gradients(loss, {"scores": scores, "labels": labels}, ["scores"])[0]


def draw(d):
    """Scores of moderate size."""
    n, classes = d.batch(4), d.integer(2, 5)
    return {"scores": d.array(n, classes), "labels": d.labels(n, classes)}


def draw_large(d):
    """Scores whose exp overflows, or is zero."""
    n, classes = d.integer(1, 3), d.integer(2, 4)
    scores = d.array(n, classes, scale=d.choice([1.0, -1.0]) * 2000.0)
    return {"scores": d.lay(scores + d.choice([0, 3000, -3000])), "labels": d.labels(n, classes)}


def parts(scores, labels, axis=1):
    """Log-probabilities, and the gradient before it is divided by N."""
    rows = np.arange(len(scores))
    log_p = log_softmax(scores, axis)
    grad = np.exp(log_p)
    grad[rows, labels] -= 1
    return log_p[rows, labels], grad


def summed(scores, labels):
    """A sum in the place of the mean, in both."""
    log_p, grad = parts(scores, labels)
    return -log_p.sum(), grad


def not_divided(scores, labels):
    """A mean in the loss, a sum in the gradient."""
    log_p, grad = parts(scores, labels)
    return -log_p.mean(), grad


def over_all(scores, labels):
    """A mean over N and C in the gradient."""
    log_p, grad = parts(scores, labels)
    return -log_p.mean(), grad / scores.size


def no_minus_one(scores, labels):
    """Probabilities as the gradient."""
    log_p, _ = parts(scores, labels)
    return -log_p.mean(), np.exp(log_softmax(scores)) / len(scores)


def sign(scores, labels):
    """A plus in the place of the minus."""
    log_p, grad = parts(scores, labels)
    return log_p.mean(), grad / len(scores)


def down(scores, labels):
    """Softmax over the batch."""
    log_p, grad = parts(scores, labels, axis=0)
    return -log_p.mean(), grad / len(scores)


def reversed_gradient(scores, labels):
    """y - p."""
    log_p, grad = parts(scores, labels)
    return -log_p.mean(), -grad / len(scores)


MISTAKES = (
    Mistake("softmax runs over the batch: the classes of one row make a sum of 1, so axis=1", down),
    Mistake("a sum over the batch in the place of the mean, in loss and gradient", summed),
    Mistake("the loss is a mean over the batch, so its gradient has to be divided by N as well", not_divided),
    Mistake("the gradient is divided by N times C: the mean is over the N rows only", over_all),
    Mistake("the gradient is the probabilities: subtract 1 at the right class of each row", no_minus_one),
    Mistake("the sign of the loss: a log-probability is negative, the loss is minus that", sign),
    Mistake("the sign of the gradient: it is p - y, not y - p", reversed_gradient),
    Mistake(
        "only the loss is returned: return loss, grad",
        when=lambda seen: seen.kind == "type" and isinstance(seen.got, float | np.floating | np.ndarray),
    ),
)

SPEC = Exercise(
    function="cross_entropy",
    checks=[
        Check(
            "loss and gradient",
            draw=draw,
            expect=expect,
            outputs=("the loss", "the gradient"),
            mistakes=MISTAKES,
            tolerance=1e-6,
            stages=("float32 inputs", "a batch of 1", "inputs in other memory orders"),
        ),
        Check(
            "large scores",
            draw=draw_large,
            expect=expect,
            outputs=("the loss", "the gradient"),
            mistakes=[
                Mistake(
                    "exp overflows, or log gets a zero: subtract each row's maximum before exp, and take the "
                    "logarithm of the sum, not of p",
                    when=lambda seen: seen.kind == "values" and not np.isfinite(seen.difference.got).all(),
                ),
                Mistake(
                    "a small number added inside the logarithm makes the loss of an unlikely class wrong: "
                    "compute z - log(sum exp(z)) instead",
                    when=lambda seen: seen.kind == "values" and seen.difference.part == "the loss",
                ),
            ],
            tolerance=1e-6,
            examples=30,
            stages=(),
        ),
    ],
)
