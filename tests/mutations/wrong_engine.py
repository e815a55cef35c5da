"""Mistakes in the engine: walking the graph, accumulation, hooks, versions, grad mode, gradcheck."""

from __future__ import annotations

from tests.mutations.mutation import first, second, wrong

AUTOGRAD = "tests/test_autograd.py"
HIGHER = "tests/test_autograd_grad.py"
HOOKS = "tests/test_hooks.py"
IN_PLACE = "tests/test_in_place.py"

WALK = (
    wrong(
        "backward: the last path overwrites the others",
        "autograd.py",
        "collected[edge] = grad if before is None else before + grad",
        "collected[edge] = grad",
        f"{AUTOGRAD}::test_a_diamond_adds_up_both_paths",
    ),
    wrong(
        "backward: a second backward overwrites the first",
        "function.py",
        "self.leaf.grad = self.leaf.grad + grad",
        "self.leaf.grad = grad",
        f"{AUTOGRAD}::test_two_backwards_accumulate",
    ),
    wrong(
        "backward: accumulates into memory that others hold",
        "function.py",
        "self.leaf.grad = self.leaf.grad + grad",
        "self.leaf.grad.array[...] += grad.array",
        f"{AUTOGRAD}::test_accumulation_leaves_the_earlier_gradient_object_alone",
    ),
    wrong(
        "backward: two leaves share their gradient's memory",
        "function.py",
        "return met or 0 in array.strides",
        "return 0 in array.strides",
        f"{AUTOGRAD}::test_gradients_of_two_leaves_never_share_memory",
    ),
    wrong(
        "backward: a gradient is a view of one number",
        "function.py",
        "return met or 0 in array.strides",
        "return met",
        f"{AUTOGRAD}::test_the_gradient_of_a_sum_can_be_written_to",
    ),
    wrong(
        "backward: create_graph is forgotten",
        "autograd.py",
        "with enable_grad() if create_graph else no_grad():",
        "with no_grad():",
        f"{HIGHER}::test_create_graph_gives_all_derivatives_of_a_cubic",
    ),
    wrong(
        "backward: always records",
        "autograd.py",
        "with enable_grad() if create_graph else no_grad():",
        "with enable_grad():",
        f"{HIGHER}::test_a_gradient_is_not_recorded_by_default",
    ),
    wrong(
        "backward: retain_graph is forgotten",
        "autograd.py",
        "                if not retain_graph:\n",
        "                if True:\n",
        f"{AUTOGRAD}::test_a_second_backward_needs_retain_graph",
    ),
    wrong(
        "backward: the graph is never freed",
        "function.py",
        "            self._saved = None\n",
        "            pass\n",
        f"{AUTOGRAD}::test_a_freed_graph_holds_no_arrays",
    ),
    wrong(
        "backward: an output that was not used gets ones",
        "autograd.py",
        "module.zeros(shape, dtype)",
        "module.ones(shape, dtype)",
        "tests/test_function.py::test_a_function_with_several_outputs_of_which_one_is_used",
    ),
    wrong(
        "backward: the gradient starts at 2",
        "autograd.py",
        "ones_like(output.array))",
        "ones_like(output.array) * 2)",
        f"{HIGHER}::test_create_graph_gives_all_derivatives_of_a_cubic",
    ),
    wrong(
        "backward: nodes are walked before their users are done",
        "graph.py",
        "            finished.append(node)",
        "            finished.insert(0, node)",
        f"{AUTOGRAD}::test_topological_order_puts_users_first",
    ),
    wrong(
        "grad: a tensor within the graph gets what came by the first path",
        "autograd.py",
        "kept.update((edge, grad) for edge, grad in arrived.items() if edge in targets)",
        "kept.update((edge, grad / 2) for edge, grad in arrived.items() if edge in targets)",
        f"{HIGHER}::test_grad_of_intermediate_tensors_and_of_the_output_itself",
    ),
    wrong(
        "saved outputs: no second derivative through them",
        "function.py",
        "output.grad_fn = self if output.requires_grad else None",
        "output.grad_fn = None",
        second("exp"),
    ),
    wrong(
        "no_grad: forgotten inside forward's end",
        "function.py",
        "        if enabled and True in ctx.needs_input_grad:",
        "        if True in ctx.needs_input_grad:",
        "tests/test_grad_mode.py::test_no_grad_as_a_block_nested_and_as_a_decorator",
    ),
    wrong(
        "no_grad: the end of a block switches recording on, whatever was before",
        "grad_mode.py",
        "_grad_mode.enabled = self._before.pop()",
        "_grad_mode.enabled = bool(self._before.pop()) or True",
        "tests/test_grad_mode.py",
    ),
)

