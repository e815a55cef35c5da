"""`tinyconv train --resume` with run folders that are whole, damaged, or not on a disk with room."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np

from tests.cli.command import ROOT, UNIX, numbers, refused, tinyconv_command
from tinyconv.io import load_state
from tinyconv.train.checkpoint import Checkpoint, save_checkpoint


def test_a_finished_run_has_nothing_left_to_do(run):
    before = numbers(run[0])
    done = tinyconv_command("train", "--resume", run[0])
    assert done.exit_code == 0 and "wrote" in done.stdout
    assert numbers(run[0]) == before


def test_a_checkpoint_cut_in_half(copy):
    for name in ("last", "best"):
        (file,) = copy.glob(f"{name}-*.safetensors")
        os.truncate(file, file.stat().st_size // 2)
        command = ("train", "--resume", copy) if name == "last" else ("predict", copy, "x.png")
        refused(tinyconv_command(*command), file.name, "cut short")


def test_a_checkpoint_of_another_model(copy):
    path = copy / "last.json"
    text = path.read_text()
    path.write_text(text.replace('"unet_slides"', '"lenet5"'))
    refused(tinyconv_command("train", "--resume", copy), "'lenet5'", "'unet_slides'")
    described = json.loads(text)
    tensors, _ = load_state(copy / described["numbers"]["file"])
    tensors["model.head.weight"] = np.zeros((2, 16, 1, 1), np.float32)
    fields = {key: described[key] for key in ("optimizer", "position", "random_state", "scores")}
    save_checkpoint(copy, "last", Checkpoint("unet_slides", {}, tensors, **fields))
    refused(tinyconv_command("train", "--resume", copy), "head.weight", "(1, 16, 1, 1)")


def test_data_of_a_resumed_run_that_changed(copy, save_nuclei):
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"data": str(save_nuclei(3)), "images": 5}))
    refused(tinyconv_command("train", "--resume", copy), "3 images", "the 5")


@UNIX
def test_a_full_disk_while_saving_leaves_the_earlier_checkpoint(copy):
    """A limit of the file size stands for the disk: the 23 MB of the last checkpoint do not fit."""
    before = numbers(copy)
    path = copy / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"epochs": 5}))
    script = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000_000, 20_000_000))\n"
        "from tinyconv.cli import main; main()"
    )
    command = [sys.executable, "-c", script, "train", "--resume", str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2, done.stderr
    assert "not written (File too large)" in done.stderr and "Traceback" not in done.stderr
    assert numbers(copy) == before
    assert not list(copy.glob(".*tmp*"))
