"""What the judge knows about exercise 04."""

import numpy as np

from tinyconv.course.exercises import Check, Exercise, Mistake, call, gradients_of


def divide(a, b):
    """The reference."""
    return a / b


def draw_forward(d):
    """Two arrays of one shape; b is not near zero, so that differences are exact enough."""
    shape = (d.batch(3), d.integer(1, 3))
    a, b = d.array(*shape), d.array(*shape)
    return {"a": a, "b": d.lay(b + np.sign(b))}


def draw_backward(d):
    """And a gradient from above."""
    case = draw_forward(d)
    return {**case, "grad": d.array(*case["a"].shape)}


def use_backward(a, b, grad):
    """A division, then its backward pass."""
    return call("Divide", keep="op"), call("op.forward", a, b), call("op.backward", grad)


def use_two(a, b, grad):
    """Two divisions; then backward of the first."""
    return (
        call("Divide", keep="op"),
        call("Divide", keep="other"),
        call("op.forward", a, b),
        call("other.forward", b, b),
        call("op.backward", grad),
    )


BACKWARD = (
    Mistake("the gradient from above is missing: multiply with grad", lambda a, b, grad: (1 / b, -a / b**2)),
    Mistake(
        "the sign of b's gradient: y falls when b grows (for positive a), so it has a minus",
        lambda a, b, grad: (grad / b, grad * a / b**2),
    ),
    Mistake("b has to be squared in its gradient: -a / b²", lambda a, b, grad: (grad / b, -grad * a / b)),
    Mistake("a is missing in b's gradient: -a / b²", lambda a, b, grad: (grad / b, -grad / b**2)),
    Mistake(
        "the two gradients are swapped: that of a comes first",
        lambda a, b, grad: (-grad * a / b**2, grad / b),
    ),
    Mistake("this is the gradient of a * b", lambda a, b, grad: (grad * b, grad * a)),
    Mistake(
        "backward returns one gradient; each of the two inputs has its own: return grad_a, grad_b",
        when=lambda seen: seen.kind == "type" and isinstance(seen.got, np.ndarray),
    ),
    Mistake(
        "forward has not kept what backward asks for: self.a, self.b = a, b",
        when=lambda seen: seen.raised("AttributeError", "NameError"),
    ),
)

SPEC = Exercise(
    function="Divide",
    checks=[
        Check(
            "forward",
            draw=draw_forward,
            expect=divide,
            use=lambda a, b: (call("Divide", keep="op"), call("op.forward", a, b)),
            mistakes=[Mistake("this is b / a: the first is divided by the second", lambda a, b: b / a)],
            worked=[{"a": np.array([6.0, -1.0]), "b": np.array([3.0, 2.0])}],
        ),
        Check(
            "backward",
            draw=draw_backward,
            expect=gradients_of(divide, "a", "b"),
            use=use_backward,
            outputs=("the gradient of a", "the gradient of b"),
            mistakes=BACKWARD,
            tolerance=1e-6,
            examples=40,
        ),
        Check(
            "two divisions at a time",
            draw=draw_backward,
            expect=gradients_of(divide, "a", "b"),
            use=use_two,
            outputs=("the gradient of a", "the gradient of b"),
            mistakes=[
                Mistake(
                    "right for one division, but a second one overwrites what the first has kept: "
                    "keep it on self, not in the class or in a global name",
                    lambda a, b, grad: (grad / b, -grad * b / b**2),
                )
            ],
            tolerance=1e-6,
            examples=10,
            stages=(),
        ),
    ],
)
