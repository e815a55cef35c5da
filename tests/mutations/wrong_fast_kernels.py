"""Mistakes in the other Numba kernels, each of which must differ from the reference.

Numba compiles what a test calls again for each of these, so they take longer than the others.
"""

from __future__ import annotations

from tests.mutations.mutation import fast, wrong

KERNELS = "tests/kernels"
POOL = f"{KERNELS}/test_pooling.py"
OPTIM = f"{KERNELS}/test_optim.py"

POOLING = (
    wrong(
        "fast max_pool: the padding wins as zero",
        "kernels/cpu/pooling.py",
        "                if h < 0 or h >= height:\n                    continue\n",
        "                if h < 0 or h >= height:\n"
        "                    y[n, i, j][:] = ZERO\n"
        "                    first = False\n"
        "                    continue\n",
        f"{POOL}::test_fast_max_pool_is_the_reference",
    ),
    wrong(
        "fast max_pool: dilation is forgotten",
        "kernels/cpu/pooling.py",
        "+ b * dilation[1]",
        "+ b",
        f"{POOL}::test_fast_max_pool_is_the_reference",
    ),
    wrong(
        "fast max_pool: = in the place of += where windows overlap",
        "kernels/cpu/pooling.py",
        "y[n, q, c] += x[n, p, c]",
        "y[n, q, c] = x[n, p, c]",
        f"{POOL}::test_fast_scatter_gather_and_unpool_are_the_reference",
    ),
    wrong(
        "fast max_pool: the gradient of 2 x 2 windows goes to the wrong corner",
        "kernels/cpu/pooling.py",
        "y2[c] = x[c] if place == below else ZERO",
        "y2[c] = x[c] if place == below + 1 else ZERO",
        f"{POOL}::test_fast_scatter_gather_and_unpool_are_the_reference",
    ),
    wrong(
        "fast avg_pool: the gradient comes from one window too few",
        "kernels/cpu/pooling.py",
        "return max(0, (pixel - kernel + stride) // stride)",
        "return max(0, (pixel - kernel + stride) // stride + (kernel > 1))",
        f"{POOL}::test_fast_avg_pool_is_the_reference",
    ),
    wrong(
        "fast avg_pool: not divided",
        "kernels/cpu/pooling.py",
        "mean[c] /= counts[i, j]",
        "mean[c] /= counts[0, 0]",
        f"{POOL}::test_fast_avg_pool_is_the_reference",
    ),
)

