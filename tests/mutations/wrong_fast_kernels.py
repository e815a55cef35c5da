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
        "fast unpooling: an index outside is not refused",
        "kernels/cpu/pooling.py",
        "reference.check_indices(where, indices, size)",
        "pass",
        f"{POOL}::test_an_index_outside_is_refused",
    ),
    wrong(
        "fast max_pool: windows begin in the padding",
        "kernels/cpu/_boxes.py",
        "firsts.append(corner + d * ((np.maximum(-corner, 0) + d - 1) // d))",
        "firsts.append(np.maximum(corner, 0))",
        f"{POOL}::test_fast_dilated_windows_step_over_the_edge",
    ),
    wrong(
        "fast max_pool: dilation is forgotten",
        "kernels/cpu/_boxes.py",
        "first[2, w], end[2, w], step[2]",
        "first[2, w], end[2, w], 1",
        f"{POOL}::test_fast_max_pool_is_the_reference",
    ),
    wrong(
        "fast max_pool: = in the place of += where windows overlap",
        "kernels/cpu/_places.py",
        "y[target + q * channels + c] += x[source + c]",
        "y[target + q * channels + c] = x[source + c]",
        f"{POOL}::test_fast_scatter_gather_and_unpool_are_the_reference",
    ),
    wrong(
        "fast max_pool: the gradient goes to all pixels of windows side by side",
        "kernels/cpu/_pool_tile.py",
        "result = builder.select(hit, value, zero)",
        "result = value",
        f"{POOL}::test_fast_scatter_gather_and_unpool_are_the_reference",
    ),
    wrong(
        "fast pooling: the last channels of a pixel are stored as a whole vector",
        "kernels/cpu/_pool_tile.py",
        "self.emit.store_valid(value, pointer, 0, self.valid)",
        "self.emit.store(value, pointer, 0)",
        f"{POOL}::test_nothing_is_written_beyond_the_results",
    ),
    wrong(
        "fast max_unpool: wide indices are cut to their lower half",
        "kernels/cpu/_places.py",
        "return None if _narrow(indices.reshape(-1), found.reshape(-1), pixels) else found",
        "return found if _narrow(indices.reshape(-1), found.reshape(-1), pixels) else found",
        f"{POOL}::test_wide_indices_of_windows_take_the_short_way_too",
    ),
    wrong(
        "fast max_unpool: an index in another window is lost",
        "kernels/cpu/_places.py",
        "return None if strangers else y",
        "return y",
        f"{POOL}::test_indices_from_elsewhere_go_where_they_say",
    ),
    wrong(
        "fast avg_pool: the gradient comes from one window too few",
        "kernels/cpu/_boxes.py",
        'np.searchsorted(first, pixels, "right")',
        'np.searchsorted(first, pixels, "left")',
        f"{POOL}::test_fast_avg_pool_is_the_reference",
    ),
    wrong(
        "fast avg_pool: not divided",
        "kernels/cpu/_boxes.py",
        "factor = factors[(i * h_out + j) * w_out + k]",
        "factor = factors[0]",
        f"{POOL}::test_fast_avg_pool_is_the_reference",
    ),
    wrong(
        "fast avg_pool: one of the sums that take turns is forgotten",
        "kernels/cpu/_pool_tile.py",
        "map(builder.load, sums))",
        "map(builder.load, sums[1:]))",
        f"{POOL}::test_fast_avg_pool_is_the_reference",
    ),
    wrong(
        "fast adaptive pooling: counts of the windows' transpose",
        "kernels/cpu/adaptive_pooling.py",
        "counts = np.multiply.outer(counts, end - start)",
        "counts = np.multiply.outer(end - start, counts)",
        f"{KERNELS}/test_adaptive_pooling.py::test_the_fast_ones_are_the_reference",
    ),
)

