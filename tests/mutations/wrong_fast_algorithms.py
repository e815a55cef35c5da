"""Mistakes in the Numba kernels of Winograd's and volume convolutions, and of normalisation."""

from __future__ import annotations

from tests.mutations.mutation import wrong

LAYERS = "tests/kernels/test_conv.py::test_layers_of_several_bands"
VOLUMES = "tests/kernels/test_conv.py::test_three_dimensions"
WINOGRAD = "tests/kernels/test_winograd.py::test_agrees_with_the_float64_reference"
CHOICE = "tests/kernels/test_winograd.py::test_auto_takes_winograd_for_large_layers_and_direct_for_the_rest"
BIAS = "tests/kernels/test_winograd.py::test_bias_gradient_is_the_sum_of_each_channel"
NORM = "tests/kernels/test_norm.py::test_fast_batch_norm_is_that_of_the_float64_reference"

MUTATIONS = (
    wrong(
        "winograd: taken for strided convolutions too",
        "kernels/cpu/_algorithm.py",
        "problem.stride == problem.dilation == (1, 1)",
        "problem.dilation == (1, 1)",
        CHOICE,
    ),
    wrong(
        "winograd: the kernel is not turned around for the input gradient",
        "kernels/cpu/_winograd_weights.py",
        " if turned else (taps, width)",
        " if turned > 1 else (taps, width)",
        WINOGRAD,
    ),
    wrong(
        "winograd: a tile begins as far to the left as it does above",
        "kernels/cpu/_winograd.py",
        "% sizes.tiles_w * sizes.tile - sizes.padding_w",
        "% sizes.tiles_w * sizes.tile - sizes.padding_h",
        WINOGRAD,
    ),
    wrong(
        "winograd: a wrong number in the transform of the output",
        "kernels/cpu/_winograd_transform.py",
        "(0, 0, 1, 0, 8, 1)",
        "(0, 0, 1, 0, 4, 1)",
        WINOGRAD,
    ),
    wrong(
        "winograd: the bias gradient has the last tile of a block only",
        "kernels/cpu/_winograd_grad.py",
        "                total += z[z_first + t * columns + c]",
        "                total = z[z_first + t * columns + c]",
        BIAS,
    ),
    wrong(
        "winograd: the gradients of some input channels are those of their neighbours",
        "kernels/cpu/_winograd_weights.py",
        "gradient, target + r, column_step)",
        "gradient, target, column_step)",
        WINOGRAD,
    ),
    wrong(
        "vectors: a sum of several has the first one only",
        "kernels/cpu/_moves.py",
        "builder.store(builder.gep(builder.load(place), [step]), place)",
        "builder.store(builder.load(place), place)",
        "tests/kernels/test_moves.py::test_vectors_are_added",
    ),
    wrong(
        "volumes: the weight gradient of the last piece only",
        "kernels/cpu/_volume.py",
        "        total += weight_grad_planes(",
        "        total[...] = weight_grad_planes(",
        VOLUMES,
    ),
    wrong(
        "volumes: the groups of the weight gradient in the wrong order",
        "kernels/cpu/conv.py",
        "np.concatenate(parts)",
        "np.concatenate(parts[::-1])",
        VOLUMES,
    ),
    wrong(
        "fast sum: of the first block only",
        "kernels/cpu/reduction.py",
        "blocks.sum(axis=1)",
        "blocks[:, 0]",
        "tests/kernels/test_reduction.py",
    ),
    wrong(
        "fast normalisation: the shift is forgotten",
        "kernels/cpu/norm.py",
        "factor[c] + shift[c]",
        "factor[c]",
        NORM,
    ),
    wrong(
        "fast normalisation: the gradient's term of the variance is missing",
        "kernels/cpu/norm.py",
        "g[c] - base[c] - (value[c] - centre[c]) * tilt[c]",
        "g[c] - base[c]",
        NORM,
    ),
    wrong(
        "fast group norm: the channels' means have no spread",
        "kernels/cpu/norm.py",
        "plan.together(variances + np.square(means - mean))",
        "plan.together(variances)",
        "tests/kernels/test_norm.py::test_fast_normalize_of_groups_of_channels",
    ),
    wrong(
        "vector code: a masked store writes one number too many",
        "kernels/cpu/_vector_code.py",
        'icmp_signed("<", lane',
        'icmp_signed("<=", lane',
        "tests/kernels/test_microkernel.py::test_masked_store_leaves_the_rest_alone",
    ),
    wrong(
        "fast max pooling of volumes: a NaN does not win",
        "kernels/cpu/_pool_tile.py",
        'builder.fcmp_unordered("uno", value, value)',
        'builder.fcmp_unordered("uno", so_far, so_far)',
        "tests/kernels/test_pooling.py::test_nan_wins_in_a_volume",
    ),
    wrong(
        "fast resampling: the adjoint has the weights of the map's order",
        "kernels/cpu/resample.py",
        "weights.ravel()[order])",
        "weights.ravel())",
        "tests/kernels/test_resample.py::test_fast_is_the_float64_reference",
    ),
    wrong(
        "fast max pooling: the last of equals wins",
        "kernels/cpu/_pool_tile.py",
        'fcmp_ordered(">", value',
        'fcmp_ordered(">=", value',
        "tests/kernels/test_pooling.py::test_halving_and_its_gradient_are_the_reference",
    ),
    wrong(
        "fast spreading: an index in another window is not noticed",
        "kernels/cpu/_pool_tile.py",
        "missing = self.builder.not_(found)",
        "missing = self.builder.xor(found, found)",
        "tests/kernels/test_pooling.py::test_indices_from_elsewhere_go_where_they_say",
    ),
    wrong(
        "winograd of few tiles: only the last input channels count",
        "kernels/cpu/_winograd_few.py",
        "zeros, wide, first == 0, width",
        "zeros, wide, True, width",
        "tests/kernels/test_winograd.py::test_layers_of_several_blocks",
    ),
    wrong(
        "winograd of few tiles: the last block of columns is read as a full one",
        "kernels/cpu/_winograd_few.py",
        "source = m_first + point * apart(sizes.block, 2 * width) + t * 2 * width",
        "source = m_first + point * apart(sizes.block, 2 * width) + t * width",
        "tests/kernels/test_winograd.py::test_agrees_with_the_float64_reference",
    ),
)
