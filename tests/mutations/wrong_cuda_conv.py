"""Mistakes in the CUDA convolutions, noticed where they run: on a GPU, or in the emulator."""

from __future__ import annotations

from tests.mutations.mutation import wrong

KERNELS = "kernels/cuda"
CONV = "tests/kernels/cuda/test_conv.py"
OF_TILES = "tests/kernels/cuda/test_products_of_tiles.py"
MATMUL = "tests/kernels/cuda/test_matmul.py"
FUSED = "tests/kernels/cuda/test_fused.py"


def layer(name: str, numbers: str = "float32") -> str:
    return f"{CONV}::test_layers[{name}-{numbers}]"


WINDOWS = (
    wrong(
        "cuda conv: a transposed convolution looks on the wrong side of the padding",
        f"{KERNELS}/windows.cuh",
        "int from = first + g.padding[axis];",
        "int from = first - g.padding[axis];",
        layer("stride 2"),
    ),
    wrong(
        "cuda conv: stride and dilation have no common divisor",
        f"{KERNELS}/windows.cuh",
        "int step = stride / greatest_common_divisor(stride, dilation);",
        "int step = stride;",
        layer("stride and dilation"),
    ),
    wrong(
        "cuda conv: one pixel beyond the border is read",
        f"{KERNELS}/windows.cuh",
        "position < (unsigned)axes[axis].in_size",
        "position <= (unsigned)axes[axis].in_size",
        layer("3x3"),
    ),
    wrong(
        "cuda conv: at the end of a row the pixel goes on in the same row",
        f"{KERNELS}/windows.cuh",
        "if (++output.number[1] < axes[1].count) continue;",
        "if (output.number[1] < axes[1].count) continue;",
        layer("3x3"),
    ),
    wrong(
        "cuda conv: channels that fill up are not zero",
        f"{KERNELS}/_windows.py",
        "room = cupy.zeros(",
        "room = cupy.empty(",
        layer("three channels"),
    ),
)

TILES = (
    wrong(
        "cuda conv: nobody waits for the strips",
        f"{KERNELS}/tile.cuh",
        "    if (!is_last) load.store(strips, (step + 1) % 2);\n    __syncthreads();",
        "    if (!is_last) load.store(strips, (step + 1) % 2);",
        layer("3x3"),
    ),
    wrong(
        "cuda conv: the half that is multiplied is the one that is filled",
        f"{KERNELS}/tile.cuh",
        "tile.multiply(strips, step % 2);",
        "tile.multiply(strips, (step + 1) % 2);",
        layer("3x3"),
    ),
    wrong(
        "cuda conv: the registers of a fragment have changed places",
        f"{KERNELS}/tensor_tile.cuh",
        "first_row + i / 4 * 16 + i % 2 * 8, word + i % 4 / 2 * 4",
        "first_row + i / 4 * 16 + i % 4 / 2 * 8, word + i % 2 * 4",
        layer("3x3", "tf32"),
    ),
    wrong(
        "cuda conv: a word of the gradient has the same pixel twice",
        f"{KERNELS}/tensor_tile.cuh",
        "terms[k] = numbers[k].value[i];",
        "terms[k] = numbers[0].value[i];",
        layer("3x3", "bfloat16"),
    ),
    wrong(
        "cuda conv: cards without tensor cores do not round",
        f"{KERNELS}/_convolution.py",
        "return numbers, *(rounded(array, precision) for array in arrays)",
        "return numbers, *arrays",
        f"{CONV}::test_without_tensor_cores_the_factors_are_rounded_all_the_same",
    ),
)

