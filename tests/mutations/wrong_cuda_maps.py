"""Mistakes in the CUDA kernels of pooling, normalisation, softmax, sums and their like.

They run in the emulator where there is no GPU.
"""

from __future__ import annotations

from tests.mutations.mutation import first, wrong

CUDA = "tests/kernels/cuda"
POOL = f"{CUDA}/test_pooling.py"
NORM = f"{CUDA}/test_norm.py"
SOFTMAX = f"{CUDA}/test_softmax.py"
MAPS = f"{CUDA}/test_maps.py"
REGIONS = f"{CUDA}/test_roi_align.py"

POOLING = (
    wrong(
        "cuda max_pool: a NaN does not win",
        "kernels/cuda/boxes.cuh",
        "if (first || value > best.lane[c] || value != value) {",
        "if (first || value > best.lane[c]) {",
        f"{POOL}::test_max_pool_and_the_ways_back",
    ),
    wrong(
        "cuda max_pool: of equals the last wins",
        "kernels/cuda/boxes.cuh",
        "value > best.lane[c]",
        "value >= best.lane[c]",
        f"{POOL}::test_max_pool_and_the_ways_back",
    ),
    wrong(
        "cuda avg_pool: a pixel asks one window too few",
        "kernels/cuda/boxes.cuh",
        "min(place / stride[axis] + 1, maps.out[axis])",
        "min(place / stride[axis] + (stride[axis] > 1), maps.out[axis])",
        f"{POOL}::test_avg_pool_and_its_gradient",
    ),
    wrong(
        "cuda adaptive pooling: a window ends too early",
        "kernels/cuda/boxes.cuh",
        "((window + 1) * n + m - 1) / m",
        "((window + 1) * n) / m",
        f"{POOL}::test_adaptive_pooling",
    ),
    wrong(
        "cuda pool_scatter: windows that reach back are not asked",
        "kernels/cuda/pooling.cu",
        "pixel + reach[axis] + 1",
        "pixel + 1",
        f"{POOL}::test_indices_from_elsewhere_go_where_they_say",
        f"{POOL}::test_max_pool_and_the_ways_back",
    ),
    wrong(
        "cuda pooling: four channels are loaded from where they cannot be",
        "kernels/cuda/_rows.py",
        "return lanes if is_whole and all(array.data.ptr % PACK == 0 for array in arrays) else 1",
        "return lanes if is_whole else 1",
        f"{POOL}::test_arrays_that_begin_anywhere",
    ),
    wrong(
        "cuda pool_gather: an index outside is read",
        "kernels/cuda/pooling.cu",
        "bool inside = pixel >= 0 && pixel < pixels;",
        "bool inside = pixel >= 0;",
        f"{POOL}::test_an_index_outside_is_left_out",
    ),
)

NORMALISATION = (
    wrong(
        "cuda norm: joined moments forget how far the means are apart",
        "kernels/cuda/norm.cu",
        "a.squares + b.squares + apart * apart * (a.count * b.count / count)",
        "a.squares + b.squares + 0 * apart",
        f"{NORM}::test_batch_norm_and_its_gradient",
    ),
    wrong(
        "cuda norm: the mean is rounded before it is subtracted",
        "kernels/cuda/norm.cu",
        "((x[i] - high) - low) * factor + shift",
        "(x[i] - (high + low)) * factor + shift",
        f"{NORM}::test_numbers_whose_mean_no_float32_has",
    ),
    wrong(
        "cuda norm: the squares are around 0",
        "kernels/cuda/norm.cu",
        "T distance = x[strip.begin + row * a.inner] - centre;",
        "centre = 0; T distance = x[strip.begin + row * a.inner] - centre;",
        f"{NORM}::test_statistics_far_from_zero_are_those_of_float64",
        f"{NORM}::test_equal_numbers_have_no_variance",
    ),
    wrong(
        "cuda batch_norm_backward: the bias's share is left out",
        "kernels/cuda/norm.cu",
        "return (grad[i] - offset - (x[i] - centre) * slope) * factor;",
        "return (grad[i] - (x[i] - centre) * slope) * factor;",
        f"{NORM}::test_batch_norm_and_its_gradient",
    ),
    wrong(
        "cuda columns: no barrier between the halves",
        "kernels/cuda/columns.cuh",
        "    __syncthreads();\n    if (threadIdx.y < half)",
        "    if (threadIdx.y < half)",
        f"{NORM}::test_batch_norm_and_its_gradient",
        f"{MAPS}::test_sums_and_extremes_are_numpys",
    ),
    wrong(
        "cuda sums: the last piece is left out",
        "kernels/cuda/columns.cuh",
        "last = min(first + a.rows, a.summed);",
        "last = first + a.rows <= a.summed ? first + a.rows : first;",
        f"{MAPS}::test_many_rows_in_pieces",
        f"{NORM}::test_batch_norm_and_its_gradient",
    ),
    wrong(
        "cuda max: a NaN is dropped",
        "kernels/cuda/reduction.cu",
        "a != a || a > b ? a : b",
        "a > b ? a : b",
        f"{MAPS}::test_nan_and_inf_are_seen",
    ),
)

