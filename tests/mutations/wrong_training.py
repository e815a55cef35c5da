"""Mistakes in the training loop and its callbacks."""

from __future__ import annotations

from tests.mutations.mutation import wrong

STEP, BAD = "tests/train/test_parts_of_a_step.py", "tests/train/test_not_finite.py"

MUTATIONS = (
    wrong(
        "accumulation: each batch weighs the same",
        "train/trainer.py",
        "share = len(x) / samples",
        "share = 1 / len(batches)",
        f"{STEP}::test_small_batches_together_are_a_large_one",
    ),
    wrong(
        "clipping: after the step",
        "train/trainer.py",
        "        self._clip_gradients(self.model.parameters())\n        self.optimizer.step()\n",
        "        self.optimizer.step()\n        self._clip_gradients(self.model.parameters())\n",
        f"{STEP}::test_a_clipped_step_has_the_length_it_may_have",
    ),
    wrong(
        "skipping: the running statistics keep the bad batch",
        "train/trainer.py",
        "buffer.array[...] = before",
        "pass",
        f"{BAD}::test_skipped_steps_leave_no_trace",
    ),
    wrong(
        "gradients: not looked at",
        "train/trainer.py",
        "            self._check_gradients(self.model.parameters())\n",
        "",
        f"{BAD}::test_a_finite_loss_with_a_gradient_that_is_none",
    ),
    wrong(
        "saving: weights that are not finite",
        "train/records.py",
        "for name in not_finite(state) if",
        "for name in not_finite({}) if",
        f"{BAD}::test_what_is_not_finite_is_not_saved",
    ),
    wrong(
        "skipping: for ever",
        "train/trainer.py",
        "self._skips_in_a_row += 1",
        "pass",
        f"{BAD}::test_nothing_but_bad_steps_ends",
    ),
    wrong(
        "not finite: the last op is named",
        "train/not_finite.py",
        "if not found and any(map(_is_bad, outputs)) and not any(map(_is_bad, inputs)):",
        "if any(map(_is_bad, outputs)):\n            found.clear()",
        f"{BAD}::test_the_op_and_its_line_are_named",
    ),
    wrong(
        "EMA: the weights stay exchanged",
        "train/ema.py",
        "trainer.model.load_state_dict(self._own)",
        "pass",
        f"{STEP}::test_the_average_is_validated_and_training_goes_on_with_its_own_weights",
    ),
    wrong(
        "early stopping: NaN is better",
        "train/early_stopping.py",
        "return not math.isnan(value)",
        "return True",
        f"{STEP}::test_it_stops_when_nothing_gets_better",
    ),
    wrong(
        "learning-rate search: the weights stay trained",
        "train/learning_rate.py",
        "model.load_state_dict(weights)",
        "pass",
        "tests/train/test_learning_rate.py::test_everything_is_as_it_was",
    ),
    wrong(
        "mixed loss: without weights",
        "train/losses.py",
        "weight * losses[name]",
        "losses[name]",
        "tests/train/test_losses.py::test_a_mixed_loss_is_the_weighted_sum_and_so_is_its_gradient",
    ),
    wrong(
        "resuming: callbacks begin anew",
        "train/callback_state.py",
        "callback.load_state_dict(state | dict(checkpoint.callbacks[name]))",
        "pass",
        f"{STEP}::test_callbacks_are_in_the_checkpoint",
    ),
    wrong(
        "checkpoint: the description's checksum is not looked at",
        "train/checkpoint.py",
        "described[SIGNATURE] != signed(described)[SIGNATURE]",
        "not described[SIGNATURE]",
        "tests/train/test_damaged_checkpoint.py::test_a_bit_flipped_anywhere_in_the_description",
    ),
    wrong(
        "weights: their checksum is not looked at",
        "io/safetensors.py",
        "metadata.pop(SIGNATURE) != _sha256(arrays, metadata)",
        "not metadata.pop(SIGNATURE)",
        "tests/io/test_safetensors.py::test_numbers_that_changed_their_places_are_noticed",
    ),
    wrong(
        "run folder: the checksum of the options is not looked at",
        "train/folder.py",
        "fields = unsigned(fields) if isinstance(fields, dict) else fields",
        "fields.pop('sha256', None)",
        "tests/train/test_run_folder.py::test_options_that_were_edited_are_told",
    ),
    wrong(
        "run folder: what a killed process left stays",
        "train/folder.py",
        "            _remove_unfinished(self.path)\n",
        "",
        "tests/train/test_run_folder.py::test_what_a_killed_process_left_unfinished_is_removed_and_nothing_else",
    ),
    wrong(
        "time budget: the first step, which compiles, counts",
        "train/trainer.py",
        "return position.seconds - position.first_step_seconds + position.validation_seconds",
        "return position.seconds + position.validation_seconds",
        "tests/train/test_trainer.py::test_the_clock_runs_from_the_end_of_the_first_step",
    ),
    wrong(
        "fitting a network: kernels are compiled for it",
        "models/fit.py",
        'kernel_backend("reference" if _is_small(shape) else kernel_backend.get())',
        "kernel_backend(kernel_backend.get())",
        "tests/models/test_fit.py::test_nothing_is_compiled_to_find_out",
    ),
    wrong(
        "fitting a network: one of maps is tried at its own, large size",
        "models/fit.py",
        "if not _is_small(size) and _gives_maps(name, taken, size[0], num_classes):",
        "if False:",
        "tests/models/test_fit.py::test_networks_of_maps_are_refused_without_a_look_at_a_large_image[segnet]",
    ),
    wrong(
        "time budget: the first step of a resumed run counts",
        "train/trainer.py",
        "        self._not_counted_from: float | None = self.position.seconds\n",
        "        self._not_counted_from = self.position.seconds if self.position.step == 0 else None\n",
        "tests/train/test_trainer.py::test_a_resumed_run_has_the_time_that_was_left",
    ),
    wrong(
        "compilation: said again and again",
        "kernels/cpu/compiling.py",
        "            self.say = None\n",
        "",
        "tests/kernels/test_compiling.py::test_it_is_said_once_when_compilation_has_taken_a_second",
    ),
    wrong(
        "options file: unknown names pass",
        "train/options_file.py",
        "if name not in allowed:",
        "if not name:",
        "tests/train/test_options_file.py::test_files_that_are_no_options",
    ),
)
