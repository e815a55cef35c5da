"""Mistakes in gates, shrinking functions, margin losses, dimensions and random numbers."""

from __future__ import annotations

from tests.mutations.mutation import first, twin, wrong

GENERATOR = "tests/test_generator.py"

MUTATIONS = (
    wrong(
        "hardswish: the gate counts as a constant",
        "ops/gates.py",
        "where(ge(x, 3), 1.0, x / 3 + 0.5)",
        "where(ge(x, 3), 1.0, x / 6 + 0.5)",
        "tests/ops/test_two_derivatives.py::test_the_kernel_and_the_ops_give_one_gradient",
    ),
    wrong(
        "glu: the halves are swapped",
        "ops/gates.py",
        "narrow(input, axis, 0, half) * sigmoid(narrow(input, axis, half, half))",
        "narrow(input, axis, half, half) * sigmoid(narrow(input, axis, 0, half))",
        twin("glu"),
    ),
    wrong(
        "mish: the gate is a sigmoid",
        "ops/gates.py",
        "Fused.apply(input, fused.mish, fused.mish_backward, mish_derivative)",
        "Fused.apply(input, fused.silu, fused.silu_backward, mish_derivative)",
        twin("mish"),
    ),
    wrong(
        "softshrink: grows",
        "ops/shrinking.py",
        "fused.softshrink, fused.shrink_backward",
        "fused.hardshrink, fused.shrink_backward",
        twin("softshrink"),
    ),
    wrong(
        "softsign: the derivative's power",
        "ops/shrinking.py",
        "(1 + abs_(x)) ** -2",
        "(1 + abs_(x)) ** -1",
        "tests/ops/test_two_derivatives.py::test_the_kernel_and_the_ops_give_one_gradient",
    ),
    wrong(
        "rrelu: the slopes are used above 0",
        "ops/random_activation.py",
        "where(Tensor(input.array > 0), input, input * slopes)",
        "where(Tensor(input.array < 0), input, input * slopes)",
        "tests/nn/test_activation.py",
        "tests/nn/test_gates.py",
    ),
    wrong(
        "gumbel_softmax: the hard choice has no gradient",
        "ops/random_activation.py",
        "return soft + (Tensor(one.reshape(soft.shape)) - soft.detach())",
        "return soft.detach() + (Tensor(one.reshape(soft.shape)) - soft.detach())",
        "tests/nn/test_gates.py",
    ),
    wrong(
        "multi_margin: the mean over the other classes only",
        "ops/margin_loss.py",
        "sum_(costs, 1) / classes",
        "sum_(costs, 1) / max(classes - 1, 1)",
        twin("multi_margin_loss"),
    ),
    wrong(
        "multi_margin: the right score gets no gradient",
        "ops/margin_loss.py",
        "limit - unsqueeze(scores[rows, labels], 1) + scores",
        "limit - unsqueeze(scores[rows, labels], 1).detach() + scores",
        first("multi_margin_loss"),
    ),
    wrong(
        "soft_margin: wrong sign",
        "ops/margin_loss.py",
        "-logsigmoid(target * input)",
        "-logsigmoid(-target * input)",
        twin("soft_margin_loss"),
    ),
    wrong(
        "rot90: the other way around",
        "ops/dimensions.py",
        "first if turns % 4 == 1 else second",
        "second if turns % 4 == 1 else first",
        twin("rot90"),
    ),
    wrong(
        "tensor_split: the longer pieces come last",
        "ops/dimensions.py",
        "size + (i < longer)",
        "size + (i >= count - longer)",
        twin("tensor_split"),
    ),
    wrong(
        "bernoulli: the opposite",
        "ops/random.py",
        "device_of(array)) < array)",
        "device_of(array)) > array)",
        GENERATOR,
    ),
    wrong(
        "normal: the mean is forgotten",
        "ops/random.py",
        "np.asarray(values * spread + centre)",
        "np.asarray(values * spread)",
        GENERATOR,
    ),
    wrong(
        "new_ones: zeros",
        "ops/tensor_tools.py",
        "creation.ones(*size",
        "creation.zeros(*size",
        "tests/ops/test_tensor_tools.py",
    ),
)
