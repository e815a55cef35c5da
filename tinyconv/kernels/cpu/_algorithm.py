"""Which algorithm a convolution takes: direct, or Winograd with 4x4 or 2x2 outputs a tile.

Direct sums have three ways to fill the vectors: with output channels, with the channels of several
groups, or, for few output channels, with numbers of the sum.

The choice follows an estimate of the time of each, in multiply-adds of one vector, so it depends
on the sizes and on the number of threads alone: the same call always takes the same way. The
constants are measured ones: a transform of one vector of channels takes as long as the number of
multiply-adds that stands here, and the loads and stores around a small matrix product cost a few
steps of the sum. Small images, or many weights for few pixels, thus stay direct or get the smaller
tile; float64, and anything but 3x3 with stride 1, is always direct.

The weight gradient has one way more, a matrix product with all windows written out, where these are few.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from math import ceil, inf, prod
from typing import NamedTuple

from tinyconv.device import conv_algorithm
from tinyconv.kernels.cpu._group_tile import KNOWN_CHANNELS
from tinyconv.kernels.cpu._vector_code import lanes, lanes_for
from tinyconv.kernels.cpu._windows import CACHED_PLANS, Problem

KERNEL = (3, 3)
DIRECT = 0
FLOAT32 = 4
"""Bytes of a number."""
TILES = (4, 2)


class TransformCost(NamedTuple):
    """Multiply-adds that take as long as the transform of one vector of one tile."""

    of_input: int
    of_output: int
    of_weight: int


TRANSFORM_COST = {4: TransformCost(500, 450, 450), 2: TransformCost(180, 170, 300)}
STEPS_AROUND_A_SUM = 4
DIRECT_SLOWDOWN = 1.1
PACKING_COST = 40
"""For one vector of weights of the direct kernels."""
COST_OF_A_SUM, COST_OF_A_FEW = 100, 20
"""For one vector of the sums of the weight gradient, where threads add theirs up and where they do not."""


FEW_TILES = 128
FEW_WEIGHT_BYTES, FEW_WEIGHT_BYTES_OF_GRAD = 2**21, 2**19
"""Transformed weights that a core's cache does not keep beside the tiles."""
MANY_PIXELS, MANY_PIXELS_OF_ONE_TAP = 8, 16
"""For each output channel: with more of them the windows take longer to write than the product saves."""
SMALL_MATRIX, LARGE_MATRIX = 2**18, 2**20
"""Multiply-adds that are worth the product, and numbers of windows that are worth their memory."""


class Fill(Enum):
    """What lies side by side in a vector: output channels, those of several groups, or terms of a sum."""

    COLUMNS = 0
    GROUPS = 1
    TERMS = 2


COST_OF_HALF, COST_LANEWISE = 0.7, 1.6
"""Of a step of half vectors and of one that multiplies lane by lane, in multiply-adds of one vector."""
COST_OF_TERMS = 4
"""Of adding up the lanes of one sum."""


@lru_cache(maxsize=CACHED_PLANS)
def direct_fill(problem: Problem, itemsize: int) -> Fill:
    """The fastest way to fill the vectors, by an estimate of the time for one group."""
    width, columns = lanes(itemsize), problem.columns
    if columns > width:
        return Fill.COLUMNS
    runs = problem.runs()
    steps = sum(pixels * segments * length for pixels, segments, length in runs)
    costs = {
        Fill.COLUMNS: steps * (1 if lanes_for(columns, itemsize) == width else COST_OF_HALF),
        Fill.GROUPS: steps * cost_of_groups(problem, width),
        Fill.TERMS: sum(
            pixels * columns * (segments * ceil(length / width) + COST_OF_TERMS)
            for pixels, segments, length in runs
        ),
    }
    return min(costs, key=lambda fill: costs[fill])