OTHERS = (
    wrong(
        "cuda softmax: the largest score is not subtracted",
        "kernels/cuda/softmax.cu",
        "return warp_max(best);",
        "return 0 * best;",
        f"{SOFTMAX}::test_nan_and_inf_are_the_references",
    ),
    wrong(
        "cuda softmax_nll: ignored labels count in the mean",
        "kernels/cuda/softmax.cu",
        "    if (labels[row] == ignored) continue;\n",
        "    if (labels[row] == ignored) { count += 1; continue; }\n",
        f"{SOFTMAX}::test_softmax_nll_is_that_of_float64",
    ),
    wrong(
        "cuda logits: the sign of the target",
        "kernels/cuda/binary_loss.cu",
        "return (T(1) - t) * v",
        "return (T(1) + t) * v",
        f"{MAPS}::test_the_loss_of_logits",
    ),
    wrong(
        "cuda resample: the last of the lines is left out",
        "kernels/cuda/resample.cu",
        "k < end; ++k",
        "k < end - 1; ++k",
        f"{MAPS}::test_resampling_and_its_adjoint",
    ),
    wrong(
        "cuda pad: the image is not moved by what is added before it",
        "kernels/cuda/padding.cu",
        "int place = at[axis] - b.before[axis];",
        "int place = at[axis];",
        f"{MAPS}::test_padding_is_numpys_and_cropping_its_inverse",
    ),
    wrong(
        "cuda cat: every array begins at 0",
        "kernels/cuda/shape.py",
        "        begin += width\n",
        "        begin += 0\n",
        f"{MAPS}::test_cat_is_numpys",
    ),
)

ROI_ALIGN = (
    wrong(
        "roi_align: rows and columns are exchanged",
        "kernels/reference/roi_align.py",
        "sides = [(y1, y2 - y1), (x1, x2 - x1)]",
        "sides = [(x1, x2 - x1), (y1, y2 - y1)]",
        "tests/kernels/test_roi_align.py::test_by_hand",
    ),
    wrong(
        "roi_align: points just outside count as nothing",
        "kernels/reference/roi_align.py",
        "inside = (points >= -1) & (points <= pixels)",
        "inside = (points >= 0) & (points <= pixels - 1)",
        "tests/kernels/test_roi_align.py::test_points_outside_are_the_border_pixel_then_nothing",
    ),
    wrong(
        "roi_align: = in the place of += where boxes overlap",
        "kernels/reference/roi_align.py",
        "x[image] += rows.T",
        "x[image] = rows.T",
        "tests/kernels/test_roi_align.py::test_overlapping_boxes_both_give_their_gradient",
    ),
    wrong(
        "roi_align: the gradient is doubled",
        "ops/roi_align.py",
        "return RoIAlignBackward.apply(grad, boxes, ctx.shape, *ctx.options), *[None] * 5",
        "return RoIAlignBackward.apply(grad, boxes, ctx.shape, *ctx.options) * 2, *[None] * 5",
        first("roi_align"),
    ),
    wrong(
        "cuda roi_align: a pixel asks too few bins",
        "kernels/cuda/roi_align.cu",
        "bin_near(sides[axis], pixel[axis] - T(1.01), r.bins[axis])",
        "bin_near(sides[axis], pixel[axis] - T(0.2), r.bins[axis])",
        f"{REGIONS}::test_both_ways_are_the_references",
    ),
)

MUTATIONS = (*POOLING, *NORMALISATION, *OTHERS, *ROI_ALIGN)
