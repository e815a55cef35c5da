"""Mistakes in arithmetic, functions of one variable, activations and comparisons."""

from __future__ import annotations

from tests.mutations.mutation import fast, first, second, third, twin, wrong

ARITHMETIC = (
    wrong(
        "sub: the second gradient has the wrong sign",
        "ops/elementwise.py",
        "lambda: grad, lambda: -grad)",
        "lambda: grad, lambda: grad)",
        first("sub"),
    ),
    wrong(
        "mul: the two gradients are swapped",
        "ops/elementwise.py",
        "lambda: grad * b, lambda: grad * a)",
        "lambda: grad * a, lambda: grad * b)",
        first("mul"),
    ),
    wrong(
        "div: the divisor's gradient is divided once only",
        "ops/elementwise.py",
        "-grad * a / (b * b)",
        "-grad * a / b",
        first("div"),
    ),
    wrong("pow: the exponent stays", "ops/elementwise.py", "** (b - 1)),", "** b),", first("pow")),
    wrong(
        "pow: the logarithm is missing",
        "ops/elementwise.py",
        "a**b * log(where(flat, 1.0, a))",
        "a**b",
        first("pow"),
    ),
    wrong(
        "where: the mask of the second gradient is turned around",
        "ops/elementwise.py",
        "Where.apply(condition, zero, grad), *ctx.likes[1]",
        "Where.apply(condition, grad, zero), *ctx.likes[1]",
        first("where"),
    ),
    wrong("neg: no sign", "ops/elementwise.py", "return -grad\n", "return grad\n", first("neg")),
    wrong(
        "exp: the factor is missing", "ops/elementwise.py", "return grad * y\n", "return grad\n", first("exp")
    ),
    wrong(
        "log: the input saved for backward is read as its square",
        "ops/elementwise.py",
        "return grad / x\n",
        "return grad / (x * x)\n",
        first("log"),
    ),
    wrong(
        "broadcasting: the gradient keeps the result's shape",
        "ops/elementwise.py",
        "unbroadcast(compute(), *like) if needed",
        "compute() if needed",
        first("add"),
    ),
    wrong(
        "broadcasting: only the first of the repeated dimensions is summed",
        "ops/operands.py",
        "sum_(grad, (*range(lead), *repeated))",
        "sum_(grad[(0,) * lead], tuple(d - lead for d in repeated))",
        first("mul"),
        second("mul"),
    ),
    wrong(
        "broadcasting: mean in the place of sum",
        "ops/operands.py",
        "grad = reshape(sum_(grad, (*range(lead), *repeated)), shape)",
        "count = max(grad.numel(), 1)\n"
        "        grad = reshape(sum_(grad, (*range(lead), *repeated)), shape)\n"
        "        grad = grad * (max(grad.numel(), 1) / count)",
        first("add"),
    ),
    wrong(
        "astype: the gradient is doubled",
        "ops/operands.py",
        "return astype(grad, ctx.dtype), None",
        "return astype(grad, ctx.dtype) * 2, None",
        "tests/ops/test_transfer.py",
        fast("astype"),
    ),
    wrong(
        "a number minus a tensor: the other way around",
        "ops/methods.py",
        '"__rsub__": _reversed(elementwise.sub)',
        '"__rsub__": elementwise.sub',
        "tests/ops/test_elementwise.py",
        "tests/ops/test_arithmetic.py",
    ),
    wrong(
        "a dimension counted from the end is counted from the front",
        "ops/_checks.py",
        "return int(dim) % max(ndim, 1)",
        "return max(int(dim), -1 - int(dim))",
        twin("softmax"),
        twin("sum"),
    ),
    wrong(
        "remainder: the divisor's gradient has the wrong sign",
        "ops/division.py",
        "lambda: -grad * floor_divide(a, b)",
        "lambda: grad * floor_divide(a, b)",
        first("remainder"),
    ),
    wrong(
        "floor_divide: the gradient passes as for division",
        "ops/division.py",
        "lambda: Zero.apply(grad), lambda: Zero.apply(grad)",
        "lambda: grad, lambda: Zero.apply(grad)",
        first("floor_divide"),
    ),
)

