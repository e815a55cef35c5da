"""Mistakes in the captured step: what is watched, what is compared, what is written down."""

from __future__ import annotations

from tests.mutations.mutation import wrong

STEPS = "tests/capture/test_steps.py"
REFUSALS = "tests/capture/test_refusals.py"
GRAPH = "tests/capture/test_graph.py"
OPS = "tests/capture/test_every_op.py"
REACH = "tests/capture/test_reach.py"

FUSING = "tests/capture/test_fusing.py"
FUSED = "tests/kernels/test_fused.py"

MUTATIONS = (
    wrong(
        "fusing: what somebody else needs is not made",
        "capture/fusing.py",
        "(not rule.keeps and taken[between] > 1)",
        "False",
        f"{FUSING}::test_what_somebody_else_needs_is_made",
    ),
    wrong(
        "capture: activation functions of several steps are not captured",
        "capture/inline.py",
        '"Fused", "FusedGradient"',
        '"Fused"',
        f"{OPS}::test_every_activation_is_captured",
    ),
    wrong(
        "fusing: leaky ReLU with a negative slope is derived from its output",
        "capture/fusing.py",
        'return slope.replace(".", "").isdigit() and float(slope) > 0',
        "return True",
        f"{FUSING}::test_a_leaky_relu_whose_slope_has_a_sign_keeps_its_input",
    ),
    wrong(
        "fusing: nothing is joined",
        "capture/fusing.py",
        "forward, backward = (_join(lines, rule, taken, names) for lines in (forward, backward))",
        "pass",
        f"{FUSING}::test_no_activation_has_a_pass_of_its_own",
    ),
    wrong(
        "fused: the last rows of a panel are not activated",
        "kernels/cpu/_gemm.py",
        "activate(flat, top * n + begin, valid, bottom - top, n, kind, number)",
        "activate(flat, top * n + begin, valid, bottom - top - 1, n, kind, number)",
        f"{FUSED}::test_linear",
    ),
    wrong(
        "fused: tiles at the border are not activated",
        "kernels/cpu/_winograd.py",
        "copy_run(y, target + r * pitch + p * columns, m, source, m_columns)\n    if kind:",
        "copy_run(y, target + r * pitch + p * columns, m, source, m_columns)\n    if kind > 5:",
        f"{FUSED}::test_convolution",
    ),
    wrong(
        "fast hardtanh: the upper bound is the lower one",
        "kernels/cpu/activation.py",
        "y[i] = high if raised > high else raised",
        "y[i] = low if raised > high else raised",
        "tests/kernels/test_activation.py",
    ),
    wrong(
        "fused: the function after a convolution is forgotten",
        "kernels/cpu/fused.py",
        "return convolve(x, weight, bias, stride, padding, dilation, groups, epilogue)",
        "return convolve(x, weight, bias, stride, padding, dilation, groups)",
        f"{FUSED}::test_convolution",
    ),
    wrong(
        "fused: a volume's function is forgotten",
        "kernels/cpu/_convolution.py",
        "conv_volume(*arrays, size, stride, padding, dilation, epilogue)",
        "conv_volume(*arrays, size, stride, padding, dilation)",
        f"{FUSED}::test_convolution",
    ),
    wrong(
        "fast dropout: the last of each block is left out",
        "kernels/cpu/dropout.py",
        "min((b + 1) * BLOCK, x.size)",
        "min((b + 1) * BLOCK - 1, x.size)",
        "tests/kernels/test_dropout.py::test_fast_is_the_reference_bit_for_bit",
    ),
    wrong(
        "fused: the derivative is taken before dropout",
        "kernels/reference/fused.py",
        'return _apply(f"{activation}_backward", masks.dropout(grad, p, key), at, *numbers)',
        'return _apply(f"{activation}_backward", grad, at, *numbers)',
        f"{FUSED}::test_the_definitions_are_what_float64_gives",
    ),
    wrong(
        "fused: the bias's sums are those of the gradient after the function",
        "kernels/cpu/_passes.py",
        "sum_rows(result[start:stop], inner",
        "sum_rows(grad[start:stop], inner",
        f"{FUSED}::test_gradients_of_a_convolution",
    ),
    wrong(
        "capture: what the step can read is not compared",
        "capture/compiled.py",
        "return self.gradients == self.state.gradients() and self.state.changed() is None",
        "return True",
        f"{STEPS}::test_training_and_evaluation",
        f"{REFUSALS}::test_what_the_step_looks_at_is_looked_at_again",
    ),
    wrong(
        "capture: a list may grow unseen",
        "capture/state.py",
        "if len(items) != size:",
        "if False:",
        f"{REFUSALS}::test_what_the_step_looks_at_is_looked_at_again",
    ),
    wrong(
        "capture: attributes of functions may change unseen",
        "capture/state.py",
        "yield vars(function), name",
        "pass",
        f"{REACH}::test_an_attribute_of_a_function",
    ),
    wrong(
        "capture: modules within modules are not watched",
        "capture/state.py",
        "self._module(value, used)",
        "pass",
        f"{REACH}::test_modules_wherever_they_are",
    ),
    wrong(
        "capture: an argument may begin to require a gradient",
        "capture/compiled.py",
        "if forms != (_settings(), [tensor.requires_grad for tensor in tensors]):",
        "if False:",
        f"{REACH}::test_changes_that_outlive_the_step",
    ),
    wrong(
        "capture: the order of a dictionary may change unseen",
        "capture/state.py",
        "if not all(map(is_, items, keys)):",
        "if False:",
        f"{REACH}::test_the_order_of_a_dictionary",
    ),
    wrong(
        "capture: the step may catch errors",
        "capture/watching.py",
        "if CATCHES in code.co_code[::2]:",
        "if False:",
        f"{REACH}::test_errors_that_the_step_catches",
    ),
    wrong(
        "capture: memory order is not part of the signature",
        "capture/compiled.py",
        "return array.shape, array.dtype, array.strides, value.requires_grad, value.grad is None",
        "return array.shape, array.dtype, value.requires_grad, value.grad is None",
        f"{STEPS}::test_memory_orders_have_plans_of_their_own",
    ),
    wrong(
        "capture: the grad mode is not part of the signature",
        "capture/compiled.py",
        "return _grad_mode.enabled, default_dtype.get()",
        "return True, default_dtype.get()",
        f"{GRAPH}::test_an_input_that_needs_a_gradient_only_sometimes",
    ),
    wrong(
        "capture: one mask for all steps",
        "capture/watching.py",
        "return key if recording is None else recording.mask_key(key)",
        "return key",
        f"{STEPS}::test_masks_go_on_where_the_eager_step_would",
    ),
    wrong(
        "capture: values may be read",
        "capture/watching.py",
        "answer = _known_readers[code] = names == EVERYTHING or code.co_name in names",
        "answer = _known_readers[code] = True",
        f"{REFUSALS}::test_the_step_runs_as_it_is[item]",
    ),
    wrong(
        "capture: anything may be called",
        "capture/watching.py",
        "return function.__name__ in ALLOWED",
        "return True",
        f"{REFUSALS}::test_the_step_runs_as_it_is[printed]",
    ),
    wrong(
        "capture: changed objects are not noticed after a recording",
        "capture/compiled.py",
        "if changed is not None:",
        "if False:",
        f"{REFUSALS}::test_the_step_runs_as_it_is[counted]",
    ),
    wrong(
        "capture: the number of labels is not looked up",
        "capture/program.py",
        r'text.append(f"    if {shapes}:\n        return None")',
        r'text.append(f"    if False:\n        return None")',
        f"{STEPS}::test_labels_that_are_ignored",
    ),
    wrong(
        "capture: gradients are not handed over",
        "capture/recording.py",
        "if now[1] is before:",
        "if True:",
        f"{STEPS}::test_twenty_steps[mlp-sgd]",
    ),
    wrong(
        "capture: a constant is given away",
        "capture/writing.py",
        'self.lines.append(Statement(f"{copied} = twin({name})", (copied,), (name,)))',
        'self.lines.append(Statement(f"{copied} = {name}", (copied,), (name,)))',
        f"{STEPS}::test_a_constant_that_is_given_away_may_be_changed",
    ),
    wrong(
        "capture: what depends on one constant is constant",
        "capture/recording.py",
        'if takes and all(name[0] == "c" for name in takes):',
        'if takes and any(name[0] == "c" for name in takes):',
        f"{STEPS}::test_twenty_steps[mlp-sgd]",
    ),
    wrong(
        "capture: changes in place do not count as needed",
        "capture/program.py",
        "if not line.pure or line.shapes is not None or needed.intersection(line.makes):",
        "if line.shapes is not None or needed.intersection(line.makes):",
        f"{STEPS}::test_changes_in_place",
    ),
    wrong(
        "capture: arguments may be given twice",
        "capture/compiled.py",
        "if len(arrays) < len(tensors):",
        "if False:",
        f"{REFUSALS}::test_arguments_that_are_not_apart",
    ),
    wrong(
        "capture: changes before the walk back go unnoticed",
        "capture/graph.py",
        "if any(tensor.version.count != count for tensor, count in ctx.versions):",
        "if False:",
        f"{GRAPH}::test_changes_before_the_walk_back_are_noticed",
    ),
    wrong(
        "capture: a shared output goes unnoticed",
        "capture/outputs.py",
        "program.watched = tuple(shared)",
        "program.watched = ()",
        f"{GRAPH}::test_changes_before_the_walk_back_are_noticed[output]",
    ),
    wrong(
        "capture: masks may be of any size",
        "capture/recording.py",
        'if any(x.dtype.kind == "b" for x in _arrays(inputs)):',
        "if False:",
        f"{REFUSALS}::test_the_step_runs_as_it_is[masked]",
    ),
)
