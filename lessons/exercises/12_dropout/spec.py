"""What the judge knows about exercise 12."""

import numpy as np

from tinyconv.course.exercises import Check, Exercise, Mistake, call, kept, together

NEAR = 0.08
"""How far the share of zeros may be from p: more than five standard deviations for 1200 elements."""


def draw(d):
    """Enough elements to count zeros; dtype is for the judge."""
    p = d.choice([0.5, 0.2, 0.7])
    return {"x": d.array(d.batch(), 20, 60), "p": p, "rng": d.seed(), "dtype": d.stage.dtype}


def draw_with_grad(d):
    """And a gradient from above."""
    case = draw(d)
    return {"x": case["x"], "grad": d.array(*case["x"].shape), **{k: case[k] for k in ("p", "rng", "dtype")}}


def problem(got, right, share, dtype):
    """What is wrong with `right` of which a share is zero, or nothing."""
    if not isinstance(got, np.ndarray) or got.shape != right.shape:
        return f"the result is no array of shape {right.shape}"
    zero = got == 0
    wrong = ~zero & ~np.isclose(got, right, rtol=1e-4, atol=0)
    if wrong.any():
        place = tuple(int(i) for i in np.argwhere(wrong)[0])
        return f"the element at {place} is {got[place]:.6g}, expected 0 or {right[place]:.6g}"
    if got.dtype != np.dtype(dtype):
        return f"the result has dtype {got.dtype}, expected {dtype} as its inputs have"
    if not got.size:
        return ""
    if not zero.any():
        return "no element is zero"
    if (zero.any(-1) == zero.all(-1)).all():
        return "whole rows are dropped or kept"
    if len(zero) > 1 and (zero == zero[0]).all():
        return "the same elements are zero in every image of the batch"
    if abs(zero.mean() - share) > NEAR:
        return f"{zero.mean():.0%} of the elements are zero, expected about {share:.0%}"
    return ""


def dropped(got, x, p, rng, dtype):
    """One forward pass in training."""
    return problem(got, x / (1 - p), p, dtype)


def dropped_twice(got, x, p, rng, dtype):
    """A forward pass of what another one returned: its own elements are dropped, not the same again."""
    return problem(got, x / (1 - p) ** 2, 1 - (1 - p) ** 2, dtype)


def gradient(got, x, grad, p, rng, dtype):
    """Backward in training."""
    return problem(got, grad / (1 - p), p, dtype)


def gradient_of_result(got, x, p, rng, dtype):
    """Backward of what forward returned: what is zero there stays zero, and nothing else becomes it."""
    return problem(got, x / (1 - p) ** 2, p, dtype)


def draw_few(d):
    """So few elements that the number of zeros varies much."""
    return {"x": d.array(1, 20), "p": 0.5, "rng": d.seed(), "dtype": d.stage.dtype}


def lots_vary(got, x, p, rng, dtype):
    """Several passes, of which each drops another number of elements."""
    counts = {int((y == 0).sum()) for y in got}
    return f"each time exactly {counts.pop()} of 20 elements are zero" if len(counts) == 1 else ""


def use_often(x, p, rng, dtype):
    """So many passes that by chance all have equally many zeros less than once in a hundred million times."""
    names = [f"y{n}" for n in range(12)]
    passes = [call("layer.forward", x, keep=name) for name in names]
    return call("Dropout", p, rng, keep="layer"), *passes, together(*names)


def use_forward(x, p, rng, dtype):
    """In training."""
    return call("Dropout", p, rng, keep="layer"), call("layer.forward", x)


def use_twice(x, p, rng, dtype):
    """Forward, and forward again with the result."""
    first = call("layer.forward", x, keep="y")
    return call("Dropout", p, rng, keep="layer"), first, call("layer.forward", kept("y"))


def use_eval(x, p, rng, dtype):
    """In evaluation, after a step of training."""
    layer, training = use_forward(x, p, rng, dtype)
    return layer, training, call("layer.eval"), call("layer.forward", x)


def use_backward(x, grad, p, rng, dtype):
    """In training."""
    return *use_forward(x, p, rng, dtype), call("layer.backward", grad)


def use_backward_of_result(x, p, rng, dtype):
    """Forward, then backward with the result."""
    first = call("layer.forward", x, keep="y")
    return call("Dropout", p, rng, keep="layer"), first, call("layer.backward", kept("y"))


def use_eval_backward(x, grad, p, rng, dtype):
    """In evaluation, after a step of training."""
    return *use_eval(x, p, rng, dtype), call("layer.backward", grad)


def says(part):
    """Whether the judge's sentence has this part."""
    return lambda seen: part in seen.sentence


def factor_is(name, factor):
    """Whether what is not zero is this number times the array of that name."""

    def when(seen):
        got, taken = seen.got, seen.got != 0
        ratio = got[taken] / seen.case[name][taken]
        return taken.any() and np.allclose(ratio, factor(seen.case["p"]), rtol=1e-3)

    return when