def cost_of_groups(problem: Problem, width: int) -> float:
    """The time of one step with several groups in a vector, for each group; 1 is that of an ordinary step."""
    channels = problem.channels
    if (
        problem.groups == 1
        or channels != problem.columns
        or channels not in KNOWN_CHANNELS
        or 2 * channels > width
    ):
        return inf
    together = min(width // channels, problem.groups)
    return COST_LANEWISE * ceil(problem.groups / together) / problem.groups


def winograd_tile(problem: Problem, itemsize: int, width: int, threads: int, for_weight: bool = False) -> int:
    """The output tile to use, 4 or 2, or `DIRECT`.

    `for_weight` says that the weight gradient is to be computed.
    """
    wanted = conv_algorithm.get()
    if wanted == "direct" or not _is_possible(problem, itemsize, width):
        return DIRECT
    costs = {tile: _winograd_cost(problem, tile, width, threads, for_weight) for tile in TILES}
    best = min(costs, key=lambda tile: costs[tile])
    if wanted == "winograd" or costs[best] < _direct_cost(problem, width, threads):
        return best
    return DIRECT


def has_few_windows(problem: Problem, itemsize: int) -> bool:
    """Whether the weight gradient is one matrix product (`_window_product.py`), if not Winograd's."""
    pixels, weights = prod((problem.batch, *problem.out_size)), prod((problem.channels, *problem.kernel_size))
    most = MANY_PIXELS_OF_ONE_TAP if problem.kernel_size == (1, 1) else MANY_PIXELS
    return (
        itemsize == FLOAT32
        and problem.groups == 1
        and pixels <= most * problem.columns
        and pixels * weights <= LARGE_MATRIX
        and problem.products() > SMALL_MATRIX
    )


def has_few_tiles(problem: Problem, tile: int, itemsize: int, for_weight: bool = False) -> bool:
    """Whether `_winograd_few.py` is the faster: few tiles, many weights."""
    points, tiles = (tile + 2) ** 2, _tiles(problem, tile)
    weights = points * problem.channels * problem.columns * itemsize
    return tiles <= FEW_TILES and weights > (FEW_WEIGHT_BYTES_OF_GRAD if for_weight else FEW_WEIGHT_BYTES)


def _tiles(problem: Problem, tile: int) -> int:
    height, width = problem.out_size
    return problem.batch * ceil(height / tile) * ceil(width / tile)


def _is_possible(problem: Problem, itemsize: int, width: int) -> bool:
    """3x3 with stride 1, whole vectors of channels, float32."""
    return (
        itemsize == FLOAT32
        and problem.kernel_size == KERNEL
        and problem.stride == problem.dilation == (1, 1)
        and problem.groups == 1
        and problem.channels % width == problem.columns % width == 0
        and max(problem.padding) <= 2
    )


def _direct_cost(problem: Problem, width: int, threads: int) -> float:
    pixels = problem.batch * problem.out_size[0] * problem.out_size[1]
    steps = 9 * problem.channels + STEPS_AROUND_A_SUM
    packing = PACKING_COST * 9 * problem.channels
    return (DIRECT_SLOWDOWN * pixels * steps + packing) * (problem.columns / width) / threads


def _winograd_cost(problem: Problem, tile: int, width: int, threads: int, for_weight: bool) -> float:
    cost, points = TRANSFORM_COST[tile], (tile + 2) ** 2
    tiles = _tiles(problem, tile)
    inputs, outputs = problem.channels / width, problem.columns / width
    sums = points * (problem.channels + STEPS_AROUND_A_SUM) * outputs
    of_tiles = ceil(tiles / threads) * (sums + cost.of_input * inputs + cost.of_output * outputs)
    vectors = problem.channels * outputs
    if not for_weight:
        return of_tiles + cost.of_weight * vectors / threads
    if has_few_tiles(problem, tile, FLOAT32, for_weight):
        return of_tiles + COST_OF_A_FEW * points * vectors / threads
    return of_tiles + COST_OF_A_SUM * points * vectors
