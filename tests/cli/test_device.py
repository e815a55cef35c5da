"""`--device cuda` on a machine where that cannot be: one line, before anything else is done."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import tinyconv as tc
from tests.cli.command import refused, tinyconv_command
from tests.fake_cupy import NO_GPU, OLD_DRIVER, CUDARuntimeError, fake_cupy
from tests.gpu import gpu

COMMANDS = {
    "train": ("unet", "--run", "RUN"),
    "eval": ("RUN",),
    "predict": ("RUN", "image.png"),
    "bench": (),
}
MACHINES: dict[str, tuple[Any, str]] = {
    "no CuPy": (None, "pip install 'tinyconv[gpu]'"),
    "no GPU": (fake_cupy(CUDARuntimeError(NO_GPU)), "nvidia-smi lists them"),
    "an old driver": (fake_cupy(CUDARuntimeError(OLD_DRIVER), driver=12020), "knows CUDA 12.2"),
}


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("command", COMMANDS)
def test_one_line_says_what_is_missing(
    command: str, machine: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cupy, says = MACHINES[machine]
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    arguments = [tmp_path / "run" if argument == "RUN" else argument for argument in COMMANDS[command]]
    refused(tinyconv_command(command, *arguments, "--device", "cuda"), f"{command}: device is 'cuda'", says)
    assert not (tmp_path / "run").exists() and tc.get_default_device() == "cpu"


@pytest.mark.parametrize("name", ["gpu", "cuda:x", ""])
def test_a_device_of_another_name_is_refused(name: str, tmp_path: Path) -> None:
    done = tinyconv_command("train", "unet", "--run", tmp_path / "run", "--device", name)
    refused(done, repr(name), "'cpu', 'cuda' or 'cuda:0'")


def test_a_gpu_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", fake_cupy(1))
    refused(tinyconv_command("train", "unet", "--device", "cuda:1"), "'cuda:1'", "the only GPU here")


def test_a_run_on_a_gpu_and_what_follows_it(tmp_path: Path) -> None:
    """On the emulator where there is none; its checkpoint is the CPU's as well."""
    run, image = tmp_path / "run", tmp_path / "image.png"
    Image.new("L", (20, 17)).save(image)
    tiny = ("--images", 4, "--size", 16, "--widths", "2,4", "--batch-size", 2, "--steps", 1, "--epochs", 2)
    tiny += ("--ema", "0.9", "--accumulate", 2, "--clip-norm", 1, "--class-weights", "2")
    with gpu():
        for command, *arguments in (
            ("train", "unet_bn", *tiny, "--run", run),
            ("eval", run),
            ("predict", run, image),
        ):
            done = tinyconv_command(command, *arguments, "--device", "cuda")
            assert done.exit_code == 0, (command, done.output, done.exception)
    on_gpu = (run / "predictions" / "image_mask.png").read_bytes()
    tc.set_default_device("cpu")
    assert tinyconv_command("predict", run, image).exit_code == 0
    assert (run / "predictions" / "image_mask.png").read_bytes() == on_gpu
