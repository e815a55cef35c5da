"""Mistakes around a GPU: rounding and scaling, graphs of kernels, and what is said without one."""

from __future__ import annotations

from tests.mutations.mutation import wrong

ROUNDING = "tests/amp/test_rounding.py"
AUTOCAST = "tests/amp/test_autocast.py"
SCALER = "tests/amp/test_grad_scaler.py"
SINGLE = "tests/capture/test_segments_on_cuda.py"
SEGMENTS = "tests/capture/test_on_cuda.py"
CARDS = "tests/kernels/cuda/test_two_cards.py"
AHEAD = "tests/data/test_prefetch.py::test_the_next_batch_is_copied_beside_the_step_on_the_present_one"

MUTATIONS = (
    wrong(
        "rounding: of two that are as near, the larger one",
        "kernels/reference/elementwise.py",
        "(np.uint32(0x7FFF) + (bits >> 16 & 1))",
        "np.uint32(0x8000)",
        f"{ROUNDING}::test_bfloat16_by_hand",
    ),
    wrong(
        "autocast: nothing is rounded",
        "ops/precision.py",
        "elementwise.rounded(x, precision) if x.dtype == float32 else x",
        "x",
        f"{AUTOCAST}::test_products_are_those_of_rounded_factors",
    ),
    wrong(
        "autocast: the way back multiplies in float32",
        "autograd.py",
        "with matmul_precision(node._precision):",
        'with matmul_precision("float32"):',
        f"{AUTOCAST}::test_products_are_those_of_rounded_factors",
    ),
    wrong(
        "GradScaler: infinite gradients let the scale grow",
        "amp/grad_scaler.py",
        "self._scale * self._backoff_factor",
        "self._scale * self._growth_factor",
        f"{SCALER}::test_scales_and_steps_are_pytorchs",
    ),
    wrong(
        "GradScaler: one step too many before the scale grows",
        "amp/grad_scaler.py",
        "self._growth_tracker == self._growth_interval",
        "self._growth_tracker > self._growth_interval",
        f"{SCALER}::test_scales_and_steps_are_pytorchs",
    ),
    wrong(
        "capture: a graph keeps the first dropout mask",
        "capture/segments.py",
        "        if keys:",
        "        if keys and self.calls < 4:",
        f"{SEGMENTS}::test_dropout_draws_a_new_mask_in_each_call",
    ),
    wrong(
        "capture: a graph reads weights that were replaced",
        "capture/segments.py",
        "        if any(moved):\n",
        "        if False:\n",
        f"{SEGMENTS}::test_weights_that_were_replaced_are_seen",
    ),
    wrong(
        "capture: a result lies where the next call writes",
        "capture/segments.py",
        "copies(({arrays}))",
        "({arrays})",
        f"{SEGMENTS}::test_a_captured_step_is_the_eager_one",
    ),
    wrong(
        "capture: a gradient lies where the next call writes",
        "capture/segments.py",
        ' or target.endswith(".grad")',
        "",
        f"{SEGMENTS}::test_gradients_that_are_kept_stay_as_they_were",
    ),
    wrong(
        "capture: a graph is made for each call whose arrays moved",
        "capture/segments.py",
        "n < MOVES and stays",
        "stays",
        f"{SINGLE}::test_what_moves_in_each_call_is_copied_in_the_end",
    ),
    wrong(
        "capture: a graph that is dropped keeps its memory",
        "capture/segments.py",
        "            memory.give_back()",
        "            pass",
        f"{SINGLE}::test_memory_is_given_back_with_the_graph",
    ),
    wrong(
        "capture: the end of a broken recording is what is told",
        "capture/segments.py",
        "            with suppress(Exception):  # CUDA's",
        "            if True:  # CUDA's",
        f"{SINGLE}::test_what_is_told_is_the_first_error",
    ),
    wrong(
        "capture: a graph that is made anew is not compared",
        "capture/segments.py",
        "        self.checked = 0\n",
        "        self.checked = CHECKED - 1\n",
        f"{SEGMENTS}::test_a_graph_that_was_made_anew_is_compared_again",
    ),
    wrong(
        "capture: a graph is dropped while it runs",
        "capture/segments.py",
        "self._launched.synchronize()",
        "pass",
        f"{SEGMENTS}::test_a_graph_is_dropped_after_its_last_launch",
    ),
    wrong(
        "capture: what a graph reads is dropped",
        "cuda/memory.py",
        "memory.kept.append(value)",
        "memory.kept.append(())",
        f"{SEGMENTS}::test_what_a_graph_reads_stays_with_it",
    ),
    wrong(
        "memory: what a graph has is not counted",
        "cuda/memory.py",
        "        _graphs.add(self)\n",
        "",
        f"{SEGMENTS}::test_the_memory_of_a_graph_is_counted",
    ),
    wrong(
        "cross-entropy: Python waits for the GPU to look at the labels",
        "ops/classification_loss.py",
        "if not unseen(target):",
        "if True:",
        f"{SEGMENTS}::test_classes_are_checked_without_waiting_for_the_gpu",
    ),
    wrong(
        "device errors: the number of GPUs is a GPU",
        "device_errors.py",
        "if index >= count:",
        "if index > count:",
        "tests/test_device_errors.py::test_a_gpu_that_is_not_there_is_refused_by_its_number",
    ),
    wrong(
        "errors: cuBLAS's numbers are taken for CUDA's",
        "device_errors.py",
        '    if name == "CUBLASError":\n        return status in CUBLAS_HAS_NO_ROOM\n',
        "",
        "tests/test_device_errors.py::test_the_numbers_of_libraries_are_not_those_of_cuda",
    ),
    wrong(
        "to: a copy to the card loses channels last",
        "device.py",
        "if array.flags.c_contiguous or not ordered.flags.c_contiguous:",
        "if True:",
        "tests/kernels/cuda/test_devices.py::test_the_memory_order_stays_on_the_way",
    ),
    wrong(
        "weighted cross_entropy: Python waits for the labels",
        "ops/classification_loss.py",
        """    if unseen(target):
        ignored""",
        """    if False:
        ignored""",
        "tests/ops/test_labels_on_cuda.py::test_nobody_waits_for_the_labels",
    ),
    wrong(
        "weighted cross_entropy on a GPU: what is no class counts as class 0",
        "ops/classification_loss.py",
        "xp.where(is_class, 1.0, xp.nan)",
        "1.0",
        "tests/ops/test_labels_on_cuda.py::test_what_is_no_class_is_nan",
    ),
    wrong(
        "losses on a GPU: Python waits for the labels of focal losses",
        "ops/pixel_loss.py",
        "    if unseen(target):",
        "    if False:",
        "tests/ops/test_labels_on_cuda.py::test_nobody_waits_for_the_labels",
    ),
    wrong(
        "losses on a GPU: Python waits for the masks",
        "ops/loss_common.py",
        "    if unseen(values):",
        "    if False:",
        "tests/ops/test_values_on_cuda.py::test_nobody_waits",
    ),
    wrong(
        "losses on a GPU: a mask of 255 counts",
        "kernels/cuda/elementwise.cu",
        "low <= v && v <= high ?",
        "low <= v ?",
        "tests/ops/test_values_on_cuda.py::test_what_is_wrong_is_nan_and_an_error_where_it_is_looked_for",
    ),
    wrong(
        "embedding on a GPU: a number without a row takes the first one",
        "ops/_unseen.py",
        "xp.where(is_class, 1.0, xp.nan)",
        "xp.where(is_class, 1.0, 1.0)",
        "tests/ops/test_values_on_cuda.py::test_what_is_wrong_is_nan_and_an_error_where_it_is_looked_for",
    ),
    wrong(
        "bench-gpu: a contender that fails is not named",
        "benchmark/table.py",
        "if entry.status not in (OK, MISSING, NOT_DONE)",
        'if entry.status == "wrong"',
        "tests/benchmark/test_race.py::test_the_reasons_are_told",
    ),
    wrong(
        "bench-gpu: PyTorch's graph computes the first batch again and again",
        "benchmark/pytorch_graphs.py",
        "place.copy_(tensor)",
        "pass",
        "tests/benchmark/test_pytorch_graphs.py",
    ),
    wrong(
        "loader: batches are not pinned",
        "data/loader.py",
        'after_method(batch, "pin_memory") if self.pin_memory else batch',
        "batch",
        "tests/cuda/test_pinned.py::test_batches_are_pinned",
    ),
    wrong(
        "prefetch: copies wait for the computations, in their stream",
        "data/prefetch.py",
        "with self.stream:",
        "with current_stream(self.device):",
        AHEAD,
    ),
    wrong(
        "prefetch: nothing waits for the copy", "data/prefetch.py", "self.event.wait(", "Event().wait(", AHEAD
    ),
    wrong(
        "prefetch: a copy writes where a step still reads",
        "data/prefetch.py",
        "self.stream.wait_stream(current_stream(self.device))",
        "pass",
        AHEAD,
    ),
    wrong(
        "accuracy: batches stay on the CPU",
        "train/placing.py",
        "prefetch(DataLoader(data, batch_size, pin_memory=place != CPU), place)",
        "iter(DataLoader(data, batch_size))",
        "tests/train/test_classification.py::test_accuracy_by_hand",
    ),
    wrong(
        "find_learning_rate: nothing is copied ahead",
        "train/learning_rate.py",
        "trainer.batches(epoch)",
        "iter(trainer.loader.iterate(epoch))",
        "tests/data/test_prefetch.py::test_whoever_goes_through_data_copies_ahead",
    ),
    wrong(
        "two cards: parameters of both are in one launch",
        "kernels/cuda/_many.py",
        "(row[0].device.id, C_TYPES[str(row[0].dtype)])",
        "(0, C_TYPES[str(row[0].dtype)])",
        f"{CARDS}::test_one_optimizer_updates_parameters_of_both_cards",
    ),
    wrong(
        "two cards: ops compute on the current one",
        "function.py",
        "gpu = other_gpu(tensors[0].array)",
        "gpu = None",
        f"{CARDS}::test_ops_compute_where_their_tensors_are",
    ),
    wrong(
        "two cards: the way back goes over the current one",
        "autograd.py",
        "gpu = other_gpu(next(iter(arrived.values())).array)",
        "gpu = None",
        f"{CARDS}::test_ops_compute_where_their_tensors_are",
    ),
    wrong(
        "device errors: an op that finds no room says what CuPy said",
        "function.py",
        "clear = explained(cls.__name__, error)",
        "clear = None",
        "tests/kernels/cuda/test_full_card.py::test_ops_and_the_way_back",
    ),
    wrong(
        "device errors: the way back finds no room, and says what CuPy said",
        "device.py",
        "return explaining(*args, **options)\n        return explaining",
        "return function(*args, **options)\n        return function",
        "tests/kernels/cuda/test_full_card.py::test_ops_and_the_way_back",
    ),
    wrong(
        "collate: arrays stay on the CPU",
        "data/collate.py",
        "from_numpy(array) if of_tensors else as_tensor(array)",
        "from_numpy(array)",
        "tests/data/test_prefetch.py::test_batches_of_arrays_are_made_on_the_default_device",
    ),
    wrong(
        "collate: a tensor on a GPU is an error",
        "data/collate.py",
        '_is_tensor(sample) and bool(sample.device != "cpu")',
        "False",
        "tests/data/test_loader.py::test_default_collate_makes_tensors_of_nested_samples",
    ),
    wrong(
        "load_state_dict: arrays on a GPU are an error",
        "device.py",
        'value if type(value).__module__.startswith("cupy") else np.asarray(value)',
        "np.asarray(value)",
        "tests/train/test_parts_of_a_step.py::test_a_state_that_does_not_fit",
    ),
)
