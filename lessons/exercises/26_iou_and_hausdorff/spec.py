"""What the judge knows about exercise 26."""

from functools import partial

import numpy as np

from tinyconv.course.exercises import Check, Exercise, Mistake, call


def iou(a, b, wrong=""):
    """The reference; `wrong` names a mistake."""
    both, either, sizes = (a & b).sum(), (a | b).sum(), a.sum() + b.sum()
    above, below = {
        "dice": (2 * both, sizes),
        "sizes": (both, sizes),
        "accuracy": ((a == b).sum(), a.size),
        "recall": (both, b.sum()),
        "precision": (both, a.sum()),
        "all pixels": (both, a.size),
    }.get(wrong, (both, either))
    return float(above / below) if below else 1.0


def table(a, b, spacing, wrong):
    """The distance of each pixel of a to each of b."""
    unit = {"pixels": (1.0, 1.0), "swapped": spacing[::-1]}.get(wrong, spacing)
    steps = abs((np.argwhere(a)[:, None] - np.argwhere(b)) * unit)
    if wrong == "manhattan":
        return steps.sum(-1)
    if wrong == "chessboard":
        return steps.max(-1)
    return (steps**2).sum(-1) if wrong == "no root" else np.sqrt((steps**2).sum(-1))


def hausdorff(a, b, spacing, wrong=""):
    """The reference; `wrong` names a mistake."""
    if not a.any() or not b.any():
        return np.inf if a.any() or b.any() else 0.0
    distances = table(a, b, spacing, wrong)
    there, back = distances.min(axis=1), distances.min(axis=0)
    found = {
        "one way": there.max(),
        "way back": back.max(),
        "smaller": min(there.max(), back.max()),
        "mean": (there.mean() + back.mean()) / 2,
        "larger mean": max(there.mean(), back.mean()),
        "sum": there.max() + back.max(),
        "nearest": distances.min(),
        "farthest": distances.max(),
    }.get(wrong, max(there.max(), back.max()))
    return float(found)


def mask(d, shape):
    """Some pixels at least."""
    flat = np.zeros(shape[0] * shape[1], bool)
    flat[d.rng().permutation(flat.size)[: d.integer(1, max(1, flat.size // 3))]] = True
    return d.lay(flat.reshape(shape))


def draw(d):
    """Two masks with pixels."""
    shape = d.integer(1, 6), d.integer(2, 6)
    return {"a": mask(d, shape), "b": mask(d, shape)}


def draw_pixels(d):
    """And the size of a pixel."""
    return {**draw(d), "spacing": (d.choice([1.0, 0.5, 2.0]), d.choice([1.0, 0.75, 3.0]))}


def draw_empty(d):
    """One mask is empty, or both are."""
    case = draw(d)
    which = d.choice(["both", "a", "b"])
    return {k: d.lay(np.zeros_like(v)) if which in (k, "both") else v for k, v in case.items()}


def draw_empty_pixels(d):
    """And the size of a pixel."""
    return {**draw_empty(d), "spacing": (1.0, 0.5)}


def use_hausdorff(a, b, spacing):
    """One call of the second function."""
    return (call("hausdorff", a, b, spacing),)


def of_area(sentence, wrong):
    """A mistake in the first function."""
    return Mistake(sentence, partial(iou, wrong=wrong))


def of_distance(sentence, wrong):
    """A mistake in the second function."""
    return Mistake(sentence, partial(hausdorff, wrong=wrong))


AREA = (
    of_area("this is Dice, 2 intersection / (a + b): below the line of IoU is the union", "dice"),
    of_area("a + b counts the pixels in both twice: the union counts them once", "sizes"),
    of_area(
        "this is the share of pixels that agree: of the background, too, which is not what IoU is about",
        "accuracy",
    ),
    of_area("divided by the size of one mask only: below the line is the union of both", "recall"),
    of_area("divided by the size of the first mask only: below the line is the union of both", "precision"),
    of_area("divided by all pixels of the image: below the line is the union of both masks", "all pixels"),
)
DISTANCE = (
    of_distance(
        "only the way from a to b: a pixel of b may be far from all of a, so both ways count", "one way"
    ),
    of_distance(
        "only the way from b to a: a pixel of a may be far from all of b, so both ways count", "way back"
    ),
    of_distance("of the two ways the larger one is asked for, not the smaller one", "smaller"),
    of_distance("the means of both ways: the Hausdorff distance is about the worst pixel, a maximum", "mean"),
    of_distance(
        "a mean over the pixels: the Hausdorff distance is about the worst pixel, a maximum", "larger mean"
    ),
    of_distance("the two ways are added: the larger one of them is asked for", "sum"),
    of_distance(
        "this is the shortest of all distances: for each pixel the nearest, then the largest of these",
        "nearest",
    ),
    of_distance(
        "this is the longest of all distances: for each pixel the nearest first, then the largest", "farthest"
    ),
    of_distance("the size of a pixel is not used: distances are in mm", "pixels"),
    of_distance("spacing is (height, width), and so are the places: here they are swapped", "swapped"),
    of_distance(
        "this adds the ways along the rows and the columns: the straight way is the root of the squares",
        "manhattan",
    ),
    of_distance(
        "this is the longer of the ways along rows and columns: the straight way needs both", "chessboard"
    ),
    of_distance("the root is missing: a distance is the root of the sum of squares", "no root"),
)
EMPTY_AREA = Mistake(
    "right for masks with pixels, but two empty masks agree completely: then there is nothing to divide "
    "by, and the answer is 1",
    when=lambda seen: not seen.case["a"].any() and not seen.case["b"].any(),
)
EMPTY = Mistake(
    "right for masks with pixels, but there is no nearest pixel in an empty mask: 0 if both are empty, "
    "infinite if one is",
    when=lambda seen: not seen.case["a"].any() or not seen.case["b"].any(),
)
A, B = np.array([[1, 1, 0, 0, 0]], bool), np.array([[0, 1, 0, 0, 1]], bool)

SPEC = Exercise(
    function="iou",
    checks=[
        Check("IoU", draw=draw, expect=iou, mistakes=AREA, worked=[{"a": A, "b": B}], examples=40),
        Check(
            "IoU of empty masks", draw=draw_empty, expect=iou, mistakes=[EMPTY_AREA], examples=10, stages=()
        ),
        Check(
            "the Hausdorff distance",
            draw=draw_pixels,
            expect=hausdorff,
            use=use_hausdorff,
            mistakes=DISTANCE,
            worked=[{"a": A, "b": B, "spacing": (1.0, 0.5)}],
        ),
        Check(
            "the Hausdorff distance of empty masks",
            draw=draw_empty_pixels,
            expect=hausdorff,
            use=use_hausdorff,
            mistakes=[EMPTY],
            examples=10,
            stages=(),
        ),
    ],
)
