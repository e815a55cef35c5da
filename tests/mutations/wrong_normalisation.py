"""Mistakes in normalisation, dropout, and the reference kernels of both and of sums and activations."""

from __future__ import annotations

from tests.mutations.mutation import first, twin, wrong

LAYERS = "tests/nn/test_normalization.py"

NORM = (
    wrong(
        "normalize: the term of the variance is missing",
        "ops/norm.py",
        "(grad - offset - y * slope) / deviation",
        "(grad - offset) / deviation",
        "tests/ops/test_two_derivatives.py::test_the_kernel_and_the_ops_give_one_gradient",
    ),
    wrong(
        "normalize: the term of the mean is missing",
        "ops/norm.py",
        "(grad - offset - y * slope) / deviation",
        "(grad - y * slope) / deviation",
        "tests/ops/test_two_derivatives.py::test_the_kernel_and_the_ops_give_one_gradient",
    ),
    wrong(
        "normalize: the division by the deviation is missing",
        "ops/norm.py",
        "(grad - offset - y * slope) / deviation",
        "grad - offset - y * slope",
        "tests/ops/test_two_derivatives.py::test_the_kernel_and_the_ops_give_one_gradient",
    ),
    wrong(
        "normalize: what comes through the mean is forgotten",
        "kernels/reference/norm.py",
        "(total - deviation * grad_mean)",
        "total",
        "tests/kernels/test_norm.py::test_normalize_backward_is_pytorchs",
    ),
    wrong(
        "normalize: half of what comes through the variance",
        "kernels/reference/norm.py",
        "2 * square * grad_var",
        "square * grad_var",
        "tests/kernels/test_norm.py::test_normalize_backward_is_pytorchs",
    ),
    wrong(
        "normalize: eps is missing in the gradient",
        "ops/norm.py",
        "square = var + ctx.eps",
        "square = var",
        "tests/ops/test_two_derivatives.py::test_the_kernel_and_the_ops_give_one_gradient",
    ),
    wrong(
        "batch_norm: the running variance is biased",
        "ops/norm.py",
        "_move(running_var, var.detach() * (count / (count - 1)), momentum)",
        "_move(running_var, var.detach(), momentum)",
        f"{LAYERS}::test_statistics_by_hand",
        f"{LAYERS}::test_three_training_steps_and_an_evaluation_are_pytorchs",
    ),
    wrong(
        "batch_norm: momentum means the opposite",
        "ops/norm.py",
        "(1 - momentum) * running.array + momentum * target.array",
        "momentum * running.array + (1 - momentum) * target.array",
        f"{LAYERS}::test_statistics_by_hand",
        f"{LAYERS}::test_three_training_steps_and_an_evaluation_are_pytorchs",
    ),
    wrong(
        "batch_norm: evaluation forgets eps",
        "ops/norm.py",
        "(var.array + eps) ** -0.5",
        "var.array**-0.5",
        twin("batch_norm0"),
    ),
    wrong(
        "batch_norm in evaluation: the gradient of the weight is that of an input not centred",
        "ops/norm.py",
        "sum_(grad * (x - _per_channel(mean, x.ndim)), dims)",
        "sum_(grad * x, dims)",
        first("batch_norm1"),
        twin("batch_norm1"),
    ),
    wrong(
        "instance_norm: the running variance is biased",
        "ops/norm.py",
        "var.detach().mean(0) * (count / (count - 1))",
        "var.detach().mean(0)",
        f"{LAYERS}::test_three_training_steps_and_an_evaluation_are_pytorchs",
    ),
    wrong(
        "group_norm: the groups are made of the wrong channels",
        "ops/norm.py",
        "shape = (input.shape[0], groups, channels // groups, *input.shape[2:])\n"
        "    y, _, _ = Normalize.apply(reshape(input, shape), tuple(range(2, len(shape))), eps)",
        "shape = (input.shape[0], channels // groups, groups, *input.shape[2:])\n"
        "    y, _, _ = Normalize.apply(reshape(input, shape), (1, *range(3, len(shape))), eps)",
        twin("group_norm"),
    ),
    wrong(
        "layer_norm: the weight gets no gradient",
        "ops/norm.py",
        "y = y if weight is None else y * weight\n    return y if bias is None else y + bias\n",
        "y = y if weight is None else y * weight.detach()\n    return y if bias is None else y + bias\n",
        first("layer_norm"),
    ),
    wrong(
        "local_response_norm: the adjoint looks the same way",
        "ops/norm.py",
        "ChannelWindowSum.apply(grad, ctx.after, ctx.before)",
        "ChannelWindowSum.apply(grad, ctx.before, ctx.after)",
        first("local_response_norm"),
    ),
    wrong(
        "reference: normalize without eps",
        "kernels/reference/norm.py",
        "xp.sqrt(var + eps)",
        "xp.sqrt(var)",
        twin("batch_norm0"),
    ),
    wrong(
        "reference: the window of channels ends one too early",
        "kernels/reference/norm.py",
        "*range(1, after + 1)",
        "*range(1, after)",
        "tests/kernels/test_norm.py::test_channel_window_sum_by_hand",
    ),
)

