"""What the judge knows about exercise 21."""

import numpy as np

from tinyconv.course.exercises import Check, Exercise, Mistake, call, gradients_of


def middle(up, copy):
    """Where the middle begins."""
    return [(large - small) // 2 for large, small in zip(copy.shape[2:], up.shape[2:], strict=True)]


def skip(up, copy, start=middle):
    """The reference."""
    (top, left), (height, width) = start(up, copy), up.shape[2:]
    return np.concatenate([up, copy[:, :, top : top + height, left : left + width]], axis=1)


def corner(up, copy):
    """The first rows and columns."""
    return 0, 0


def end(up, copy):
    """The last rows and columns."""
    return [large - small for large, small in zip(copy.shape[2:], up.shape[2:], strict=True)]


def rounded_up(up, copy):
    """One more at the top."""
    return [(rest + 1) // 2 for rest in end(up, copy)]


def rounded_up_along(axis):
    """One more at the top, or at the left."""

    def wrong(up, copy):
        starts = zip(middle(up, copy), rounded_up(up, copy), strict=True)
        return skip(up, copy, lambda *_: [pair[n == axis - 2] for n, pair in enumerate(starts)])

    return wrong


def rows_for_columns(up, copy):
    """The rows' beginning for the columns too."""
    return [middle(up, copy)[0]] * 2


def back(up, copy, grad, start=middle, order=""):
    """Gradients with a mistake."""
    (top, left), (height, width) = start(up, copy), up.shape[2:]
    channels = up.shape[1]
    grad_up, part = grad[:, :channels], grad[:, channels:]
    if order == "copy first":
        grad_up, part = grad[:, -channels:], grad[:, : copy.shape[1]]
    grad_copy = np.zeros(copy.shape)
    grad_copy[:, :, top : top + height, left : left + width] = part
    return grad_up, grad_copy


def repeated(up, copy, grad):
    """The border repeats what is inside."""
    grad_up, _ = back(up, copy, grad)
    (top, left), (bottom, right) = middle(up, copy), rounded_up(up, copy)
    sides = ((0, 0), (0, 0), (top, bottom), (left, right))
    return grad_up, np.pad(grad[:, up.shape[1] :], sides, mode="edge")


def draw(d):
    """Maps of which one may be larger, by odd and even numbers."""
    n, height, width = d.batch(2), d.integer(1, 3), d.integer(1, 3)
    up = d.array(n, d.integer(1, 3), height, width)
    copy = d.array(n, d.integer(1, 3), height + d.integer(0, 4), width + d.integer(0, 4))
    return {"up": up, "copy": copy}


def draw_backward(d):
    """And a gradient from above."""
    case = draw(d)
    n, channels, height, width = case["up"].shape
    return {**case, "grad": d.array(n, channels + case["copy"].shape[1], height, width)}


def use(up, copy):
    """Forward."""
    return call("Skip", keep="skip"), call("skip.forward", up, copy)


def use_backward(up, copy, grad):
    """Forward, then backward."""
    return *use(up, copy), call("skip.backward", grad)


def use_two(up, copy, grad):
    """Two skips, as a U-Net has them; then backward of the first."""
    return (
        call("Skip", keep="skip"),
        call("Skip", keep="other"),
        call("skip.forward", up, copy),
        call("other.forward", copy, copy),
        call("skip.backward", grad),
    )


def cropped(seen):
    """Whether up's size was reached."""
    return seen.got.shape[2:] == seen.case["up"].shape[2:]


FORWARD = (
    Mistake(
        "the copy comes first here: up is first, the copy behind it",
        lambda up, copy: np.roll(skip(up, copy), copy.shape[1], 1),
    ),
    Mistake(
        "the first rows and columns are kept, so the copy is shifted against what comes up: keep the middle",
        lambda up, copy: skip(up, copy, corner),
    ),
    Mistake("the last rows and columns are kept: keep the middle", lambda up, copy: skip(up, copy, end)),
    Mistake(
        "right where the same number is cut off on both sides; of an odd number one more goes at the "
        "bottom and the right: // rounds down",
        lambda up, copy: skip(up, copy, rounded_up),
    ),
    *(
        Mistake(
            "right along one axis; along the other, where an odd number is cut off, one more goes at the "
            "bottom and the right: // rounds down",
            wrong,
        )
        for wrong in (rounded_up_along(2), rounded_up_along(3))
    ),
    Mistake(
        "the columns are cut where the rows should be: each axis has a beginning of its own",
        lambda up, copy: skip(up, copy, rows_for_columns),
    ),
    Mistake(
        "the copy is added to what comes up: stack them, so that the next convolution can tell them apart",
        when=lambda seen: seen.kind == "shape" and cropped(seen),
    ),
    Mistake(
        "what comes up has become larger: leave it as it is, and make the copy smaller",
        when=lambda seen: seen.kind == "shape" and seen.got.shape[2:] == seen.case["copy"].shape[2:],
    ),
    Mistake(
        "the two cannot be stacked: are they of the same height and width, and is axis=1 that of the "
        "channels?",
        when=lambda seen: seen.raised("ValueError"),
    ),
)

BACKWARD = (
    Mistake(
        "the channels are shared out in the wrong order: those of up come first",
        lambda up, copy, grad: back(up, copy, grad, order="copy first"),
    ),
    Mistake(
        "the copy's gradient begins in the corner: it belongs where the middle was cut out",
        lambda up, copy, grad: back(up, copy, grad, corner),
    ),
    Mistake("what was cut off has no influence on the loss: its gradient is zero", repeated),
    Mistake(
        "the copy's gradient has to have the copy's size: zeros belong where something was cut off",
        when=lambda seen: seen.kind == "shape" and seen.difference.part == "the gradient of copy",
    ),
    Mistake(
        "backward returns one gradient; each of the two inputs has its own: return grad_up, grad_copy",
        when=lambda seen: seen.kind == "type" and isinstance(seen.got, np.ndarray),
    ),
    Mistake(
        "forward has not kept what backward asks for: put it on self",
        when=lambda seen: seen.raised("AttributeError", "NameError"),
    ),
)

GRADIENTS = {
    "draw": draw_backward,
    "expect": gradients_of(skip, "up", "copy"),
    "outputs": ("the gradient of up", "the gradient of copy"),
    "tolerance": 1e-6,
}
UP, COPY = np.full((1, 1, 1, 1), 10.0), np.arange(1.0, 10).reshape(1, 1, 3, 3)

SPEC = Exercise(
    function="Skip",
    checks=[
        Check(
            "forward", draw=draw, expect=skip, use=use, mistakes=FORWARD, worked=[{"up": UP, "copy": COPY}]
        ),
        Check(
            "backward",
            **GRADIENTS,
            use=use_backward,
            mistakes=BACKWARD,
            worked=[{"up": UP, "copy": COPY, "grad": np.array([7.0, 8.0]).reshape(1, 2, 1, 1)}],
            examples=40,
        ),
        Check(
            "two skips at a time",
            **GRADIENTS,
            use=use_two,
            mistakes=[
                Mistake(
                    "right for one skip, but a second one overwrites what the first has kept: keep it on "
                    "self, not in the class or in a global name",
                    when=lambda seen: seen.kind != "ended",
                )
            ],
            examples=10,
            stages=(),
        ),
    ],
)
