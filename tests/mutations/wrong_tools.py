"""Mistakes in trigonometry, quantiles, diagonals, placing, counting and compound functions."""

from __future__ import annotations

from tests.mutations.mutation import first, twin, wrong

TRIGONOMETRY = (
    wrong(
        "tan: the 1 is missing", "ops/trigonometry.py", "grad * (1 + y * y)", "grad * (y * y)", first("tan")
    ),
    wrong(
        "atan: wrong sign", "ops/trigonometry.py", "grad / (1 + x * x)", "grad / (1 - x * x)", first("atan")
    ),
    wrong(
        "acos: the sign of asin",
        "ops/trigonometry.py",
        "return -grad / sqrt(1 - x * x)",
        "return grad / sqrt(1 - x * x)",
        first("acos"),
    ),
    wrong("cosh: the sign of cos", "ops/trigonometry.py", "grad * sinh(x)", "-grad * sinh(x)", first("cosh")),
    wrong(
        "log2: the natural logarithm's derivative",
        "ops/trigonometry.py",
        "grad / (x * log_of(2))",
        "grad / x",
        first("log2"),
    ),
    wrong(
        "atan2: the two gradients are swapped",
        "ops/trigonometry.py",
        "lambda: share * b, lambda: -share * a",
        "lambda: -share * a, lambda: share * b",
        first("atan2"),
    ),
)

OTHERS = (
    wrong(
        "fmod: rounded down in the gradient",
        "ops/compound.py",
        "-grad * trunc(a / b)",
        "-grad * (trunc(a / b) - 1)",
        first("fmod"),
    ),
    wrong(
        "lerp: the weight gets no gradient",
        "ops/compound.py",
        "start + (stop - start) * share",
        "start + (stop - start).detach() * share",
        first("lerp0"),
        first("lerp1"),
    ),
    wrong(
        "cumprod: a factor too many",
        "ops/compound.py",
        "        step *= 2\n",
        "        step += 2\n",
        twin("cumprod"),
    ),
    wrong(
        "quantile: the two neighbours are swapped",
        "ops/quantiles.py",
        "return below + (above - below)",
        "return above + (below - above)",
        twin("quantile"),
    ),
    wrong(
        "median: the upper one of two",
        "ops/quantiles.py",
        "input, axis, (length - 1) // 2, keepdim)",
        "input, axis, length // 2, keepdim)",
        twin("median0"),
        twin("median1"),
    ),
    wrong(
        "diagonal: above in the place of below",
        "ops/diagonals.py",
        "steps - min(offset, 0), steps + max(offset, 0)",
        "steps + max(offset, 0), steps - min(offset, 0)",
        twin("diag_embed"),
    ),
    wrong(
        "index_add: alpha is forgotten",
        "ops/placing.py",
        "== 1 else source * alpha",
        "== 1 else source",
        twin("index_add"),
    ),
    wrong(
        "index_copy: the input gets what was replaced",
        "ops/placing.py",
        "Where.apply(Tensor(_along(winner >= 0, axis, input.ndim)), chosen, input)",
        "Where.apply(Tensor(_along(winner >= 0, axis, input.ndim)), chosen + 0 * input, input.detach())",
        first("index_copy"),
    ),
    wrong(
        "searchsorted: right means left",
        "ops/counting.py",
        '"right" if right else "left"',
        '"left" if right else "right"',
        "tests/ops/test_counting.py",
    ),
)

MUTATIONS = (*TRIGONOMETRY, *OTHERS)
