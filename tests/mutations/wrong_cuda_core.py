"""Mistakes in the CUDA kernels that go element by element, and in the emulator that runs them.

They run in the emulator where there is no GPU.
"""

from __future__ import annotations

from tests.mutations.mutation import wrong

CUDA = "tests/kernels/cuda"
ACTIVATION = f"{CUDA}/test_activation.py"
STEPS = f"{CUDA}/test_fused_activation.py::test_forward_and_backward"
DROPOUT = f"{CUDA}/test_dropout.py"
OPTIM = f"{CUDA}/test_optim.py"
EMULATOR = f"{CUDA}/test_emulator.py"

ELEMENTS = (
    wrong(
        "cuda for_each: a thread takes one element only",
        "kernels/cuda/common.cuh",
        "i < count; i += step) work(i);",
        "i < count; i += count) work(i);",
        f"{ACTIVATION}::test_threads_take_several_elements_where_there_are_more_elements_than_threads",
    ),
    wrong(
        "cuda relu: a NaN becomes 0",
        "kernels/cuda/formulas.cuh",
        "case RELU: return v <= T(0) ? T(0) : v;",
        "case RELU: return v > T(0) ? v : T(0);",
        f"{ACTIVATION}::test_forward",
    ),
    wrong(
        "cuda elu_backward: from the input, not the output",
        "kernels/cuda/formulas.cuh",
        "rounded_product(grad, at + number)",
        "grad * (number * exp(at))",
        f"{ACTIVATION}::test_backward",
    ),
    wrong(
        "cuda hardtanh_backward: the kinks pass the gradient on",
        "kernels/cuda/activation.cu",
        "v <= low || v >= high ? T(0) : g",
        "v < low || v > high ? T(0) : g",
        f"{ACTIVATION}::test_backward_at_the_kinks",
    ),
    wrong(
        "cuda mish_backward: the second term is forgotten",
        "kernels/cuda/fused_activation.cu",
        "return g * (t + v * logistic(v) * (T(1) - t * t));",
        "return g * t;",
        STEPS,
    ),
    wrong(
        "cuda: the saved array keeps a memory order of its own",
        "kernels/cuda/_launch.py",
        "if array.strides == first.strides and array.dtype == first.dtype:",
        "if array.dtype == first.dtype:",
        f"{ACTIVATION}::test_backward",
    ),
)

MASKS = (
    wrong(
        "cuda dropout: the key stays the same in every round",
        "kernels/cuda/common.cuh",
        "k0 += 0x9E3779B9u;",
        "k0 += 0u;",
        f"{DROPOUT}::test_dropout",
    ),
    wrong(
        "cuda dropout: p = 0 drops a word of 0",
        "kernels/cuda/dropout.cu",
        "words.word[i] >= mask.threshold",
        "words.word[i] > mask.threshold",
        f"{DROPOUT}::test_an_element_whose_word_is_the_threshold_is_kept",
    ),
    wrong(
        "cuda dropout: the last group of four is always full",
        "kernels/cuda/dropout.cu",
        "i < 4 && quad * 4 + i < count",
        "i < 4",
        f"{DROPOUT}::test_a_thread_takes_several_groups_of_four",
    ),
    wrong(
        "cuda activation_dropout: dropout of the input",
        "kernels/cuda/dropout.cu",
        "out[i] = value * factor;",
        "out[i] = x[i] * factor;",
        f"{DROPOUT}::test_dropout_joined_with_a_function",
    ),
)

STEPS_OF_OPTIMISERS = (
    wrong(
        "cuda sgd: nesterov without the gradient",
        "kernels/cuda/optim.cu",
        "d = nesterov ? d + momentum * average : average;",
        "d = nesterov ? momentum * average : average;",
        f"{OPTIM}::test_many_parameters_in_one_launch",
    ),
    wrong(
        "cuda adam: the corrections change places",
        "kernels/cuda/optim.py",
        "rate, correction = lr / (1 - beta1**step), (1 - beta2**step) ** 0.5",
        "rate, correction = lr / (1 - beta2**step), (1 - beta1**step) ** 0.5",
        f"{OPTIM}::test_many_parameters_in_one_launch",
    ),
    wrong(
        "cuda optim: a block takes the chunk of the parameter before",
        "kernels/cuda/optim.cu",
        "if (table.first[middle] <= (int)blockIdx.x) {",
        "if (table.first[middle] < (int)blockIdx.x) {",
        f"{OPTIM}::test_many_parameters_in_one_launch",
    ),
    wrong(
        "cuda optim: what the table does not hold is left out",
        "kernels/cuda/_many.py",
        "for start in range(0, len(alike), MOST):",
        "for start in (0,):",
        f"{OPTIM}::test_more_parameters_than_the_table_holds",
    ),
    wrong(
        "cuda rmsprop: the mean is not taken away",
        "kernels/cuda/optim.cu",
        "s -= m * m;",
        "s -= T(0);",
        f"{OPTIM}::test_many_parameters_in_one_launch",
    ),
)

EMULATION = (
    wrong(
        "emulator: only where an access begins is looked at",
        "kernels/cuda/emulator/memory.h",
        "if (!array || end > array->end) return",
        "if (!array || address > array->end) return",
        f"{EMULATOR}::test_what_is_outside_of_an_array_is_not_touched",
    ),
    wrong(
        "emulator: what a thread of the same warp wrote is no race",
        "kernels/cuda/emulator/races.h",
        "return other.thread / 32 != thread / 32 || other.steps >= steps[thread];",
        "return other.thread / 32 != thread / 32;",
        f"{EMULATOR}::test_a_missing_barrier_is_a_race",
    ),
    wrong(
        "emulator: the place of a barrier does not matter",
        "kernels/cuda/emulator/runtime.cpp",
        "if (request.line != first->line) return false;",
        "",
        f"{EMULATOR}::test_a_barrier_that_some_threads_never_reach_is_an_error",
    ),
    wrong(
        "emulator: TF32 is cut off, not rounded",
        "kernels/cuda/common.cuh",
        "(bits + 0x1000u) & 0xffffe000u",
        "bits & 0xffffe000u",
        f"{EMULATOR}::test_operands_of_matrix_products_are_rounded",
    ),
    wrong(
        "emulator: arguments need not fit",
        "kernels/cuda/emulator/launching.py",
        "if not fits:",
        "if not fits and False:",
        f"{EMULATOR}::test_arguments_fit_the_parameters",
    ),
    wrong(
        "emulator: a block has more threads than was promised",
        "kernels/cuda/emulator/build.py",
        "    code = re.sub(LAUNCH_BOUNDS, ",
        "    re.sub(LAUNCH_BOUNDS, ",
        f"{EMULATOR}::test_a_block_has_as_many_threads_as_was_promised",
    ),
)

MUTATIONS = (*ELEMENTS, *MASKS, *STEPS_OF_OPTIMISERS, *EMULATION)
