"""What the judge knows about exercise 27."""

from functools import partial
from itertools import product

import numpy as np

from tinyconv.course.exercises import Check, Exercise, Mistake, call

UNWRITTEN = 4096.0
"""What is in y before: larger than any right output."""


def place(bx, by, tx, ty, block, grid, wrong):
    """The row and the column of a thread."""
    across, down = (grid if wrong == "grid" else block)[:2]
    if wrong == "no block":
        bx = by = 0
    row, column = by * down + ty, bx * across + tx
    if wrong == "swapped":
        row, column = bx * across + tx, by * down + ty
    return row, column


def total(x, weight, bias, row, column, columns, wrong):
    """The number that a thread writes."""
    flat, width, (window_rows, window_columns) = x.ravel(), x.shape[1], weight.shape
    result = 0.0 if wrong in ("no bias", "bias last", "bias inside") else bias
    result = float(int(result)) if wrong == "whole" else result
    for i, j in product(range(window_rows), range(window_columns)):
        at = (row + i) * (columns if wrong == "row of y" else width) + column + j
        of = i * window_columns + j
        if wrong == "turned":
            of = weight.size - 1 - of
        result += weight.ravel()[of] * flat[at] + (bias if wrong == "bias inside" else 0.0)
        result = float(int(result)) if wrong == "whole" else result
    if wrong == "bias last":
        return max(result, 0.0) + bias
    result += UNWRITTEN if wrong == "added" else 0.0
    return result if wrong == "no ReLU" else max(result, 0.0)


def fetched(bx, by, block, rows, columns, count):
    """Whether the threads of a block that are within y can fetch so many weights, one after the other."""
    inside = [
        by * block[1] + ty < rows and bx * block[0] + tx < columns for ty, tx in np.ndindex(block[::-1])
    ]
    return all(inside[k % len(inside)] for k in range(count))


def conv_relu(x, weight, bias, grid, block, wrong=""):
    """The reference plays each thread; `wrong` names a mistake."""
    rows, columns = (a - b + 1 for a, b in zip(x.shape, weight.shape, strict=True))
    y = np.full((rows, columns), UNWRITTEN)
    for by, bx, ty, tx in product(range(grid[1]), range(grid[0]), range(block[1]), range(block[0])):
        row, column = place(bx, by, tx, ty, block, grid, wrong)
        if row < rows and column < columns:
            at = column * rows + row if wrong == "column after column" else row * columns + column
            y.ravel()[at] = total(x, weight, bias, row, column, columns, wrong)
            if wrong == "returned" and not fetched(bx, by, block, rows, columns, weight.size):
                y.ravel()[at] = 0.0  # of what is not a number ReLU makes 0
    return y


def launch(x, weight, bias, grid, block):
    """One call of the kernel, with y full of a number that is no right output."""
    y = np.full([a - b + 1 for a, b in zip(x.shape, weight.shape, strict=True)], UNWRITTEN)
    return (call("conv_relu", grid, block, x, weight, bias, y, *x.shape, *weight.shape),)


def case(d, rows, columns, grid, block):
    """An image, such that y has so many rows and columns."""
    window = d.integer(1, 3), d.integer(1, 3)
    x = d.array(rows + window[0] - 1, columns + window[1] - 1)
    bias = d.choice([0.5, -0.75, 1.25])
    return {"x": x, "weight": d.array(*window), "bias": bias, "grid": grid, "block": block}


def draw_one_block(d):
    """As many threads as outputs."""
    rows, columns = d.integer(1, 5), d.integer(1, 5)
    return case(d, rows, columns, (1, 1), (columns, rows))


def draw_blocks(d):
    """Several blocks that fit."""
    block, grid = (d.integer(1, 4), d.integer(1, 4)), (d.integer(1, 3), d.integer(1, 3))
    return case(d, block[1] * grid[1], block[0] * grid[0], grid, block)


def draw_to_spare(d):
    """Blocks of sizes that do not fit, and now and then one more than are needed."""
    block = d.integer(1, 6), d.integer(1, 6)
    rows, columns = d.integer(1, 9), d.integer(1, 9)
    spare = d.integer(0, 1), d.integer(0, 1)
    grid = (-(-columns // block[0]) + spare[0], -(-rows // block[1]) + spare[1])
    return case(d, rows, columns, grid, block)


def wrong(name, sentence):
    """A mistake that the reference can make."""
    return Mistake(sentence, partial(conv_relu, wrong=name))


def error(name, sentence):
    """A mistake that the launch notices."""
    return Mistake(sentence, when=lambda seen: seen.raised(name))


NUMBERS = (
    wrong("no ReLU", "ReLU is missing: a negative sum becomes 0"),
    wrong("no bias", "the bias is missing"),
    wrong("bias inside", "the bias is added once for each weight: it belongs in front of the loops"),
    wrong("bias last", "the bias comes before ReLU, not after it"),
    wrong("whole", "the numbers lose what is behind the point: keep the sum in a float, not in an int"),
    wrong(
        "added",
        "what was in y before is in the sum: begin with a number of the thread's own, and write y once",
    ),
    wrong("turned", "the filter is turned by half a turn: weight[i][j] belongs to x[row + i][column + j]"),
    wrong(
        "swapped",
        "row and column are swapped: x goes across and y goes down, so that .x gives the column",
    ),
    wrong(
        "column after column",
        "the numbers are right, their places are not: y lies row after row, row * columns + column",
    ),
    wrong("row of y", "a row of x has width numbers, not as many as a row of y: (row + i) * width"),
)
UNTOUCHED = Mistake(
    "some numbers of y are never written: each thread needs a row and a column of its own",
    when=lambda seen: (seen.got == UNWRITTEN).any(),
)
BEYOND = error(
    "OutOfBoundsError",
    "a thread goes beyond an array: the loops end before kernel_height and kernel_width; rows of x have "
    "width numbers, rows of the filter kernel_width, rows of y columns",
)
BLOCKS = (
    wrong(
        "no block",
        "right within the first block only: which block a thread is in counts, too, blockIdx * blockDim",
    ),
    wrong("grid", "a block begins at blockIdx * blockDim, the threads of a block; gridDim counts the blocks"),
)
TO_SPARE = (
    error(
        "OutOfBoundsError",
        "threads beyond the last row or column work, too: they return where row >= rows or column >= columns",
    ),
    wrong(
        "returned",
        "threads to spare return before __syncthreads(), and what they should fetch is missing: return "
        "after it",
    ),
    Mistake(
        "right where no thread is to spare: one beyond the last column writes into the next row; both the "
        "row and the column have to be within y",
        when=lambda seen: seen.kind == "values",
    ),
)
ALWAYS = (
    error(
        "CompileError",
        "g++ cannot compile this: look at the line; the parameters have to stay as in the stub",
    ),
    error(
        "RaceError",
        "a thread reads shared memory before another has written it: __syncthreads() has to stand between "
        "the writing and the reading",
    ),
)

SPEC = Exercise(
    function="conv_relu",
    kernel=("const float*", "const float*", "float", "float*", "int", "int", "int", "int"),
    checks=[
        Check(
            name,
            draw=draw,
            expect=conv_relu,
            use=launch,
            mistakes=mistakes,
            examples=24,
            tolerance=1e-5,
            stages=(),
        )
        for name, draw, mistakes in (
            ("one block, a thread for each output", draw_one_block, (*NUMBERS, UNTOUCHED, BEYOND)),
            ("several blocks that fit", draw_blocks, BLOCKS),
            ("threads to spare", draw_to_spare, TO_SPARE),
        )
    ],
    mistakes=ALWAYS,
)
