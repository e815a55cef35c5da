"""Mistakes in matrix products and convolutions."""

from __future__ import annotations

from tests.mutations.mutation import first, second, third, twin, wrong

MATRICES = (
    wrong(
        "linear: the bias gets the mean over the batch",
        "kernels/reference/matmul.py",
        "grad.sum(axis=0) if wants_bias",
        "grad.mean(axis=0) if wants_bias",
        first("linear"),
    ),
    wrong(
        "linear: the weight's gradient is of the first row only",
        "kernels/reference/matmul.py",
        "matmul(grad.T, x) if wants_weight",
        "matmul(grad[:1].T, x[:1]) if wants_weight",
        first("linear"),
    ),
    wrong(
        "linear: gradients that nobody wants shift the others",
        "ops/matmul.py",
        "tuple([next(found) if needed else None for needed in ctx.needs_input_grad])",
        "tuple([next(found, None) for needed in ctx.needs_input_grad])",
        "tests/ops/test_products.py::test_gradients_of_a_linear_layer_of_which_some_are_wanted",
    ),
    wrong(
        "linear: no second derivative from the weight's gradient to the input",
        "ops/matmul.py",
        "MatMul.apply(grad, v) if needs_x and v is not None",
        "MatMul.apply(grad, v) * 0 if needs_x and v is not None",
        second("linear"),
    ),
    wrong(
        "linear: no second derivative from the bias' gradient",
        "ops/matmul.py",
        "[expand(w, grad.shape)] if w is not None",
        "[expand(w, grad.shape) * 0] if w is not None",
        second("linear"),
    ),
    wrong(
        "matmul: no second derivative through the first factor",
        "ops/matmul.py",
        "MatMul.apply(transpose(a, -1, -2), grad)",
        "MatMul.apply(transpose(a.detach(), -1, -2), grad)",
        second("matmul"),
    ),
    wrong(
        "matmul: the second gradient loses its sum over stacks",
        "ops/matmul.py",
        "unbroadcast(MatMul.apply(transpose(a, -1, -2), grad), b.shape) if needs_b",
        "unbroadcast(MatMul.apply(transpose(a, -1, -2), grad), b.shape) / a.shape[0] if needs_b",
        first("matmul"),
    ),
    wrong(
        "einsum: the gradient's axes come in the wrong order",
        "ops/einsum.py",
        "EinSum.apply(labels, own, grad",
        "EinSum.apply(labels, own[::-1], grad",
        first("einsum0"),
    ),
    wrong(
        "einsum: the other factors are swapped",
        "ops/einsum.py",
        "grad, *factors[:i], *factors[i + 1 :]",
        "grad, *factors[i + 1 :], *factors[:i]",
        twin("einsum1"),
    ),
    wrong(
        "einsum: a letter that nothing else has is not summed over",
        "ops/einsum.py",
        "(sum_(x, alone) if alone else x)",
        "(sum_(x, alone) / 2 if alone else x)",
        twin("einsum0"),
    ),
)

CONVOLUTIONS = (
    wrong(
        "convolution: the input's gradient with the kernel not flipped",
        "ops/conv.py",
        "ConvTranspose.apply(grad, weight, None, x.shape[2:], *ctx.geometry) if needs_x",
        "ConvTranspose.apply(\n"
        "                grad, weight[(..., *[slice(None, None, -1)] * (x.ndim - 2))], None, x.shape[2:],"
        " *ctx.geometry\n            ) if needs_x",
        first("conv2d"),
    ),
    wrong(
        "convolution: the bias gradient without its sum over the batch",
        "ops/conv.py",
        "return sum_(grad, (0, *range(2, grad.ndim)))",
        "return sum_(grad[:1], (0, *range(2, grad.ndim)))",
        first("conv2d"),
    ),
    wrong(
        "convolution: the bias gradient is a mean",
        "ops/conv.py",
        "return sum_(grad, (0, *range(2, grad.ndim)))",
        "return sum_(grad, (0, *range(2, grad.ndim))) * (grad.shape[1] / max(grad.numel(), 1))",
        first("conv2d"),
    ),
    wrong(
        "transposed convolution: no bias gradient",
        "ops/conv.py",
        "_sum_per_channel(grad) if needs_bias else None,\n            *[None] * 5",
        "None,\n            *[None] * 5",
        first("conv_transpose2d"),
    ),
    wrong(
        "weight gradient: no second derivative through the input",
        "ops/conv.py",
        "ConvTranspose.apply(y, grad, None, x.shape[2:], *ctx.geometry) if needs_x else None",
        "None",
        second("conv2d"),
    ),
    wrong(
        "weight gradient: no second derivative through the output",
        "ops/conv.py",
        "Conv.apply(x, grad, None, *ctx.geometry) if needs_y else None",
        "None",
        second("conv2d"),
    ),
    wrong(
        "weight gradient: the third derivative is lost",
        "ops/conv.py",
        "Conv.apply(x, grad, None, *ctx.geometry) if needs_y else None",
        "Conv.apply(x.detach(), grad, None, *ctx.geometry) if needs_y else None",
        third("conv2d"),
    ),
    wrong(
        "transposed convolution: no second derivative",
        "ops/conv.py",
        "Conv.apply(grad, weight, None, *ctx.geometry) if needs_x else None",
        "Conv.apply(grad, weight.detach(), None, *ctx.geometry) if needs_x else None",
        second("conv_transpose2d"),
    ),
    wrong(
        "padding='same': the odd zero comes first",
        "ops/conv.py",
        "tuple(n // 2 for n in whole), tuple(n % 2 for n in whole)",
        "tuple(n // 2 + n % 2 for n in whole), tuple(0 * n for n in whole)",
        twin("conv2d"),
    ),
    wrong(
        "transposed convolution: output_padding is forgotten",
        "ops/conv_transpose.py",
        "+ d * (k - 1) + e + 1",
        "+ d * (k - 1) + 1",
        twin("conv_transpose2d"),
    ),
    wrong(
        "unfold: the gradient is folded with stride and dilation swapped",
        "ops/unfold.py",
        "ctx.size, ctx.geometry = x.shape[2:], (kernel_size, stride, padding, dilation)",
        "ctx.size, ctx.geometry = x.shape[2:], (kernel_size[::-1], stride, padding, dilation)",
        first("unfold"),
    ),
    wrong(
        "fold: wrong factor",
        "ops/unfold.py",
        "return Unfold.apply(grad, *ctx.geometry), *[None] * 5",
        "return Unfold.apply(grad, *ctx.geometry) / 2, *[None] * 5",
        first("fold"),
    ),
)