ELEMENTWISE = (
    wrong(
        "fast mish: the gate counts as a constant",
        "kernels/cpu/fused_activation.py",
        "(t + v * vector_math.sigmoid(v) * (ONE - t * t))",
        "t",
        f"{KERNELS}/test_fused_activation.py::test_fast_is_the_float64_reference",
    ),
    wrong(
        "fast hardswish: the slope has a jump",
        "kernels/cpu/fused_activation.py",
        "v * THIRD + HALF",
        "v * THIRD",
        f"{KERNELS}/test_fused_activation.py::test_fast_is_the_float64_reference",
    ),
    wrong(
        "vector arithmetic: the logarithm's series ends early",
        "kernels/cpu/vector_math.py",
        "(TWO * s + tail * q * s)",
        "TWO * s",
        f"{KERNELS}/test_fused_activation.py::test_fast_is_the_float64_reference",
    ),
    wrong(
        "fast relu: nan's and zero's gradient passes",
        "kernels/cpu/_activations.py",
        "return ZERO if y <= ZERO else grad",
        "return ZERO if y < ZERO else grad",
        f"{KERNELS}/test_activation.py::test_fast_backward_is_the_reference",
        fast("relu"),
    ),
    wrong(
        "fast sigmoid: the gradient lacks a factor",
        "kernels/cpu/_activations.py",
        "return grad * y * (ONE - y)",
        "return grad * (ONE - y)",
        f"{KERNELS}/test_activation.py::test_fast_backward_is_the_reference",
    ),
    wrong(
        "fast backward: the gradient is read in another memory order",
        "kernels/cpu/flat.py",
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
        "kernels/cpu/_activations.py",
        "grad * (ONE - y * y)",
        "grad * (ONE - y)",
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
        "fast softmax: the gradient of the other classes is missing",
        "kernels/cpu/softmax.py",
        "target[c] = shares[c] * (g[c] - total)",
        "target[c] = shares[c] * g[c]",
        f"{KERNELS}/test_softmax.py::test_fast_gradients_are_those_of_the_float64_reference",
    ),
    wrong(
        "fast resampling: the third tap and on are forgotten",
        "kernels/cpu/resample.py",
        "for k in range(first + 2, end - 1, 2):",
        "for k in range(first + 3, end - 1, 2):",
        f"{KERNELS}/test_resample.py::test_fast_is_the_float64_reference",
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
        "powers[:] = 0",
        "powers[:] = 1",
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
        "kernels/cpu/_mask.py",
        "f1[j] = scale if w1 >= threshold else ZERO",
        "f1[j] = np.float32(1) if w1 >= threshold else ZERO",
        f"{KERNELS}/test_dropout.py::test_fast_is_the_reference_bit_for_bit",
    ),
    wrong(
        "fast dropout: the last numbers have the mask of others",
        "kernels/cpu/_mask.py",
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

TURNS = (
    wrong(
        "turns: nobody waits",
        "kernels/cpu/turns.py",
        "with _turn.lock:",
        "if _turn.lock:",
        "tests/kernels/test_turns.py::test_threads_compute_at_the_same_time",
    ),
    wrong(
        "turns: a fork waits for a thread that it does not have",
        "kernels/cpu/turns.py",
        "os.register_at_fork(after_in_child=self._renew)",
        "pass",
        "tests/kernels/test_turns.py::test_a_fork_that_was_made_in_the_middle_of_a_turn",
    ),
)

WAKING = (
    wrong(
        "waking: on the core of the caller too",
        "kernels/cpu/_waking.py",
        "cores - {_this_core()}",
        "cores",
        "tests/kernels/test_waking.py::test_after_a_pause_they_wake_on_another_core",
    ),
    wrong(
        "waking: never anywhere again",
        "kernels/cpu/threads.py",
        "_waking.wake_anywhere()",
        "pass",
        "tests/kernels/test_waking.py::test_after_a_pause_they_wake_on_another_core",
    ),
)

MUTATIONS = (*POOLING, *ELEMENTWISE, *OPTIMISERS, *TURNS, *WAKING)