SUMS = (
    wrong(
        "cuda conv: every line of threads adds all parts",
        f"{KERNELS}/sum_parts.cu",
        "for (int part = line;",
        "for (int part = 0;",
        layer("3x3"),
    ),
    wrong(
        "cuda conv: every part of the terms begins at the first",
        f"{KERNELS}/conv.cu",
        "term = term_of(g, axes, first_step * Tile::DEPTH + first_term);",
        "term = term_of(g, axes, first_term);",
        f"{CONV}::test_long_sums_on_many_multiprocessors[3x3-float32]",
    ),
    wrong(
        "cuda conv: the gradient of the weight is in the order in which it was computed",
        f"{KERNELS}/sum_parts.cu",
        "out[(row * channels + channel) * taps + tap] = sum;",
        "out[i] = sum;",
        layer("3x3"),
    ),
    wrong(
        "cuda conv: the gradient of the bias lacks a line of threads",
        f"{KERNELS}/sum_parts.cu",
        "for (int other = 1; other < down; ++other)",
        "for (int other = 2; other < down; ++other)",
        f"{CONV}::test_gradients_of_weight_and_bias[float64-auto]",
    ),
    wrong(
        "cuda conv: the gradient of the bias is summed from numbers that are not rounded",
        f"{KERNELS}/sum_parts.cu",
        "sum += rounded(format, v);",
        "sum += v;",
        f"{CONV}::test_gradients_of_weight_and_bias[bfloat16-auto]",
    ),
    wrong(
        "cuda conv: all channels have the bias of the first",
        f"{KERNELS}/epilogue.cuh",
        "sum += bias[channel];",
        "sum += bias[0];",
        layer("3x3"),
    ),
    wrong(
        "cuda conv: the fused derivative reads memory in another order",
        f"{KERNELS}/fused.py",
        "sum_of_columns(grad, grad.shape[1], in_order_of(grad, at), Epilogue(activation, numbers))\n"
        "    return before, ",
        "sum_of_columns(grad, grad.shape[1], at, Epilogue(activation, numbers))\n    return before, ",
        f"{FUSED}::test_gradients_in_another_memory_order",
    ),
)

OTHERS = (
    wrong(
        "cuda conv: small groups read the inputs of the groups before",
        f"{KERNELS}/grouped.cu",
        "pixel[(channel + k) / g.out_channels * g.in_channels + c]",
        "pixel[(channel + k) / g.out_channels + c]",
        layer("small groups"),
    ),
    wrong(
        "cuda im2col: dilation is forgotten",
        f"{KERNELS}/im2col.cu",
        "tap[axis] * g.dilation[axis];",
        "tap[axis];",
        f"{CONV}::test_im2col_and_col2im_are_copies_and_their_adjoint",
    ),
    wrong(
        "cuda gradients: a product and the sum after it are rounded together",
        f"{KERNELS}/formulas.cuh",
        "return __fmul_rn(a, b);",
        "return a * b;",
        "tests/kernels/cuda/test_compile.py::test_a_gradient_is_rounded_before_it_is_added_up",
    ),
    wrong(
        "cuda matmul: one factor is not rounded",
        f"{KERNELS}/_products.py",
        "a, b = rounded(a, precision), rounded(b, precision)",
        "a = rounded(a, precision)",
        f"{MATMUL}::test_factors_are_rounded",
    ),
    wrong(
        "cuda matmul: the setting of cuBLAS stays after an error",
        f"{KERNELS}/_products.py",
        "    try:\n        yield\n    finally:\n        put",
        "    if True:\n        yield\n        put",
        f"{MATMUL}::test_the_setting_of_cublas_is_put_back_after_an_error",
    ),
    wrong(
        "cuda matmul: a graph calls cuBLAS",
        f"{KERNELS}/_products.py",
        "if is_for_a_graph() and tiles.is_of_tiles(a, b):",
        "if False:",
        f"{OF_TILES}::test_products",
        f"{OF_TILES}::test_a_captured_step_with_dense_layers_is_a_graph",
    ),
    wrong(
        "cuda matmul: the products of a stack come in the order of the rows",
        f"{KERNELS}/_products_of_tiles.py",
        "y.swapaxes(0, 1)",
        "y",
        f"{OF_TILES}::test_products",
    ),
)

MUTATIONS = (*WINDOWS, *TILES, *SUMS, *OTHERS)
