"""Which algorithm a convolution takes: direct, or Winograd with 4x4 or 2x2 outputs a tile.

The choice follows an estimate of the time of each, in multiply-adds of one vector, so it depends
on the sizes and on the number of threads alone: the same call always takes the same way. The
constants are measured ones: a transform of one vector of channels takes as long as the number of
multiply-adds that stands here, and the loads and stores around a small matrix product cost a few
steps of the sum. Small images, or many weights for few pixels, thus stay direct or get the smaller
tile; float64, and anything but 3x3 with stride 1, is always direct.
"""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

from tinyconv.device import conv_algorithm
from tinyconv.kernels.cpu._windows import Problem

KERNEL = (3, 3)
DIRECT = 0
TILES = (4, 2)


class TransformCost(NamedTuple):
    """Multiply-adds that take as long as the transform of one vector of one tile."""

    of_input: int
    of_output: int
    of_weight: int


TRANSFORM_COST = {4: TransformCost(500, 450, 150), 2: TransformCost(180, 170, 90)}
STEPS_AROUND_A_SUM = 4
DIRECT_SLOWDOWN = 1.1
COST_OF_A_PART = 8


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


def _is_possible(problem: Problem, itemsize: int, width: int) -> bool:
    """3x3 with stride 1, whole vectors of channels, float32."""
    return (
        itemsize == 4
        and problem.kernel_size == KERNEL
        and problem.stride == problem.dilation == (1, 1)
        and problem.groups == 1
        and problem.channels % width == problem.columns % width == 0
        and max(problem.padding) <= 2
    )


def _direct_cost(problem: Problem, width: int, threads: int) -> float:
    pixels = problem.batch * problem.out_size[0] * problem.out_size[1]
    steps = 9 * problem.channels + STEPS_AROUND_A_SUM
    return DIRECT_SLOWDOWN * pixels * steps * (problem.columns / width) / threads


def _winograd_cost(problem: Problem, tile: int, width: int, threads: int, for_weight: bool) -> float:
    cost, points = TRANSFORM_COST[tile], (tile + 2) ** 2
    tiles = problem.batch * ceil(problem.out_size[0] / tile) * ceil(problem.out_size[1] / tile)
    inputs, outputs = problem.channels / width, problem.columns / width
    sums = points * (problem.channels + STEPS_AROUND_A_SUM) * outputs
    of_tiles = ceil(tiles / threads) * (sums + cost.of_input * inputs + cost.of_output * outputs)
    of_weights = cost.of_weight * problem.channels * outputs / threads
    of_parts = COST_OF_A_PART * points * problem.channels * outputs if for_weight else 0
    return of_tiles + of_weights + of_parts
