"""What the judge knows about exercise 23."""

from functools import partial

import numpy as np

from tinyconv.course.exercises import Check, Exercise, Mistake, numeric_gradients


def log_softmax(scores, axis=1):
    """Log-probabilities, without overflow."""
    shifted = scores - scores.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def loss(scores, labels, weights):
    """The reference of the loss."""
    picked = np.take_along_axis(log_softmax(scores), labels[:, None], axis=1)[:, 0]
    return -(weights[labels] * picked).sum() / weights[labels].sum()


def expect(scores, labels, weights):
    """The loss, and its gradient by differences."""
    case = {"scores": scores, "labels": labels, "weights": weights}
    return loss(**case), numeric_gradients(loss, case, ["scores"])[0]


def with_mistake(scores, labels, weights, wrong=""):
    """Loss and gradient by formula; `wrong` names a mistake."""
    axis = {"over the batch": 0, "over the rows": 2}.get(wrong, 1)
    log_p, classes = log_softmax(scores, axis), scores.shape[1]
    right = np.arange(classes)[:, None, None] == labels[:, None]
    each = weights[labels][:, None]
    count, total = labels.size, weights[labels].sum()
    of_loss = of_gradient = each
    below = below_gradient = total
    if wrong in ("no weights", "weights in the loss only"):
        of_gradient, below_gradient = np.ones_like(each), count
    if wrong == "no weights":
        of_loss, below = of_gradient, below_gradient
    if wrong == "of each class":
        of_gradient = weights[:, None, None]
    if wrong == "of the likeliest":
        of_loss = of_gradient = weights[log_p.argmax(axis=1)][:, None]
        below = below_gradient = of_loss.sum()
    if wrong == "divided by the count":
        below = below_gradient = count
    if wrong == "divided by the classes":
        below = below_gradient = weights.sum()
    if wrong == "gradient by the count":
        below_gradient = count
    if wrong == "nothing divided":
        below = below_gradient = 1
    if wrong == "mean of images":
        below = below_gradient = len(labels) * weights[labels].sum(axis=(1, 2))[:, None, None, None]
    one_hot = 0 if wrong == "probabilities" else right
    grad = of_gradient * (np.exp(log_p) - one_hot) / below_gradient
    value = -(of_loss * log_p * right / below).sum()
    return (-value if wrong == "sign" else value), (-grad if wrong == "sign of gradient" else grad)


def draw(d):
    """A few classes; the map need not be square."""
    n, classes, height, width = d.batch(3), d.integer(2, 4), d.integer(1, 3), d.integer(1, 3)
    labels = d.labels(n * height * width, classes).reshape(n, height, width)
    return {
        "scores": d.array(n, classes, height, width),
        "labels": labels,
        "weights": d.array(classes, positive=True),
    }


def draw_large(d):
    """Scores whose exp overflows, or is zero."""
    case = draw(d)
    scores = d.array(*case["scores"].shape, scale=2000.0)
    return {**case, "scores": d.lay(scores + d.choice([0, 3000, -3000]))}


def mistake(sentence, wrong):
    """A mistake that the formula can make."""
    return Mistake(sentence, partial(with_mistake, wrong=wrong))


MISTAKES = (
    mistake("softmax runs over the batch: the scores of one pixel lie along axis 1", "over the batch"),
    mistake(
        "softmax runs over the rows of the map: the scores of one pixel lie along axis 1", "over the rows"
    ),
    mistake("the weights are not used: each pixel counts as much as the weight of its label", "no weights"),
    mistake(
        "the loss is weighted, its gradient is not: it has the same weights, and is divided by the same sum",
        "weights in the loss only",
    ),
    mistake(
        "in the gradient all scores of a pixel get one weight, that of its label; here each score has "
        "that of its class",
        "of each class",
    ),
    mistake(
        "a pixel's weight is that of the class that is right, not of the class that the network finds "
        "likeliest",
        "of the likeliest",
    ),
    mistake(
        "divided by the number of pixels: a weighted mean is divided by the sum of the pixels' weights",
        "divided by the count",
    ),
    mistake(
        "divided by the sum over the classes: each pixel brings its weight into the sum",
        "divided by the classes",
    ),
    mistake(
        "the loss is right, but its gradient is divided by the number of pixels: by the sum of their weights",
        "gradient by the count",
    ),
    mistake(
        "nothing is divided: a mean is asked for, over the sum of the pixels' weights", "nothing divided"
    ),
    mistake(
        "a mean of each image first: all pixels of all images share one sum of weights", "mean of images"
    ),
    mistake("the gradient lacks the 1 that is subtracted from p at the right class", "probabilities"),
    mistake("the sign of the loss: a log-probability is negative, the loss is minus that", "sign"),
    mistake("the sign of the gradient: it is p - y, not y - p", "sign of gradient"),
    Mistake(
        "only the loss is returned: return loss, grad",
        when=lambda seen: seen.kind == "type" and not isinstance(seen.got, tuple | list),
    ),
)
HAND = {
    "scores": np.zeros((1, 2, 1, 2)),
    "labels": np.array([[[0, 1]]]),
    "weights": np.array([1.0, 3.0]),
}
OPTIONS = {"expect": expect, "outputs": ("the loss", "the gradient"), "tolerance": 1e-6}

SPEC = Exercise(
    function="weighted_cross_entropy",
    checks=[
        Check(
            "loss and gradient",
            draw=draw,
            **OPTIONS,
            mistakes=MISTAKES,
            worked=[HAND],
            examples=50,
            stages=("float32 inputs", "a batch of 1", "inputs in other memory orders"),
        ),
        Check(
            "large scores",
            draw=draw_large,
            **OPTIONS,
            mistakes=[
                Mistake(
                    "exp overflows, or log gets a zero: subtract each pixel's largest score before exp, "
                    "and take the logarithm of the sum, not of p",
                    when=lambda seen: seen.kind == "values" and not np.isfinite(seen.difference.got).all(),
                )
            ],
            examples=20,
            stages=(),
        ),
    ],
)