DROPOUT = (
    wrong(
        "dropout: the gradient has another mask",
        "ops/dropout.py",
        "return Dropout.apply(grad, ctx.p, ctx.key), None, None",
        "return Dropout.apply(grad, ctx.p, seed.get().next_mask_key()), None, None",
        first("dropout"),
    ),
    wrong(
        "dropout: the gradient lacks the scale",
        "ops/dropout.py",
        "return Dropout.apply(grad, ctx.p, ctx.key), None, None",
        "return Dropout.apply(grad, ctx.p, ctx.key) * (1 - ctx.p), None, None",
        first("dropout"),
    ),
    wrong(
        "dropout: no scale at all",
        "kernels/reference/dropout.py",
        "return 1 / (1 - p) if p < 1 else 0.0",
        "return 1.0 if p < 1 else 0.0",
        "tests/kernels/test_dropout.py::test_first_decisions_by_hand",
        "tests/kernels/test_dropout.py::test_share_and_mean",
    ),
    wrong(
        "dropout: keeps what it should drop",
        "kernels/reference/dropout.py",
        "key, xp) >= keep_threshold(p)",
        "key, xp) < keep_threshold(p)",
        "tests/kernels/test_dropout.py::test_first_decisions_by_hand",
    ),
    wrong(
        "dropout2d: pixels in the place of channels",
        "ops/dropout.py",
        "maps = input.shape[: channel_dim[input.ndim] + 1]",
        "maps = input.shape[: channel_dim[input.ndim] + 2]",
        "tests/nn/test_dropout.py::test_whole_channels_are_dropped_and_the_others_scaled",
    ),
    wrong(
        "alpha_dropout: the mean moves",
        "ops/dropout.py",
        "* scale - scale * p * limit",
        "* scale + scale * p * limit",
        "tests/nn/test_dropout.py::test_alpha_dropout_keeps_mean_and_variance",
        "tests/nn/test_dropout.py::test_alpha_dropout_maps_what_it_keeps_as_pytorch_does",
    ),
)

REFERENCE = (
    wrong(
        "reference: relu lets the gradient through where the output is 0",
        "kernels/reference/activation.py",
        "xp.where(y <= 0, grad.dtype.type(0), grad)",
        "xp.where(y < 0, grad.dtype.type(0), grad)",
        first("relu"),
    ),
    wrong(
        "reference: elu's gradient below 0 lacks alpha",
        "kernels/reference/activation.py",
        "y + y.dtype.type(alpha)))",
        "y + y.dtype.type(1)))",
        first("elu"),
    ),
    wrong(
        "reference: sigmoid's gradient is that of tanh",
        "kernels/reference/activation.py",
        "asarray(grad * y * (1 - y))",
        "asarray(grad * (1 - y * y))",
        first("sigmoid"),
    ),
    wrong(
        "reference: sums over one axis too few",
        "kernels/reference/reduction.py",
        "return xp.asarray(x.sum(axis=axis, keepdims=keepdims))\n",
        "return xp.asarray(x.mean(axis=axis, keepdims=keepdims))\n",
        twin("sum"),
    ),
    wrong(
        "reference: softmax is normalised over everything",
        "kernels/reference/softmax.py",
        "powers / powers.sum(axis=axis, keepdims=True)",
        "powers / powers.sum(keepdims=True)",
        twin("softmax"),
    ),
    wrong(
        "reference: a = where positions repeat",
        "kernels/reference/shape.py",
        "xp.add.at(scattered, index, grad)",
        "scattered[index] = grad",
        first("index"),
    ),
    wrong(
        "reference: subtraction the other way around",
        "kernels/reference/elementwise.py",
        "xp.subtract(a, b)",
        "xp.subtract(b, a)",
        first("sub"),
    ),
)

MUTATIONS = (*NORM, *DROPOUT, *REFERENCE)