KERNELS = (
    wrong(
        "reference: = in the place of += where windows overlap",
        "kernels/reference/conv.py",
        "stride, dilation)] += columns[",
        "stride, dilation)] = columns[",
        first("conv2d"),
    ),
    wrong(
        "reference: wrong stride in the input gradient",
        "kernels/reference/conv.py",
        "padded[_tap_window(tap, out, stride, dilation)] += columns[",
        "padded[_tap_window(tap, out, (1,) * len(tap), dilation)] += columns[",
        first("conv2d"),
    ),
    wrong(
        "reference: wrong dilation in the input gradient",
        "kernels/reference/conv.py",
        "padded[_tap_window(tap, out, stride, dilation)] += columns[",
        "padded[_tap_window(tap, out, stride, (1,) * len(tap))] += columns[",
        first("conv2d"),
    ),
    wrong(
        "reference: the input gradient is cropped one pixel off",
        "kernels/reference/conv.py",
        "inside = [slice(p, p + n)",
        "inside = [slice(max(p - 1, 0), max(p - 1, 0) + n)",
        first("conv2d"),
    ),
    wrong(
        "reference: dilation is ignored everywhere",
        "kernels/reference/conv.py",
        "slice(t * d, t * d + (n - 1) * s + 1, s)",
        "slice(t, t + (n - 1) * s + 1, s)",
        "tests/kernels/test_conv.py::test_float32_agrees_with_the_float64_reference",
    ),
    wrong(
        "reference: the weight gradient without its sum over the batch",
        "kernels/reference/conv.py",
        "per_image.sum(0)",
        "per_image[0]",
        first("conv2d"),
    ),
    wrong(
        "reference: the weight gradient is a mean over the batch",
        "kernels/reference/conv.py",
        "per_image.sum(0)",
        "per_image.mean(0)",
        first("conv2d"),
    ),
    wrong(
        "reference: channels go to the wrong groups",
        "kernels/reference/conv.py",
        "return columns.reshape(columns.shape[0], groups, columns.shape[1] // groups, columns.shape[2])",
        "n, c, p = columns.shape\n    return columns.reshape(n, c // groups, groups, p).swapaxes(1, 2)",
        first("conv2d"),
    ),
    wrong(
        "reference: kernels of the transposed convolution with swapped axes",
        "kernels/reference/conv.py",
        "    rows = weight.reshape(groups, in_channels // groups, -1)",
        "    weight = weight if kernel[0] != kernel[-1] else weight.swapaxes(2, -1)\n"
        "    rows = weight.reshape(groups, in_channels // groups, -1)",
        first("conv_transpose2d"),
    ),
    wrong(
        "reference: linear forgets its bias",
        "kernels/reference/matmul.py",
        "return y if bias is None else y + bias",
        "return y",
        first("linear"),
        twin("linear"),
    ),
    wrong(
        "reference: einsum swaps the names of its factors",
        "kernels/reference/matmul.py",
        "[numbers[name] for name in names_of]",
        "[numbers[name] for name in sorted(names_of)]",
        twin("einsum0"),
    ),
)

MUTATIONS = (*MATRICES, *CONVOLUTIONS, *KERNELS)