def has_zeros(seen):
    """Whether some of the wrong elements are zero."""
    return seen.kind == "values" and not seen.got[seen.difference.wrong].all()


def share_of_zeros_is(share):
    """Whether about that share of the elements is zero."""
    return lambda seen: (
        "of the elements are zero" in seen.sentence
        and (abs((seen.got == 0).mean() - share(seen.case["p"])) < NEAR)
    )


FORWARD = (
    Mistake(
        "nothing is dropped: in training each element is zero with probability p",
        when=lambda seen: seen.got.all(),
    ),
    Mistake(
        "the elements that are left have to grow, else the sum shrinks: divide them by 1 - p",
        when=factor_is("x", lambda p: 1),
    ),
    Mistake(
        "the elements that are left are multiplied with 1 - p: to make up for those that are gone, divide "
        "by it",
        when=factor_is("x", lambda p: 1 - p),
    ),
    Mistake(
        "p is the share that is dropped: here it is taken for the share that is kept",
        when=lambda seen: factor_is("x", lambda p: 1 / p)(seen) or share_of_zeros_is(lambda p: 1 - p)(seen),
    ),
    Mistake(
        "one lot for a whole row or image: draw one for each element, in x's shape",
        when=lambda seen: says("whole rows")(seen) or says("no element is zero")(seen),
    ),
    Mistake(
        "the same lots for all images of a batch: draw one for each element, in x's shape",
        when=says("in every image"),
    ),
    Mistake(
        "the numbers from rng are float64, and the result becomes float64 with them: factors need x's dtype",
        when=says("dtype"),
    ),
)

TWICE = (
    Mistake(
        "each call drops the same elements: draw new lots from self.rng in every call of forward",
        when=share_of_zeros_is(lambda p: p),
    ),
)

EVALUATION = (
    Mistake(
        "in evaluation everything is multiplied with 1 - p: that is for those who do not divide in "
        "training; here x stays as it is",
        lambda x, p, rng, dtype: x * (1 - p),
    ),
    Mistake(
        "in evaluation everything is divided by 1 - p: nothing is missing there, so x stays as it is",
        lambda x, p, rng, dtype: x / (1 - p),
    ),
    Mistake("elements are dropped in evaluation, too: ask self.training", when=has_zeros),
)

GRADIENT = (
    Mistake(
        "forward has not kept what backward asks for: self.factors = …",
        when=lambda seen: seen.raised("AttributeError", "NameError"),
    ),
    Mistake(
        "the gradient comes through everywhere: what was dropped has no influence, so its gradient is zero",
        when=says("no element is zero"),
    ),
    Mistake(
        "the gradient needs the factor of forward as well: what was kept was divided by 1 - p",
        when=factor_is("grad", lambda p: 1),
    ),
)

SAME_LOTS = (
    Mistake(
        "backward draws lots of its own: it has to let through what forward has let through, so keep that "
        "on self",
        when=share_of_zeros_is(lambda p: 1 - (1 - p) ** 2),
    ),
)

EVALUATION_GRADIENT = (
    Mistake(
        "in evaluation the gradient passes unchanged: these are the factors of the training step before",
        when=has_zeros,
    ),
)

SPEC = Exercise(
    function="Dropout",
    checks=[
        Check("in training", draw=draw, accept=dropped, use=use_forward, mistakes=FORWARD, examples=20),
        Check(
            "two calls",
            draw=draw,
            accept=dropped_twice,
            use=use_twice,
            mistakes=TWICE,
            examples=10,
            stages=(),
        ),
        Check(
            "twelve calls",
            draw=draw_few,
            accept=lots_vary,
            use=use_often,
            mistakes=[
                Mistake(
                    "always the same number of elements is dropped: each has a lot of its own, so that the "
                    "number varies",
                    when=says("each time exactly"),
                )
            ],
            examples=5,
            stages=(),
        ),
        Check(
            "in evaluation",
            draw=draw,
            expect=lambda x, p, rng, dtype: x,
            use=use_eval,
            mistakes=EVALUATION,
            examples=10,
        ),
        Check(
            "the gradient in training",
            draw=draw_with_grad,
            accept=gradient,
            use=use_backward,
            mistakes=GRADIENT,
            examples=15,
        ),
        Check(
            "backward lets through what forward let through",
            draw=draw,
            accept=gradient_of_result,
            use=use_backward_of_result,
            mistakes=SAME_LOTS,
            examples=10,
            stages=(),
        ),
        Check(
            "the gradient in evaluation",
            draw=draw_with_grad,
            expect=lambda x, grad, p, rng, dtype: grad,
            use=use_eval_backward,
            mistakes=EVALUATION_GRADIENT,
            examples=10,
        ),
    ],
)
