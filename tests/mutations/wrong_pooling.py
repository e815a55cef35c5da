"""Mistakes in pooling and unpooling."""

from __future__ import annotations

from tests.mutations.mutation import first, second, third, twin, wrong

OPS = (
    wrong(
        "max_pool: the gradient is doubled",
        "ops/pooling.py",
        "return PoolScatter.apply(grad, indices, ctx.size), *[None] * 5",
        "return PoolScatter.apply(grad, indices, ctx.size) * 2, *[None] * 5",
        first("max_pool2d"),
    ),
    wrong(
        "max_pool: no second derivative",
        "ops/pooling.py",
        "return PoolGather.apply(grad, indices), None, None",
        "return PoolGather.apply(grad, indices) * 0, None, None",
        second("max_pool2d"),
    ),
    wrong(
        "max_pool: wrong factor in the third derivative",
        "ops/pooling.py",
        "return PoolScatter.apply(grad, indices, ctx.size), None\n",
        "return PoolScatter.apply(grad, indices, ctx.size) * 2, None\n",
        third("max_pool2d"),
    ),
    wrong(
        "max_unpool: wrong sign",
        "ops/unpooling.py",
        "return PoolGather.apply(grad, indices), None, None",
        "return -PoolGather.apply(grad, indices), None, None",
        first("max_unpool2d"),
    ),
    wrong(
        "avg_pool: wrong factor in the second derivative",
        "ops/avg_pooling.py",
        "return AvgPool.apply(grad, *ctx.geometry), *[None] * 6",
        "return AvgPool.apply(grad, *ctx.geometry) / 2, *[None] * 6",
        second("avg_pool2d"),
    ),
    wrong(
        "avg_pool: divisor_override divides the mean, not the sum",
        "ops/avg_pooling.py",
        "counts / divisor",
        "(counts * 0 + 1) / divisor",
        twin("avg_pool2d"),
    ),
    wrong(
        "adaptive_avg_pool: no second derivative",
        "ops/adaptive_pooling.py",
        "return AdaptiveAvgPool.apply(grad, ctx.size), None",
        "return AdaptiveAvgPool.apply(grad, ctx.size) * 0, None",
        second("adaptive_avg_pool2d"),
    ),
    wrong(
        "adaptive_max_pool: the gradient has the wrong sign",
        "ops/adaptive_pooling.py",
        "return PoolScatter.apply(grad, indices, ctx.size), None",
        "return -PoolScatter.apply(grad, indices, ctx.size), None",
        first("adaptive_max_pool2d"),
    ),
    wrong(
        "lp_pool: the mean of the powers in the place of their sum",
        "ops/lp_pooling.py",
        "ceil_mode, True, None) * pixels",
        "ceil_mode, True, None) * 1",
        twin("lp_pool2d"),
    ),
    wrong(
        "rows of zeros at the end: no gradient passes them",
        "ops/_images.py",
        "IndexScatter.apply(x, tuple",
        "IndexScatter.apply(x.detach(), tuple",
        first("conv2d"),
        twin("conv2d"),
    ),
)

REFERENCE = (
    wrong(
        "reference: max_pool pads with zeros",
        "kernels/reference/pooling.py",
        "        better &= position >= 0\n",
        "",
        "tests/kernels/test_pooling.py::test_padding_never_wins_and_ties_go_to_the_first",
        twin("max_pool2d"),
    ),
    wrong(
        "reference: max_pool never finds a negative maximum",
        "kernels/reference/pooling.py",
        "(value > y) | (value != value) | (indices < 0)",
        "(value > y) | (value != value)",
        twin("max_pool2d"),
    ),
    wrong(
        "reference: the last of equal maxima gets the gradient",
        "kernels/reference/pooling.py",
        "better = (value > y) |",
        "better = (value >= y) |",
        "tests/kernels/test_pooling.py::test_padding_never_wins_and_ties_go_to_the_first",
    ),
    wrong(
        "reference: max_pool ignores dilation",
        "kernels/reference/pooling.py",
        "slice(t * d, t * d + (o - 1) * s + 1, s)",
        "slice(t, t + (o - 1) * s + 1, s)",
        twin("max_pool2d"),
    ),
    wrong(
        "reference: = in the place of += where pooling windows overlap",
        "kernels/reference/pooling.py",
        "xp.add.at(flat, _flat_positions(indices), x.reshape(flat.shape[0], prod(x.shape[2:])))",
        "flat[_flat_positions(indices)] = x.reshape(flat.shape[0], prod(x.shape[2:]))",
        first("max_pool2d"),
    ),
    wrong(
        "reference: the gradient of padded averages is divided by the whole window",
        "kernels/reference/pooling.py",
        "share = grad / xp.asarray(counts, dtype=grad.dtype)",
        "share = grad / grad.dtype.type(prod(kernel_size))",
        first("avg_pool2d"),
    ),
    wrong(
        "reference: = in the place of += where averages overlap",
        "kernels/reference/pooling.py",
        "stride, dilation))] += share",
        "stride, dilation))] = share",
        first("avg_pool2d"),
    ),
    wrong(
        "reference: the gradient of averages is cropped at the wrong end",
        "kernels/reference/pooling.py",
        "padded[(..., *[slice(p, p + n) for n, p in zip(size, padding, strict=True)])]",
        "padded[(..., *[slice(0, n) for n in size])]",
        first("avg_pool2d"),
    ),
    wrong(
        "reference: count_include_pad is turned around",
        "kernels/reference/pooling.py",
        "low, high = (-p, n + p) if count_include_pad else (0, n)",
        "low, high = (0, n) if count_include_pad else (-p, n + p)",
        twin("avg_pool2d"),
    ),
    wrong(
        "reference: ceil_mode keeps windows that begin in the padding",
        "kernels/reference/pooling.py",
        "            windows -= 1\n",
        "            windows -= 0\n",
        twin("avg_pool2d"),
    ),
    wrong(
        "reference: adaptive averages give each pixel the whole gradient",
        "kernels/reference/adaptive_pooling.py",
        "grad[_along(axis, slice(i, i + 1))] / int(end - start)",
        "grad[_along(axis, slice(i, i + 1))]",
        first("adaptive_avg_pool2d"),
    ),
    wrong(
        "reference: = in the place of += where adaptive windows overlap",
        "kernels/reference/adaptive_pooling.py",
        "slice(start, end))] += share",
        "slice(start, end))] = share + grad.dtype.type(0) * x_grad[_along(axis, slice(start, end))]",
        first("adaptive_avg_pool2d"),
    ),
)

MUTATIONS = (*OPS, *REFERENCE)