UNARY = (
    wrong("abs: no sign", "ops/unary.py", "return grad * sign(x)", "return grad", first("abs")),
    wrong("sqrt: the factor 2 is missing", "ops/unary.py", "grad / (2 * y)", "grad / y", first("sqrt")),
    wrong("sin: wrong sign", "ops/unary.py", "return grad * cos(x)", "return -grad * cos(x)", first("sin")),
    wrong("cos: wrong sign", "ops/unary.py", "return -grad * sin(x)", "return grad * sin(x)", first("cos")),
    wrong("log1p: the 1 is missing", "ops/unary.py", "grad / (1 + x)", "grad / x", first("log1p")),
    wrong("expm1: the 1 is missing", "ops/unary.py", "grad * (y + 1)", "grad * y", first("expm1")),
    wrong(
        "floor: the gradient passes straight through",
        "ops/unary.py",
        "return Zero.apply(grad), *[None]",
        "return grad, *[None]",
        first("floor"),
        twin("floor"),
    ),
    wrong(
        "maximum: equal numbers both get the whole gradient",
        "ops/extremes.py",
        "half = Where.apply(ctx.ties, grad / 2, grad)",
        "half = grad",
        "tests/ops/test_arithmetic.py::test_ties_share_the_gradient_of_extremes",
    ),
    wrong(
        "minimum: the larger one gets the gradient",
        "ops/extremes.py",
        "ctx.ties, ctx.second_loses, ctx.first_loses",
        "ctx.ties, ctx.first_loses, ctx.second_loses",
        first("minimum"),
    ),
    wrong(
        "clamp: the masks of the limits are swapped",
        "ops/extremes.py",
        "(~outside, at_low, at_high)",
        "(~outside, at_high, at_low)",
        first("clamp0"),
        first("clamp1"),
    ),
    wrong(
        "clamp: no gradient at the limit itself",
        "ops/extremes.py",
        "x.array > high.array",
        "x.array >= high.array",
        "tests/ops/test_arithmetic.py::test_clamp_at_its_limits",
    ),
    wrong(
        "le: equal numbers are not",
        "ops/comparison.py",
        '"le", "less_equal"',
        '"le", "less"',
        "tests/ops/test_arithmetic.py::test_comparisons_are_those_of_pytorch",
    ),
)

ACTIVATIONS = (
    wrong(
        "relu: the second derivative is lost",
        "ops/activation.py",
        "return ReLUBackward.apply(grad, y), None",
        "return ReLUBackward.apply(grad, y) * 0, None",
        second("relu"),
    ),
    wrong(
        "relu: the third derivative is lost",
        "ops/activation.py",
        "return ReLUBackward.apply(grad, y), None",
        "return ReLUBackward.apply(grad.detach(), y), None",
        third("relu"),
    ),
    wrong(
        "leaky_relu: the slope is forgotten in the gradient",
        "ops/activation.py",
        "x.detach(), ctx.negative_slope), None",
        "x.detach(), 0.0), None",
        first("leaky_relu"),
    ),
    wrong(
        "elu: a term of the second derivative is missing",
        "ops/activation.py",
        "ELUBackward.apply(outer, y, ctx.alpha), outer * grad * below, None",
        "ELUBackward.apply(outer, y, ctx.alpha), None, None",
        second("elu"),
    ),
    wrong(
        "sigmoid: wrong factor in the second derivative",
        "ops/activation.py",
        "outer * grad * (1 - 2 * y)",
        "outer * grad * (1 - y)",
        second("sigmoid"),
    ),
    wrong(
        "tanh: wrong sign in the second derivative",
        "ops/activation.py",
        "outer * grad * (-2 * y)",
        "outer * grad * (2 * y)",
        second("tanh"),
    ),
    wrong(
        "maxout: the pieces are taken from far apart",
        "ops/activation.py",
        "count, pieces, *input.shape[axis + 1 :]))\n    return amax(split, axis + 1)",
        "pieces, count, *input.shape[axis + 1 :]))\n    return amax(split, axis)",
        twin("maxout"),
    ),
    wrong(
        "softplus: beta is forgotten in the gradient",
        "ops/smooth_activation.py",
        "grad * Sigmoid.apply(scaled)",
        "grad * Sigmoid.apply(x)",
        first("softplus"),
    ),
    wrong(
        "gelu: the density's exponent lacks its half",
        "ops/smooth_activation.py",
        "exp(x * x * -0.5)",
        "exp(x * x * -1.0)",
        first("gelu"),
    ),
    wrong(
        "hardtanh: the gradient passes outside too",
        "ops/piecewise_activation.py",
        "return HardtanhBackward.apply(grad, x.detach(), *ctx.limits), None, None",
        "return grad, None, None",
        first("hardtanh"),
    ),
    wrong(
        "prelu: the slope gets no gradient",
        "ops/piecewise_activation.py",
        "slope * where(positive, 0.0, input)",
        "slope.detach() * where(positive, 0.0, input)",
        first("prelu"),
    ),
    wrong(
        "softmax: the sum over the other classes is missing",
        "ops/softmax.py",
        "y * (grad - sum_(grad * y, ctx.dim, keepdim=True))",
        "y * grad",
        first("softmax"),
    ),
    wrong(
        "log_softmax: the gradient is not summed",
        "ops/softmax.py",
        "grad - exp(y) * sum_(grad, ctx.dim, keepdim=True)",
        "grad - exp(y) * grad",
        first("log_softmax"),
    ),
)

MUTATIONS = (*ARITHMETIC, *UNARY, *ACTIVATIONS)
