"""What the judge knows about exercise 16."""

import numpy as np

from tinyconv.course.exercises import Check, Exercise, Mistake


def receptive_field(layers, place):
    """By definition: all pixels that are needed, layer by layer."""
    needed = {place}
    for kernel_size, stride, padding, dilation in reversed(layers):
        needed = {i * stride - padding + k * dilation for i in needed for k in range(kernel_size)}
    return min(needed), max(needed)


def draw(d):
    """Up to five layers, most of them small."""
    layers = [
        (d.choice([3, 2, 1, 5]), d.choice([1, 2, 3]), d.integer(0, 2), d.choice([1, 1, 2, 3]))
        for _ in range(d.integer(0, 5))
    ]
    return {"layers": layers, "place": d.choice([*range(7), -1, -2, -5])}


def whole(got, layers, place):
    """What is wrong if the right numbers are no integers."""
    if isinstance(got, tuple | list) and any(isinstance(pixel, float | np.floating) for pixel in got):
        return f"the result is {got!r}, expected two integers"
    return ""


def with_layers(change):
    """The receptive field of layers that are read in another way."""

    def wrong(layers, place):
        return receptive_field([change(*layer) for layer in layers], place)

    return wrong


def not_stretched(layers, place):
    """The reaches of all kernels added up, without the strides before them."""
    first, _ = receptive_field(layers, place)
    return first, first + sum(dilation * (kernel - 1) for kernel, _, _, dilation in layers)


def stretched_too_early(layers, place):
    """From the first layer on, with the stride of a layer applied to its own kernel."""
    first, step, reach = receptive_field(layers, place)[0], 1, 0
    for kernel_size, stride, _, dilation in layers:
        step *= stride
        reach += dilation * (kernel_size - 1) * step
    return first, first + reach


def one_too_many(layers, place):
    """A window of k numbers is taken to end k after its beginning."""
    first = last = place
    for kernel_size, stride, padding, dilation in reversed(layers):
        first, last = first * stride - padding, last * stride - padding + dilation * kernel_size
    return first, last


def cut(layers, place):
    """Only pixels from 0 on."""
    first, last = receptive_field(layers, place)
    return max(first, 0), max(last, 0)


MISTAKES = (
    Mistake(
        "the layers are gone through from the first to the last: begin with the last one, whose place you "
        "know",
        lambda layers, place: receptive_field(layers[::-1], place),
    ),
    Mistake(
        "the dilation is left out: a window reaches over dilation * (kernel_size - 1), and one more",
        with_layers(lambda kernel_size, stride, padding, dilation: (kernel_size, stride, padding, 1)),
    ),
    Mistake(
        "the padding is left out: with it each window begins padding pixels further to the left",
        with_layers(lambda kernel_size, stride, padding, dilation: (kernel_size, stride, 0, dilation)),
    ),
    Mistake(
        "the padding has the wrong sign: it stands before the image, so windows begin further to the left",
        with_layers(lambda kernel_size, stride, padding, dilation: (kernel_size, stride, -padding, dilation)),
    ),
    Mistake(
        "the stride is left out: place i begins at i * stride",
        with_layers(lambda kernel_size, stride, padding, dilation: (kernel_size, 1, padding, dilation)),
    ),
    Mistake(
        "first is right, but last is not: what a layer reaches over counts in its own places, and the "
        "strides of the layers before it stretch that",
        not_stretched,
    ),
    Mistake(
        "first is right, but a layer's stride is applied to its own kernel: only the strides of the layers "
        "before it stretch that",
        stretched_too_early,
    ),
    Mistake(
        "last is too large: a window of kernel_size numbers ends kernel_size - 1 after its beginning",
        one_too_many,
    ),
    Mistake("pixels have whole numbers: / gives a float, // an int", when=lambda seen: seen.kind == "rule"),
    Mistake("the border is cut off: pixels of the padding count, and have negative numbers", cut),
    Mistake(
        "this is the size of the field: return its first and its last pixel",
        when=lambda seen: seen.kind == "type" and isinstance(seen.got, int),
    ),
)

SPEC = Exercise(
    function="receptive_field",
    checks=[
        Check(
            "the receptive field",
            draw=draw,
            expect=receptive_field,
            accept=whole,
            outputs=("the first pixel", "the last pixel"),
            mistakes=MISTAKES,
            worked=[
                {"layers": [(3, 2, 0, 1), (3, 1, 0, 1)], "place": 5},
                {"layers": [(3, 1, 0, 1), (3, 1, 0, 1)], "place": 0},
                {"layers": [(3, 1, 1, 1), (3, 1, 1, 1), (2, 2, 0, 1)] * 4, "place": 3},
            ],
            examples=80,
        )
    ],
)