GUARDS = (
    wrong(
        "versions: a change of a saved tensor is not noticed",
        "function.py",
        "if count >= 0 and item.version.count != count:",
        "if count > 1e9:",
        f"{IN_PLACE}::test_a_change_of_what_an_op_saved_is_detected",
    ),
    wrong(
        "versions: changes in place are not counted",
        "tensor.py",
        "        check_writable(self, op, value)\n        self.version.count += 1\n",
        "        check_writable(self, op, value)\n        self.version.count += 0\n",
        f"{IN_PLACE}::test_a_change_of_what_an_op_saved_is_detected",
    ),
    wrong(
        "versions: a view has a counter of its own",
        "memory.py",
        "            output.version = x.version\n            return\n",
        "            return\n",
        f"{IN_PLACE}::test_a_change_through_the_base_of_a_saved_view",
        f"{IN_PLACE}::test_the_number_of_changes_is_shared_by_views",
    ),
    wrong(
        "versions: detach has a counter of its own",
        "tensor.py",
        "        detached.version = self.version\n",
        "",
        f"{IN_PLACE}",
    ),
    wrong(
        "versions: optimisers change parameters unseen",
        "optim/optimizer.py",
        "parameter.version.count += 1",
        "parameter.version.count += 0",
        f"{IN_PLACE}::test_a_second_backward_after_an_optimiser_step",
    ),
    wrong(
        "in place: a leaf that needs a gradient may be changed",
        "memory.py",
        "    if tensor.requires_grad:\n",
        "    if tensor.requires_grad and tensor.grad_fn is not None:\n",
        "tests/test_grad_mode.py::test_in_place_changes_only_outside_the_graph",
    ),
    wrong(
        "hooks: the gradient that a hook returns is ignored",
        "hooks.py",
        "grad = checked_gradient(grad, changed, hook)",
        "checked_gradient(grad, changed, hook)",
        f"{HOOKS}::test_a_hook_may_replace_the_gradient",
    ),
    wrong(
        "hooks: removed hooks are called on",
        "hooks.py",
        "self._hooks.pop(self._key, None)",
        "self._hooks.get(self._key, None)",
        f"{HOOKS}::test_a_handle_ends_with_its_block",
    ),
    wrong(
        "hooks: retained gradients do not accumulate",
        "hooks.py",
        "grad.clone() if tensor.grad is None else tensor.grad + grad",
        "grad.clone()",
        f"{HOOKS}::test_retain_grad",
    ),
    wrong(
        "detect_anomaly: nan passes",
        "anomaly.py",
        "        if count:\n",
        "        if count > 1e9:\n",
        "tests/test_anomaly.py::test_the_op_and_the_line_are_named",
    ),
)

CHECKS = (
    wrong(
        "gradcheck: accepts everything",
        "gradcheck.py",
        "excess.max() > 0)",
        "excess.max() > np.inf)",
        "tests/test_gradcheck.py",
        "tests/test_gradcheck_report.py",
    ),
    wrong(
        "gradcheck: differences are divided by the step once",
        "gradcheck_probe.py",
        "difference / (2 * float(np.linalg.norm(direction)))",
        "difference / float(np.linalg.norm(direction))",
        first("mul"),
    ),
    wrong(
        "gradcheck: random directions agree with everything",
        "gradcheck.py",
        "rtol * max(abs(numeric), typical):\n            return False",
        "rtol * max(abs(numeric), typical):\n            return True",
        "tests/test_gradcheck.py::test_mistakes_in_large_inputs_are_found_by_random_directions",
    ),
    wrong(
        "gradgradcheck: the gradient's start is not differentiated",
        "gradcheck.py",
        "everything = [*checked, *range(count, len(probe.arguments))]",
        "everything = [*range(count, len(probe.arguments))]",
        "tests/test_gradcheck.py",
    ),
)

MUTATIONS = (*WALK, *GUARDS, *CHECKS)
