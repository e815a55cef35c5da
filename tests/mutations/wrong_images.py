"""Mistakes in padding, resizing, sampling, shuffling and embeddings."""

from __future__ import annotations

from tests.mutations.mutation import first, saved, second, twin, wrong

RESIZING = (
    wrong(
        "interpolate: the two weights are swapped",
        "ops/interpolate.py",
        "np.stack([1 - weight, weight], axis=1)",
        "np.stack([weight, 1 - weight], axis=1)",
        twin("interpolate1"),
    ),
    wrong(
        "interpolate: align_corners scales as without",
        "ops/interpolate.py",
        "(n_in - 1) / max(n_out - 1, 1)",
        "n_in / n_out",
        twin("interpolate1"),
    ),
    wrong(
        "interpolate: half a pixel off",
        "ops/interpolate.py",
        "x = (output + 0.5) * step - 0.5",
        "x = output * step",
        twin("interpolate1"),
    ),
    wrong(
        "interpolate: cubic weights with another parameter",
        "ops/interpolate.py",
        "a: float = -0.75",
        "a: float = -0.5",
        twin("interpolate2"),
    ),
    wrong(
        "resample: wrong factor in the second derivative",
        "ops/resample.py",
        "return Resample.apply(grad, *ctx.map), None",
        "return Resample.apply(grad, *ctx.map) * 2, None",
        second("interpolate1"),
    ),
    wrong(
        "resample: the gradient goes to the rows backwards",
        "ops/resample.py",
        "return ResampleAdjoint.apply(grad, *ctx.map, ctx.size), None",
        "positions, *others = ctx.map\n"
        "        return ResampleAdjoint.apply(grad, ctx.size - 1 - positions, *others, ctx.size), None",
        first("interpolate1"),
    ),
    wrong(
        "reference: the adjoint forgets the weights",
        "kernels/reference/resample.py",
        "shares = _weighted(shares, weights.ravel()[order], axis)",
        "shares = _weighted(shares, weights.ravel()[order] * 0 + 1, axis)",
        first("interpolate1"),
    ),
    wrong(
        "reference: = in the place of += where pixels are used twice",
        "kernels/reference/resample.py",
        "xp.add.reduceat(shares, starts, axis)",
        "xp.take(shares, starts, axis)",
        first("interpolate1"),
    ),
)

SAMPLING = (
    wrong(
        "grid_sample: x and y are swapped",
        "ops/grid.py",
        "grid[..., -1 - axis]",
        "grid[..., axis]",
        "tests/ops/test_grid.py::test_x_comes_before_y",
    ),
    wrong(
        "grid_sample: reflection forgets its sign in the gradient",
        "ops/grid.py",
        "slope = module.where(even, 1, -1) * module.where(x < low, -1, 1)",
        "slope = module.where(even, 1, -1)",
        first("grid_sample"),
        twin("grid_sample"),
    ),
    wrong(
        "grid_sample: cubic weights in the wrong order",
        "ops/grid.py",
        "near(part), near(1 - part)",
        "near(1 - part), near(part)",
        twin("grid_sample"),
    ),
    wrong(
        "grid_sample: align_corners is one pixel too wide",
        "ops/grid.py",
        "(coordinate + 1) * ((n - 1) / 2) if align",
        "(coordinate + 1) * (n / 2) if align",
        twin("grid_sample"),
    ),
    wrong(
        "grid_sample: the position gets no gradient",
        "ops/grid.py",
        "part = x - Tensor(before)",
        "part = x.detach() - Tensor(before)",
        first("grid_sample"),
    ),
    wrong(
        "affine_grid: y before x",
        "ops/grid.py",
        'mesh = module.meshgrid(*axes, indexing="ij")[::-1]',
        'mesh = module.meshgrid(*axes, indexing="ij")',
        twin("affine_grid"),
    ),
)

PIXELS = (
    wrong(
        "pixel_shuffle: rows and columns of the small squares are swapped",
        "ops/pixel_shuffle.py",
        "(0, 3, 1, 4, 2)",
        "(0, 3, 2, 4, 1)",
        twin("pixel_shuffle"),
    ),
    wrong(
        "pixel_unshuffle: rows and columns of the small squares are swapped",
        "ops/pixel_shuffle.py",
        "(0, 2, 4, 1, 3)",
        "(0, 4, 2, 1, 3)",
        twin("pixel_unshuffle"),
    ),
    wrong(
        "pad: the gradient is cropped at the wrong ends",
        "ops/padding.py",
        "tuple((-before, -after) for before, after in widths)",
        "tuple((-after, -before) for before, after in widths)",
        first("pad"),
    ),
    wrong(
        "pad: reflection repeats the border",
        "ops/padding.py",
        "abs(size - 1 - abs(positions))",
        "abs(size - 1 - abs(positions + (positions < 0)))",
        twin("pad"),
    ),
    wrong(
        "reference: constant padding is always 0",
        "kernels/reference/padding.py",
        "full_like(x, value, shape=shape)",
        "full_like(x, 0, shape=shape)",
        twin("pad"),
    ),
    wrong(
        "embedding: the padding row learns",
        "ops/embedding.py",
        "where(Tensor(is_padding[..., None]), taken.detach(), taken)",
        "taken",
        "tests/nn/test_spatial.py::test_padding_row_stays_without_gradient_of_any_order",
    ),
    wrong(
        "embedding: changed numbers are used in backward",
        "ops/embedding.py",
        "take_rows(weight, input.array.copy())",
        "take_rows(weight, input.array)",
        saved("embedding"),
    ),
)

MUTATIONS = (*RESIZING, *SAMPLING, *PIXELS)
