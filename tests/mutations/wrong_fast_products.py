"""Mistakes in the Numba kernels of convolutions and matrix products."""

from __future__ import annotations

from tests.mutations.mutation import wrong

KERNELS = "tests/kernels"
MATMUL = f"{KERNELS}/test_matmul.py"
CONV = f"{KERNELS}/test_conv.py::test_float32_agrees_with_the_float64_reference"

MUTATIONS = (
    wrong(
        "fast conv: stride and dilation are swapped",
        "kernels/cpu/_windows.py",
        "return (Axis(taps, tuple(t * dilation - padding for t in taps), stride, 0, 1, outputs),)",
        "return (Axis(taps, tuple(t * stride - padding for t in taps), stride, 0, 1, outputs),)",
        CONV,
    ),
    wrong(
        "fast transposed conv: the kernel is not turned around",
        "kernels/cpu/_windows.py",
        "taps = tuple(t for t in reversed(range(kernel)) if",
        "taps = tuple(kernel - 1 - t for t in reversed(range(kernel)) if",
        CONV,
    ),
    wrong(
        "fast weight gradient: dilation is forgotten",
        "kernels/cpu/_weight_grad.py",
        "i * problem.dilation[0] * pitch + j * problem.dilation[1] * channels + c",
        "i * pitch + j * channels + c",
        CONV,
    ),
    wrong(
        "fast weight gradient: only the first part of the batch",
        "kernels/cpu/_weight_grad.py",
        "                        total += partial[part * part_step + j]",
        "                        total += 0 * partial[part * part_step + j]",
        CONV,
        f"{KERNELS}/test_conv.py::test_layers_of_several_bands",
    ),
    wrong(
        "fast conv: groups read the input of the first",
        "kernels/cpu/_sweep.py",
        "x.flat, x.start + image * x.steps[0] + group * sizes.channels * x.steps[1], x.steps,",
        "x.flat, x.start + image * x.steps[0], x.steps,",
        CONV,
    ),
    wrong(
        "fast conv: groups have the bias of the first",
        "kernels/cpu/_pack.py",
        "bias_flat[bias_start + (g * columns + begin + j) * bias_step]",
        "bias_flat[bias_start + (begin + j) * bias_step]",
        CONV,
    ),
    wrong(
        "fast conv: no bias",
        "kernels/cpu/_pack.py",
        "packed_bias[g * padded + begin + j] = value",
        "packed_bias[g * padded + begin + j] = 0 * value",
        CONV,
    ),
    wrong(
        "fast conv: the padding on the left is one pixel too narrow",
        "kernels/cpu/layout.py",
        "origin = start + n * image_step + h * row_step + (left + begin) * pixel_step",
        "origin = start + n * image_step + h * row_step + max(left + begin - 1, 0) * pixel_step",
        CONV,
    ),
    wrong(
        "fast conv: groups divide the input's channels wrongly",
        "kernels/cpu/_planes.py",
        "steps_of_groups = in_step * problem.channels, in_step",
        "steps_of_groups = 0 * in_step, in_step",
        CONV,
    ),
    wrong(
        "fast conv: rows and columns of the kernel are swapped",
        "kernels/cpu/_planes.py",
        "out_step * problem.columns, in_step, out_step, h_step, w_step",
        "out_step * problem.columns, in_step, out_step, w_step, h_step",
        CONV,
        f"{KERNELS}/test_conv.py::test_layers_of_several_bands",
    ),
    wrong(
        "micro-kernel: = in the place of +=",
        "kernels/cpu/microkernel.py",
        "builder.fadd(total[i, j], before)",
        "total[i, j]",
        f"{KERNELS}/test_microkernel.py::test_full_tile",
    ),
    wrong(
        "fast product: long sums lose all but their last piece",
        "kernels/cpu/_gemm.py",
        "first == 0 and not filled, segment, width",
        "not filled, segment, width",
        f"{MATMUL}::test_accuracy_of_long_sums",
    ),
    wrong(
        "fast product: a row product is not turned back",
        "kernels/cpu/matmul.py",
        "return _gemm(b.T, a.T, bias, True).T",
        "return _gemm(b.T, a.T, bias, True).reshape(a.shape[0], -1)",
        f"{MATMUL}::test_product_of_whole_numbers_is_exact",
    ),
    wrong(
        "fast product: the bias of the rows is overwritten",
        "kernels/cpu/_gemm.py",
        "filled = by_row and bias.size > 0",
        "filled = False",
        f"{MATMUL}::test_linear_of_whole_numbers_is_exact",
    ),
    wrong(
        "fast product: low tiles begin a row too late",
        "kernels/cpu/_gemm.py",
        "best, least = min(tiles * high, rows), covered",
        "best, least = min(tiles * high + 1, rows), covered",
        f"{MATMUL}::test_product_of_whole_numbers_is_exact",
    ),
    wrong(
        "fast product: what is copied square by square is not turned",
        "kernels/cpu/_moves.py",
        "while bit < width:",
        "while bit < width // 2:",
        f"{MATMUL}::test_product_of_whole_numbers_is_exact",
    ),
    wrong(
        "fast product: columns are copied beyond the last",
        "kernels/cpu/_gemm.py",
        "copy_valid(b, source + j, panel, i * wide + j, valid - j)",
        "copy_valid(b, source + j, panel, i * wide + j, 1)",
        f"{MATMUL}::test_product_of_whole_numbers_is_exact",
    ),
    wrong(
        "fast linear: the input's gradient of a turned input is not turned back",
        "kernels/cpu/matmul.py",
        "matmul(weight.T, grad.T).T if",
        "matmul(weight.T, grad.T).reshape(grad.shape[0], -1) if",
        f"{MATMUL}::test_gradients_of_linear_are_those_of_float64",
    ),
    wrong(
        "fast sum of rows: the last is left out",
        "kernels/cpu/reduction.py",
        "    for i in range(x.shape[0]):\n        row = x[i]\n",
        "    for i in range(x.shape[0] - 1):\n        row = x[i]\n",
        f"{KERNELS}/test_reduction.py",
        f"{MATMUL}::test_gradients_of_linear_are_those_of_float64",
    ),
    wrong(
        "micro-kernel: a partly valid vector is read beyond its end",
        "kernels/cpu/microkernel.py",
        "emit.load_valid(targets[i], j, valid) if partly else",
        "emit.load_valid(targets[i], j, emit.index(0)) if partly else",
        f"{KERNELS}/test_microkernel.py::test_masked_store_leaves_the_rest_alone",
    ),
    wrong(
        "few rows: only the first piece of each counts",
        "kernels/cpu/_dots.py",
        "for first in range(0, size, PIECE):",
        "for first in range(0, min(size, PIECE), PIECE):",
        f"{KERNELS}/test_matmul.py::test_accuracy_of_long_sums",
    ),
    wrong(
        "few rows: the bias goes along the rows",
        "kernels/cpu/matmul.py",
        "return _few(b.T, a, bias)",
        "return _few(b.T, a, bias[:1])",
        f"{KERNELS}/test_matmul.py::test_linear_of_whole_numbers_is_exact",
    ),
    wrong(
        "few columns: what begins the sums is forgotten",
        "kernels/cpu/matmul.py",
        "y[...] = start if start.size else 0",
        "y[...] = 0",
        f"{KERNELS}/test_matmul.py::test_linear_of_whole_numbers_is_exact",
    ),
    wrong(
        "memory: backward strides start at the wrong end",
        "kernels/cpu/memory.py",
        "start = -sum(r for r in reach if r < 0)",
        "start = 0 * -sum(r for r in reach if r < 0)",
        f"{KERNELS}/test_memory.py::test_every_element_is_found_and_nothing_is_copied",
    ),
)