ELEMENTWISE = (
    wrong(
        "fast relu: nan's and zero's gradient passes",
        "kernels/cpu/activation.py",
        "result[i] = ZERO if y[i] <= ZERO else grad[i]",
        "result[i] = ZERO if y[i] < ZERO else grad[i]",
        f"{KERNELS}/test_activation.py::test_fast_backward_is_the_reference",
        fast("relu"),
    ),
    wrong(
        "fast sigmoid: the gradient lacks a factor",
        "kernels/cpu/activation.py",
        "result[i] = grad[i] * y[i] * (ONE - y[i])",
        "result[i] = grad[i] * (ONE - y[i])",
        f"{KERNELS}/test_activation.py::test_fast_backward_is_the_reference",
    ),
    wrong(
        "fast backward: the gradient is read in another memory order",
        "kernels/cpu/activation.py",
        "grad = ordered_like(grad, at)",
        "grad = dense(grad)",
        f"{KERNELS}/test_activation.py::test_fast_backward_is_the_reference",
    ),
    wrong(
        "memory order: a copy keeps the old order",
        "kernels/cpu/flat.py",
        "ordered = np.empty_like(other, dtype=x.dtype)",
        "ordered = np.empty_like(x)",
        f"{KERNELS}/test_activation.py::test_fast_backward_is_the_reference",
        f"{KERNELS}/test_elementwise.py::test_binary_is_numpys",
    ),
    wrong(
        "fast sub: rows are added",
        "kernels/cpu/elementwise.py",
        "target[j] = source[j] - b[j]",
        "target[j] = source[j] + b[j]",
        f"{KERNELS}/test_elementwise.py::test_one_number_for_each_place_of_the_innermost_dimension",
    ),
    wrong(
        "fast tanh: the gradient's formula has y once",
        "kernels/cpu/activation.py",
        "grad[i] * (ONE - y[i] * y[i])",
        "grad[i] * (ONE - y[i])",
        f"{KERNELS}/test_activation.py::test_fast_backward_is_the_reference",
    ),
    wrong(
        "vector arithmetic: e^x without its last term",
        "kernels/cpu/vector_math.py",
        "((((C7 * r + C6) * r + C5) * r + C4) * r + C3) * r + C2",
        "((C5 * r + C4) * r + C3) * r + C2",
        f"{KERNELS}/test_vector_math.py::test_accuracy",
    ),
    wrong(
        "fast softmax: not normalised",
        "kernels/cpu/softmax.py",
        "scale = ONE / lane_sum(powers)",
        "scale = ONE / powers[0]",
        f"{KERNELS}/test_softmax.py::test_is_scipys",
    ),
    wrong(
        "fast log_softmax: the shift is forgotten",
        "kernels/cpu/softmax.py",
        "logs[c] = scores[c] - largest - shift",
        "logs[c] = scores[c] - shift",
        f"{KERNELS}/test_softmax.py::test_is_scipys",
    ),
    wrong(
        "fast softmax_nll: ignored elements have a gradient",
        "kernels/cpu/softmax.py",
        "if labels[i] == ignored:",
        "if labels[i] == ignored - 1:",
        f"{KERNELS}/test_softmax.py::test_softmax_nll_is_that_of_float64",
    ),
    wrong(
        "fast softmax_nll: large scores overflow",
        "kernels/cpu/softmax.py",
        "total += vector_math.exp(scores[c] - largest)",
        "total += vector_math.exp(scores[c]) / vector_math.exp(largest)",
        f"{KERNELS}/test_softmax.py::test_softmax_nll_of_large_scores",
    ),
    wrong(
        "fast sum: what is left over after the lanes is lost",
        "kernels/cpu/blocks.py",
        "        lanes[c] += rest[c]",
        "        lanes[c] += np.float32(0) * rest[c]",
        f"{KERNELS}/test_reduction.py::test_sum_of_whole_numbers_is_exact",
        f"{KERNELS}/test_reduction.py::test_channels_last_sums",
    ),
    wrong(
        "fast cat: the second input overwrites the first",
        "kernels/cpu/shape.py",
        "        start += x.shape[1]",
        "        start += 0",
        f"{KERNELS}/test_shape.py::test_cat_is_numpys",
        f"{KERNELS}/test_shape.py::test_cat_keeps_channels_last_memory",
    ),
    wrong(
        "fast dropout: no scale",
        "kernels/cpu/dropout.py",
        "f1[j] = scale if w1 >= threshold else ZERO",
        "f1[j] = np.float32(1) if w1 >= threshold else ZERO",
        f"{KERNELS}/test_dropout.py::test_fast_is_the_reference_bit_for_bit",
    ),
    wrong(
        "fast dropout: the last numbers have the mask of others",
        "kernels/cpu/dropout.py",
        "factors[i - middle, whole]",
        "factors[i - middle, 0]",
        f"{KERNELS}/test_dropout.py::test_fast_is_the_reference_bit_for_bit",
    ),
)

OPTIMISERS = (
    wrong(
        "fast sgd: weight decay has the wrong sign",
        "kernels/cpu/optim.py",
        "lr * (grad[i] + weight_decay * param[i])",
        "lr * (grad[i] - weight_decay * param[i])",
        f"{OPTIM}::test_many_parameters_in_one_pass_are_each_in_its_own",
    ),
    wrong(
        "fast sgd: Nesterov forgets the gradient",
        "kernels/cpu/optim.py",
        "d + momentum * average if nesterov else average",
        "momentum * average if nesterov else average",
        f"{OPTIM}::test_fast_is_the_reference",
    ),
    wrong(
        "fast steps of many parameters: the last chunk of each is left out",
        "kernels/cpu/_many.py",
        "range(0, size, CHUNK)",
        "range(0, size - CHUNK, CHUNK)",
        f"{OPTIM}::test_many_parameters_in_one_pass_are_each_in_its_own",
    ),
    wrong(
        "fast adam: the square is of the average",
        "kernels/cpu/optim.py",
        "square = keep2 * exp_avg_sq[i] + take2 * d * d",
        "square = keep2 * exp_avg_sq[i] + take2 * average * average",
        f"{OPTIM}::test_fast_is_the_reference",
    ),
    wrong(
        "fast rmsprop: the mean is not subtracted",
        "kernels/cpu/optim.py",
        "difference = variance - mean * mean",
        "difference = variance",
        f"{OPTIM}::test_the_other_fast_steps_are_the_reference",
    ),
    wrong(
        "fast adagrad: the sum is not kept",
        "kernels/cpu/optim.py",
        "sum[i] += d * d",
        "sum[i] = d * d",
        f"{OPTIM}::test_the_other_fast_steps_are_the_reference",
    ),
    wrong(
        "fast adadelta: the steps are not squared",
        "kernels/cpu/optim.py",
        "take * delta * delta",
        "take * delta",
        f"{OPTIM}::test_the_other_fast_steps_are_the_reference",
    ),
)

MUTATIONS = (*POOLING, *ELEMENTWISE, *OPTIMISERS)
