"""Mistakes in reductions, shapes, indexing and sorting, and in what makes tensors."""

from __future__ import annotations

from tests.mutations.mutation import first, saved, second, twin, wrong

REDUCTIONS = (
    wrong(
        "sum: the gradient is spread as for a mean",
        "ops/reduction.py",
        "return expand(reshape(grad, ctx.kept_shape), ctx.shape), None, None",
        "share = max(prod(ctx.kept_shape), 1) / max(prod(ctx.shape), 1)\n"
        "        return expand(reshape(grad * share, ctx.kept_shape), ctx.shape), None, None",
        first("sum"),
    ),
    wrong(
        "mean: divided by the number of all elements",
        "ops/reduction.py",
        "total / count if count",
        "total / input.numel() if count",
        twin("mean"),
    ),
    wrong(
        "amax: all elements get the gradient",
        "ops/reduction.py",
        "reshape(grad, ctx.kept_shape) * share",
        "reshape(grad, ctx.kept_shape) * (share * 0 + 1)",
        first("amax"),
    ),
    wrong(
        "amax: ties get the whole gradient each",
        "ops/reduction.py",
        "(hits / hits.sum(dims, keepdims=True))",
        "(hits * 1.0)",
        "tests/ops/test_statistics.py::test_ties_and_nan",
    ),
    wrong(
        "cumsum: the gradient is summed from the wrong end",
        "ops/statistics.py",
        "CumSum.apply(grad[backwards], ctx.dim)[backwards], None",
        "CumSum.apply(grad, ctx.dim), None",
        first("cumsum"),
    ),
    wrong(
        "var: Bessel's correction is missing",
        "ops/statistics.py",
        "total / (count - less) if",
        "total / count if",
        twin("var0"),
        twin("var1"),
    ),
    wrong(
        "var: the mean counts as a constant and as zero",
        "ops/statistics.py",
        "deviation = input - mean(input, dims, keepdim=True)",
        "deviation = input",
        twin("var0"),
    ),
    wrong(
        "std: infinite gradient where all numbers are equal",
        "ops/statistics.py",
        "where(zero, 0.0, sqrt(where(zero, 1.0, x)))",
        "sqrt(x)",
        "tests/ops/test_statistics.py::test_the_standard_deviation_of_equal_numbers_has_gradient_zero",
    ),
    wrong(
        "prod: a factor that is left over is lost",
        "ops/statistics.py",
        "_part(x, axis, 2 * half, None)], axis)",
        "_part(x, axis, 0, 1) * 0 + 1], axis)",
        twin("prod"),
    ),
    wrong(
        "norm: the root is missing",
        "ops/statistics.py",
        "return _power_of_sum(sum_(powers, dims, keepdim), 1 / order)",
        "return sum_(powers, dims, keepdim)",
        twin("norm"),
    ),
    wrong(
        "logsumexp: the shift is counted once only",
        "ops/statistics.py",
        "keepdim=True)) + shift",
        "keepdim=True))",
        twin("logsumexp"),
    ),
)

SHAPES = (
    wrong(
        "permute: the gradient's axes are permuted as the input's",
        "ops/shape.py",
        "tuple(dims.index(i) for i in range(len(dims)))",
        "dims",
        first("permute"),
    ),
    wrong(
        "expand: mean of the copies' gradients in the place of their sum",
        "ops/shape.py",
        "return unbroadcast(grad, ctx.shape), None",
        "return unbroadcast(grad, ctx.shape) * (max(prod(ctx.shape), 1) / max(grad.numel(), 1)), None",
        first("expand"),
    ),
    wrong(
        "cat: the gradients are cut as if all inputs were as long as the first",
        "ops/shape.py",
        "            start += size",
        "            start += ctx.sizes[0]",
        first("cat"),
    ),
    wrong(
        "clone: no second derivative",
        "ops/shape.py",
        "return grad, None",
        "return grad.detach(), None",
        second("clone"),
    ),
    wrong(
        "indexing: a changed index is used in backward",
        "ops/shape.py",
        "return index.copy() if hasattr",
        "return index if hasattr",
        saved("gather"),
        saved("index_select"),
    ),
    wrong(
        "indexing: wrong factor in the second derivative",
        "ops/shape.py",
        "return Index.apply(grad, ctx.index), None, None",
        "return Index.apply(grad, ctx.index) * 2, None, None",
        second("index"),
    ),
    wrong(
        "roll: the other way around",
        "ops/arrangement.py",
        "length - step % length if length",
        "step % length if length",
        twin("roll"),
    ),
    wrong(
        "tril: without the diagonal",
        "ops/arrangement.py",
        '"tril", "less_equal"',
        '"tril", "less"',
        twin("tril"),
    ),
    wrong(
        "unbind: always the first slice",
        "ops/arrangement.py",
        "input[(slice(None),) * axis + (i,)] for i",
        "input[(slice(None),) * axis + (0 * i,)] for i",
        twin("unbind"),
    ),
)

INDEXING = (
    wrong(
        "gather: along the last dimension, whatever is asked for",
        "ops/indexing.py",
        "    grid[axis] = index\n",
        "    grid[-1] = index\n",
        twin("gather"),
    ),
    wrong(
        "scatter_add: the input gets no gradient",
        "ops/indexing.py",
        "return input + IndexScatter",
        "return input.detach() + IndexScatter",
        first("scatter_add"),
    ),
    wrong(
        "scatter: the input gets the gradient of what replaced it",
        "ops/indexing.py",
        "Where.apply(Tensor(winner >= 0), Index.apply(used, xp.maximum(winner, 0)), input)",
        "Index.apply(used, xp.maximum(winner, 0)) * Tensor((winner >= 0) * 1.0) + input",
        twin("scatter"),
    ),
    wrong(
        "masked_fill: where the mask does not hold",
        "ops/indexing.py",
        "Where.apply(mask, fill, input)",
        "Where.apply(mask, input, fill)",
        twin("masked_fill"),
    ),
    wrong(
        "topk: one too far on",
        "ops/sorting.py",
        "order[(slice(None),) * axis + (slice(count),)]",
        "order[(slice(None),) * axis + (slice(-count if count else None, None),)]",
        twin("topk"),
    ),
)

MAKING = (
    wrong(
        "ones_like: twos",
        "ops/creation_like.py",
        '_filled("ones_like", input, 1,',
        '_filled("ones_like", input, 2,',
        "tests/ops/test_creation.py",
    ),
    wrong(
        "linspace: without its end",
        "ops/creation.py",
        "float(end), int(steps))",
        "float(end), int(steps), endpoint=False)",
        "tests/ops/test_creation.py",
    ),
    wrong(
        "in place: the change is not written into the tensor's own memory",
        "ops/in_place.py",
        "return input.copy_(result)",
        "return result",
        "tests/ops/test_in_place.py",
        "tests/ops/test_in_place_methods.py",
    ),
    wrong(
        "to: the gradient stays on the GPU with the wrong sign",
        "ops/transfer.py",
        "return to(grad, ctx.device), None",
        "return -to(grad, ctx.device), None",
        "tests/kernels/cuda/test_devices.py::test_gradients_travel_back_from_the_gpu",
    ),
    wrong(
        "axis: taken, and forgotten",
        "ops/numpy_names.py",
        "named[own] = named.pop(name)",
        "named.pop(name)",
        "tests/ops/test_numpy_names.py::test_axis",
    ),
)

MUTATIONS = (*REDUCTIONS, *SHAPES, *INDEXING, *MAKING)
