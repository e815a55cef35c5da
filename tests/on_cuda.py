"""The suite on a GPU, or in the emulator of one: ``python -m pytest tests --device cuda``."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import numpy as np

import tinyconv as tc
from tests.gpu import finds_a_gpu, gpu
from tinyconv.errors import DeviceError

CPU_ONLY = {
    "tests/benchmark": "times the processor",
    "tests/capture/test_fusing.py::test_dense_layers_": "one pass through all is the CPU's",
    "tests/capture/test_reach.py::test_errors_that_the_step_catches": "a GPU's labels raise no error",
    "tests/capture/test_steps.py::test_wrong_labels": "a GPU's labels raise no error",
    "tests/cli/test_classify.py::test_interrupted": "trains in a process of its own, on the CPU",
    "tests/cli/test_train.py::test_interrupted": "trains in processes of their own, on the CPU",
    "tests/course": "judges answers in processes of their own, on the CPU",
    "tests/data/test_tensors.py::test_a_sampler_as_pytorchs_users_write_it": "pins memory of the CPU",
    "tests/kernels/test_": "calls the CPU's kernels with NumPy's arrays; tests/kernels/cuda has their twins",
    "tests/ops/test_tensor_tools.py::test_without_a_gpu": "there is one",
    "tests/site": "pages show what the CPU prints",
    "tests/test_dlpack.py": "shares memory with NumPy, and with PyTorch on the CPU",
    "tests/test_function.py::test_a_memory_mapped_array": "computes with NumPy's memory",
    "tests/test_generator.py::test_devices": "the CPU is the default one there",
    "tests/test_mutations.py": "reads files; nothing is computed",
    "tests/test_missing_names.py": "reads names; nothing is computed",
    "tests/test_rooms.py": "reads files; nothing is computed",
    "tests/test_tensor.py::test_conversions": "names the CPU",
    "tests/test_tensor.py::test_looking_at_a_tensor": "names the CPU",
    "tests/test_tensor.py::test_refused[DeviceError": "there is no GPU",
    "tests/test_tensor.py::test_tensor_copies_and_from_numpy_shares": "shares NumPy's memory",
    "tests/train/test_killed.py": "trains in processes of their own, on the CPU",
    "tests/train/test_page.py::test_the_program": "runs the page's programs as they are printed, on the CPU",
}
"""What is not tried on a GPU, and why: the beginnings of the names of tests."""

TOO_LONG_IN_THE_EMULATOR = (
    "tests/cli/test_classify.py::test_bad_arguments",
    "tests/cli/test_ensembles.py",
    "tests/cli/test_export.py::test_a_run_becomes_a_file_that_segments_as_it_does",
    "tests/cli/test_find_lr.py::test_what_is_drawn_and_said",
    "tests/cli/test_find_lr.py::test_steps_are_those_of_the_options",
    "tests/cli/test_loss_options.py",
    "tests/cli/test_summary.py::test_a_volume_has_four_sizes",
    "tests/models/test_acgan.py::test_a_step_is_that_of_the_twin",
    "tests/models/test_alexnet.py",
    "tests/models/test_autoencoder.py::test_pretraining_helps_a_deep_net",
    "tests/models/test_calcium.py::test_outputs_are_those_of_the_twins",
    "tests/models/test_calcium.py::test_gradients_reach_what_the_slide_says[calcium_wide",
    "tests/models/test_calcium.py::test_one_step_changes_every_parameter",
    "tests/models/test_calcium.py::test_eight_images_are_learned_by_heart",
    "tests/models/test_rednet.py::test_eight_images_are_cleaned_by_heart",
    "tests/models/test_unet.py::test_eight_images_are_learned_by_heart_and_a_step_changes_every_parameter",
    "tests/models/test_segnet.py::test_eight_images_are_learned_by_heart",
    "tests/models/test_unets.py::test_eight_images_are_learned_by_heart",
    "tests/models/test_vae.py::test_eight_images_are_learned_by_heart",
    "tests/models/test_wgan.py::test_a_ring_of_gaussians_is_learned",
    "tests/models/test_dense_to_convolution.py",
    "tests/models/test_fit.py::test_others_are_refused",
    "tests/models/test_page.py",
    "tests/models/test_smallest.py",
    "tests/nn/test_sees.py",
    "tests/nn/test_summary.py::test_the_receptive_field_is_what_gradients_reach",
    "tests/test_autograd.py::test_a_chain_of_100000_ops",
    "tests/test_autograd.py::test_deleting_a_long_chain_that_was_never_walked",
    "tests/test_pytorch_scripts.py::test_a_script_runs_by_changing_its_import[unet_segmentation",
    "tests/train/test_classification.py::test_lenet5_learns_digits_that_it_has_not_seen",
    "tests/train/test_classification.py::test_the_same_seed_trains_alike",
    "tests/train/test_mask_sources.py::test_the_held_out_slab_of_the_brain_is_not_trained_on",
    "tests/train/test_step_options.py::test_minutes_are_the_only_end_unless_another_is_given",
    "tests/train/test_versions.py::test_the_versions_stand_in_the_checkpoints",
    "tests/viz/test_architecture.py::test_the_u_net_of_the_slides_is_a_u",
    "tests/viz/test_legibility.py",
    "tests/viz/test_look.py::test_each_kind_of_figure_looks_as_it_did[plot_architecture",
)
"""Skipped where there is no GPU: thousands of kernels, or large images."""

CHOOSES_ITSELF = (
    "tests/amp/test_on_cuda.py",
    "tests/capture/test_on_cuda.py",
    "tests/capture/test_segments_on_cuda.py",
    "tests/cli/test_bench.py",
    "tests/cli/test_device.py",
    "tests/cuda",
    "tests/data/test_prefetch.py",
    "tests/kernels/cuda",
    "tests/optim/test_cuda.py",
    "tests/ops/test_table_on_cuda.py",
    "tests/test_device_errors.py",
    "tests/test_pytorch_scripts.py",
    "tests/test_suite_on_cuda.py",
)
"""Tests that name a device wherever they make something: the CPU stays the default one for them."""

ALSO_ON_CUDA = (
    "tests/capture/test_refusals.py::test_the_step_runs_as_it_is",
    "tests/data/test_loader.py::test_default_collate_makes_tensors_of_nested_samples",
    "tests/nn/test_conv.py::test_a_layer_is_pytorchs",
    "tests/nn/test_load_state.py",
    "tests/nn/test_losses.py",
    "tests/ops/test_in_place_methods.py",
    "tests/test_in_place.py::test_a_change_of_what_an_op_saved_is_detected",
    "tests/train/test_classification.py::test_accuracy_by_hand",
    "tests/train/test_parts_of_a_step.py",
    "tests/train/test_predict.py",
)
"""The tests that a plain ``make test`` tries on both."""


@contextlib.contextmanager
def on_cuda() -> Iterator[None]:
    """Tensors are made on the GPU, and tests may look at them as if they lay on the CPU."""
    looks = {"numpy": _numpy, "__array__": _array}
    with gpu(), tc.default_device("cuda"), mock.patch.multiple(tc.Tensor, **looks):
        yield


REFUSING_NUMPY: Callable[[tc.Tensor], np.ndarray] = tc.Tensor.numpy


def _numpy(tensor: tc.Tensor) -> np.ndarray:
    """For a test a copy on the CPU; for the engine the error that users of a GPU would get.

    It is asked for first: a step that is being recorded is noticed to read values.
    """
    with contextlib.suppress(DeviceError):
        return REFUSING_NUMPY(tensor)
    return REFUSING_NUMPY(tensor if _engine_asks() else tensor.cpu())


def _array(tensor: tc.Tensor, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
    return np.array(_numpy(tensor), dtype=dtype, copy=copy)


def _engine_asks() -> bool:
    frame = sys._getframe(1)
    while frame.f_back is not None:
        frame = frame.f_back
        name = frame.f_globals.get("__name__", "")
        if name != __name__ and name.partition(".")[0] in ("tinyconv", "tests"):
            return bool(name.startswith("tinyconv"))
    return False


def reason_against(test: str) -> str | None:
    """Why a test, by its name, is not tried on a GPU, or on the emulator of one."""
    if test.startswith(TOO_LONG_IN_THE_EMULATOR) and not finds_a_gpu():
        return "takes minutes in the emulator"
    return next((reason for beginning, reason in CPU_ONLY.items() if test.startswith(beginning)), None)
